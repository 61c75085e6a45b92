"""A community with one of everything that a route can name, and somebody who may do all of it."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from flask import Flask

from backend import clock
from backend.db import Database
from backend.meetings import making, service
from backend.meetings.periods import MONDAY, period_of
from tests.factories.dangerous_houses import House
from tests.factories.identity import give_role, make_account, sign_in
from tests.factories.notices import issued, served
from tests.factories.phones import Phone
from tests.factories.sweeps import Person, Sweep, make_sweep

#: What generated values of these names are replaced by, every other time: else every answer would be 404.
BODY_NAMES = ("parent_id", "into_id", "place_id", "building_id", "account_id", "assignee_account_id", "community_id")


@dataclass
class Described:
    """``ids``: name of a parameter → a value that exists."""

    sweep: Sweep
    headers: dict[str, str]
    ids: dict[str, str]
    turn: Any = field(default_factory=count)

    def steer(self, case: Any) -> None:
        """Every other well-formed request is made to name things that exist, and none says it is compressed."""
        case.headers.pop("Content-Encoding", None)
        if getattr(case.meta.phase.data, "parameter", None) != "X-Community":
            case.headers["X-Community"] = self.headers["X-Community"]
        if not case.meta.generation.mode.is_positive or next(self.turn) % 2:
            return
        for name in case.path_parameters or {}:
            if name in self.ids:
                case.path_parameters[name] = self.ids[name]
        if isinstance(case.body, dict):
            for name in BODY_NAMES:
                if isinstance(case.body.get(name), str):
                    case.body[name] = self.ids[name]
        if "If-Match" in case.headers:
            case.headers["If-Match"] = f'"{self.revision()}"'

    def revision(self) -> int:
        answer = self.sweep.app.test_client().get(f"/api/v1/tasks/{self.ids['hazard_id']}", headers=self.headers)
        return int((answer.json or {}).get("rev", 1))


def make_described(app: Flask, db: Database) -> Described:
    """The community, with hazards, an issued order, a served notice, a dangerous house, a draft paper, a record held
    back and one that waits."""
    sweep = make_sweep(app, db)
    community, homes = sweep.community_id, sweep.tree.households
    chief = make_account(db, community, "committee", name="许大年")
    for role in ("administrator", "street"):  # together they may take every step
        give_role(db, chief, community, role)
    headers = sign_in(app.test_client(), chief)
    hazards = [sweep.hazard(home) for home in homes]
    office = Person(app, chief, headers)
    office.take("assign", hazards[0])
    draft = office.get("/work-orders").json["items"][0]
    order = office.post(
        "/work-orders/issue",
        {
            "building_id": draft["building"]["id"],
            "responsible_party_key": draft["responsible_party_key"],
            "closer": draft["closer"],
        },
    ).json
    notice = issued(office, hazards[0])
    noted = office.post(f"/notices/{notice['id']}/services", served()).json
    paper_id = make_draft(sweep, chief.id)
    house = House(sweep, office, office)
    house.done("appraised")
    house.done("listed", household_id=str(homes[0]), persons=2)
    worker = make_account(db, community, name="田大禾")
    phone = Phone(app.test_client(), worker)
    stored = phone.push(phone.visit(homes[0]), phone.visit(uuid4()), phone.visit(homes[1]) | {"sha256": "0" * 64})
    place = office.get(f"/places/{homes[0]}").json
    ids = {
        "community_id": str(community),
        "hazard_id": str(hazards[1]),
        "order_id": order["id"],
        "account_id": str(worker.id),
        "membership_id": str(worker.membership_id),
        "install_id": str(phone.install_id),
        "record_id": stored[0]["id"],
        "quarantine_id": stored[2]["quarantine_id"],
        "place_id": str(homes[0]),
        "parent_id": str(sweep.tree.buildings[0]),
        "building_id": str(sweep.tree.buildings[0]),
        "into_id": str(homes[1]),
        "field_code": place["field_code"],
        "assignee_account_id": str(worker.id),
        "code": "ebike_charging",
        "version": "1",
        "notice_id": notice["id"],
        "service_id": noted["services"][0]["id"],
        "house_id": str(house.id),
        "household_id": str(homes[0]),
        "paper_id": str(paper_id),
        "key": "overdue",
    }
    return Described(sweep, headers, ids)


def make_draft(sweep: Sweep, account_id: UUID) -> UUID:
    """A draft of last week's paper, made as the worker would."""
    now = clock.now_ms()
    with sweep.db.transaction([sweep.community_id]) as session:
        period = period_of("weekly", clock.local_day(now - 7 * clock.DAY_MS), MONDAY)
        paper_id = service.request_paper(session, sweep.community_id, period, now, account_id).id
    with sweep.db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        making.make_paper(session, sweep.runtime, sweep.community_id, paper_id)
    return paper_id
