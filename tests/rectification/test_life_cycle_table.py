"""The life cycle against the running API: every cell of state × step × role, right and wrong ones."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from backend import clock
from backend.db import Database
from backend.hazards.lifecycle import STATES, STEP_KINDS
from backend.identity.permissions import PERMISSIONS, ROLES
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, PHOTO, Person, assignment, make_sweep

#: domain: life cycle. From where a step may be taken, where it leads, and by whom (of an orange hazard that the grid
#: head closes); written down here once more, so that the table in the code is held against something.
LEADS = {"grid_head", "safety_officer", "committee"}
FIELD, ABOVE = LEADS | {"grid_worker"}, {"street", "department"}
Cell = tuple[str, Mapping[str, str], set[str]]
TOLD: Mapping[str, Cell] = {
    "assign": ("registered assigned", {"registered": "assigned", "assigned": "assigned"}, LEADS),
    "accept": ("assigned", {"assigned": "fixing"}, FIELD),
    "submit": ("fixing", {"fixing": "review"}, FIELD),
    "close": ("review", {"review": "closed"}, LEADS | {"street"}),
    "return": ("review", {"review": "fixing"}, LEADS | ABOVE),
    "void": ("registered", {"registered": "void"}, {"safety_officer", "committee"}),
    "extend": ("fixing", {"fixing": "fixing"}, {"committee", "street"}),
    "refer": ("registered assigned fixing review", {}, {"committee"}),
    "chase": ("referred", {"referred": "referred"}, LEADS),
    "feedback": ("referred", {"referred": "review"}, ABOVE),
    "relapse": ("closed", {"closed": "fixing"}, FIELD | {"street"}),
    "reassign": ("assigned fixing review referred", {}, LEADS),
}
#: The steps by which a hazard is brought into a state.
WAYS: Mapping[str, tuple[str, ...]] = {
    "registered": (),
    "assigned": ("assign",),
    "fixing": ("assign", "accept"),
    "review": ("assign", "accept", "submit"),
    "closed": ("assign", "accept", "submit", "close"),
    "referred": ("assign", "refer"),
    "void": ("void",),
}


class Walk:
    """A community with somebody of every role, and a household for every hazard."""

    def __init__(self, app: Flask, db: Database) -> None:
        self.sweep = make_sweep(app, db, grids=1, households=60)
        self.people: dict[str, Person] = {role: self.sweep.person(role) for role in ROLES}
        self.other = self.sweep.person("grid_worker").account.id
        self.places = iter(self.sweep.tree.households)
        self.revisit: UUID | None = None

    def hazard(self, state: str) -> UUID:
        """A new hazard in the state, brought there by phones' steps; ``revisit`` saw it gone when it is in review."""
        place, sweep, start = next(self.places), self.sweep, clock.now_ms() - DAY_MS
        hazard = sweep.hazard_id(place)
        sweep.put(visit_body(place, [block("ebike_charging", place, PARKED_EBIKE)]), start)
        gone = visit_body(place, [block("ebike_charging", place, CLEAR_EBIKE)])
        self.revisit = sweep.put(gone, start + 10) if "submit" in WAYS[state] else None
        for n, kind in enumerate(WAYS[state], 1):
            step = {"hazard_id": str(hazard), "place_id": str(place), "kind": kind, **self.body(kind)}
            at = start + n if kind != "close" else start + 20
            sweep.put({"step": step}, at, author_id=uuid4(), role="committee", install_id=uuid4())
        sweep.compile(place)
        return hazard

    def body(self, kind: str) -> dict[str, Any]:
        """What the step needs."""
        says: dict[str, dict[str, Any]] = {
            "assign": assignment(assignee_account_id=str(self.other)),
            "accept": {"refusal_witness": "田大禾"},
            "submit": {"photos": [PHOTO]},
            "close": {
                "revisit_id": self.revisit and str(self.revisit),
                "evidence": [{"kind": "ph", "attachments": [PHOTO]}],
            },
            "return": {"reason": "未到位"},
            "void": {"reason": "误报"},
            "extend": {"reason": "材料未到", "interim": "看守", "deadline_ms": clock.now_ms() + 30 * DAY_MS},
            "refer": {"recipient": "区住建局", "letter": "函", "pack": [PHOTO]},
            "chase": {"note": "电话催办"},
            "feedback": {"outcome": "已查处", "attachments": [PHOTO]},
            "relapse": {"photos": [PHOTO]},
            "reassign": {"assignee_account_id": str(self.other), "reason": "离岗"},
            "undo": {"undoes": str(uuid4())},
        }
        return says[kind]


def test_table_told_here_covers_the_table_of_the_code() -> None:
    assert set(TOLD) == set(STEP_KINDS) - {"undo"}
    assert set(WAYS) == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_every_step_by_every_role_from_this_state(app: Flask, db: Database, state: str) -> None:
    check_state(Walk(app, db), state, TOLD)


def check_state(walk: Walk, state: str, told: Mapping[str, Cell]) -> None:
    hazard = walk.hazard(state)
    for kind, (starts, leads, roles) in told.items():
        for role in ROLES:
            answer = walk.people[role].take(kind, hazard, **walk.body(kind))
            why = (state, kind, role, answer.get_data(as_text=True))
            if role in roles and state in starts.split():
                assert answer.status_code == 200, why
                assert answer.json["state"] == leads.get(state, "referred" if kind == "refer" else state), why
                hazard = walk.hazard(state)
            elif f"task.{kind}" not in PERMISSIONS[role]:
                assert (answer.status_code, role in roles) == (403, False), why
            else:
                assert answer.status_code == 409, why
                assert answer.json["reason"] in ("wrong_state", "closer_not_permitted"), why


def test_check_catches_a_role_too_many(app: Flask, db: Database) -> None:
    broken = {"void": ("registered", {"registered": "void"}, {"grid_head", "safety_officer", "committee"})}
    with pytest.raises(AssertionError):
        check_state(Walk(app, db), "registered", broken)
