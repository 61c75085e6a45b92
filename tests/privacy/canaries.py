"""A resident whose name, numbers and plate go through the whole system, and a net for everything it emits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from backend import clock
from backend.meetings import making
from backend.schema import metadata
from tests.architecture.test_routes_guarded import rules
from tests.factories.dangerous_houses import House
from tests.factories.identity import make_account
from tests.factories.notices import served
from tests.factories.persons import ID_NUMBER, NAME, OTHER_NAME, OTHER_PHONE, PHONE, PLATE, visit_naming
from tests.factories.phones import Phone
from tests.factories.sweeps import Person, Sweep

CANARIES = (NAME, OTHER_NAME, PHONE, OTHER_PHONE, ID_NUMBER, PLATE)
#: As they look where bytes are escaped: in URLs, in JSON of others, in PostgreSQL's bytea.
ESCAPED = tuple(
    form
    for word in CANARIES
    for form in (
        word,
        word.encode("unicode_escape").decode(),
        "".join(f"%{byte:02X}" for byte in word.encode()),
        word.encode().hex(),
    )
)


@dataclass
class Net:
    """What was emitted, and where."""

    caught: list[tuple[str, str]] = field(default_factory=list)

    def take(self, where: str, emitted: str) -> None:
        self.caught.append((where, emitted))

    def answer(self, where: str, answer: Any) -> Any:
        """Body and headers of a response."""
        self.take(where, f"{answer.status} {answer.headers} {answer.get_data().decode(errors='replace')}")
        return answer

    def found(self) -> set[str]:
        """Where a canary was seen."""
        return {where for where, emitted in self.caught if any(word in emitted for word in ESCAPED)}


@dataclass
class Story:
    """A sweep in which the resident is named wherever somebody can be named."""

    sweep: Sweep
    worker: Phone
    head: Person
    ids: dict[str, str]

    def scopes(self) -> dict[str, str | None]:
        return {f"area:{grid}": None for grid in self.sweep.tree.grids}


def tell(app: Flask, sweep: Sweep) -> Story:
    """Through the API: a push with records good and bad, a task from end to end, an order, a paper, a search."""
    place, db = sweep.tree.households[0], sweep.db
    phone = Phone(app.test_client(), make_account(db, sweep.community_id))
    visit = phone.record("visit", phone.payload(**_pushed(visit_naming(place))))
    wrong = phone.record("visit", phone.payload(visit={"header": {"place_id": NAME, "respondent_phone": PHONE}}))
    broken = phone.record("visit", f'{{"broken": "{NAME} {PHONE}')
    amended = phone.record("visit", phone.payload(**_pushed(visit_naming(place)), amends=visit["id"], reason=NAME))
    results = phone.push(visit, wrong, broken, amended)
    assert [one["status"] for one in results] == ["stored", "quarantined", "quarantined", "stored"], results
    sweep.compile(place)
    hazard, head = sweep.hazard_id(place), sweep.person("committee")
    said = {"responsible_party": NAME, "measures": f"{NAME}移走{PLATE}，电话{PHONE}", "plan": f"找{NAME}{ID_NUMBER}"}
    steps = [head.take("assign", hazard, **said)]
    draft = head.get("/work-orders").json["items"][0]
    key = {"building_id": draft["building"]["id"], "closer": draft["closer"]}
    order = head.post("/work-orders/issue", {**key, "responsible_party_key": draft["responsible_party_key"]})
    steps.append(head.take("accept", hazard, refusal_witness=OTHER_NAME))
    steps.append(sweep.person("grid_worker").take("submit", hazard, note=f"{NAME}已移走，{OTHER_PHONE}"))
    steps.append(head.take("return", hazard, reason=f"{NAME}又停回来，{PHONE}"))
    assert [step.status_code for step in steps] == [200] * 4, [step.json for step in steps]
    why = {"reason": "request", "name": NAME, "phone": PHONE}
    found = [head.post("/persons/search", why), head.post("/persons/report", why)]
    found.append(head.post("/persons/unmask", {"what": "task", "id": str(hazard), "reason": "contact"}))
    assert [one.status_code for one in found] == [200] * 3
    day = clock.local_day(clock.now_ms()).isoformat()
    paper = head.post("/papers", {"kind": "weekly", "period_start": day})
    assert paper.status_code == 202, paper.json
    with db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        session.execute(text("DELETE FROM job WHERE kind = 'compile'"))
        making.make_paper(session, sweep.runtime, sweep.community_id, UUID(paper.json["id"]))
    house = House(sweep, head, sweep.person("street"))
    house.done("appraised")
    contact = {"contact": NAME, "vulnerable": f"{NAME}卧床，{PHONE}"}
    house.done("listed", household_id=str(house.homes[0]), persons=2, **contact)
    left = house.notice(addressee=NAME, owner=NAME, contact=f"{OTHER_NAME} {OTHER_PHONE}")
    asked = served(result="refused", witness=OTHER_NAME, note=f"{NAME}不签，{PHONE}")
    assert head.post(f"/notices/{left['id']}/services", asked).status_code == 201
    ids = {"place_id": place, "hazard_id": hazard, "record_id": visit["id"], "paper_id": paper.json["id"]}
    ids |= {"notice_id": left["id"], "house_id": house.id}
    ids |= {"order_id": order.json["id"], "quarantine_id": results[1]["quarantine_id"], "code": "ebike_charging"}
    return Story(sweep, phone, head, {name: str(value) for name, value in ids.items()})


def _pushed(body: dict[str, Any]) -> dict[str, Any]:
    body["visit"]["header"]["visited_at"] = "2026-11-20T09:30:00+08:00"
    return body


def read_everything(app: Flask, story: Story, person: Person, net: Net) -> None:
    """Every route that only reads, with the ids of the story (and the reason that would open a payload)."""
    client = app.test_client()
    for rule, guard in rules(app):
        if guard is None or "GET" not in (rule.methods or set()):
            continue
        for path in _paths(story, rule):
            for query in ({}, {"reason": "verify"}):
                answer = client.get(path, headers=person.headers, query_string=query)
                net.answer(f"GET {rule.rule}", answer)


def pull(app: Flask, story: Story, account: Any, net: Net) -> None:
    """All areas, as a phone of that account gets them."""
    phone = Phone(app.test_client(), account)
    for scope in story.scopes():
        body = {"install_id": str(phone.install_id), "community_id": None, "schema_version": 1, "server_epoch": None}
        answer = phone.call("pull", {**body, "limit": 500, "scopes": [{"id": scope, "cursor": None}]})
        net.answer("POST /sync/v1/pull", answer)


def _paths(story: Story, rule: Rule) -> Iterator[str]:
    path = rule.rule
    for name in rule.arguments:
        fitting = story.ids.get(name, {"version": "1", "key": "hazards_found"}.get(name, str(uuid4())))
        start = path.index("<")
        path = path[:start] + fitting + path[path.index(">") + 1 :]
    yield path


def ask_wrongly(app: Flask, story: Story, person: Person, net: Net) -> None:
    """Calls that are refused, with the canaries wherever something can be typed."""
    client, dirty = app.test_client(), f"{NAME} {PHONE} {ID_NUMBER}"
    for rule, guard in rules(app):
        if guard is None:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for path in _paths(story, rule):
                asked = f"{path}?cursor={dirty}&limit={dirty}&reason={dirty}&state={dirty}"
                for body in ({dirty: dirty, "reason": [dirty], "id": dirty, "name": {dirty: 1}}, [dirty], dirty):
                    body = None if method == "GET" else body
                    headers = {**person.headers, "If-Match": "x", "Accept-Language": "en"}
                    answer = client.open(asked, method=method, json=body, headers=headers)
                    if answer.status_code >= 300:
                        net.answer(f"{method} {rule.rule} refused", answer)
    for path in (f"/{NAME}", f"/api/v1/places/{NAME}", f"/api/v1/tasks/{PHONE}", f"/api/v1/forms/{NAME}/1"):
        net.answer("unknown path", client.get(path, headers=person.headers))
    login = {"username": NAME, "password": PHONE, "install_id": str(uuid4()), "device_name": dirty}
    net.answer("login", client.post("/sync/v1/auth/login", json=login))
    net.answer("no json", client.post("/api/v1/persons/search", data=dirty.encode(), headers=person.headers))


def rows_at_rest(sweep: Sweep, net: Net) -> None:
    """Every row of every table, as somebody with a copy of the database but without the secret sees it."""
    with sweep.db.transaction([sweep.community_id]) as session:
        for name in sorted(metadata().tables):
            for (row,) in session.execute(text(f'SELECT t::text FROM "{name}" t')):
                net.take(f"table {name}", row)
