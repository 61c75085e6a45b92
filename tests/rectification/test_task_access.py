"""P6 for tasks: nobody sees or does anything outside their places, and names of persons are masked by role."""

from typing import Any
from uuid import uuid4

import pytest

from backend.app import create_app
from backend.db import Database
from backend.places.models import Place
from backend.rectification import queries, task_details
from tests.factories.identity import give_role, sign_in
from tests.factories.sweeps import MEASURES, PARTY, Person, Sweep, assignment, make_sweep


def reachable(person: Person, hazard: Any) -> set[str]:
    """In which ways a person gets at a task of somebody else's grid."""
    found = set()
    if any(task["id"] == str(hazard) for task in person.get("/tasks").json["items"]):
        found.add("list")
    if person.get(f"/tasks/{hazard}").status_code == 200:
        found.add("read")
    if person.post(f"/tasks/{hazard}/assign", assignment(), **{"If-Match": '"1"'}).status_code not in (403, 404):
        found.add("step")
    if person.get("/work-orders").json["items"]:
        found.add("orders")
    return found


def test_grid_head_of_another_grid_sees_and_does_nothing(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = sweep.tree.grids
    hazard = sweep.hazard(sweep.tree.households[0])
    stranger = sweep.person("grid_head", other)
    assert reachable(stranger, hazard) == set()
    assert stranger.get(f"/places/{sweep.tree.households[0]}/dossier").status_code == 404
    assert reachable(sweep.person("grid_head", own), hazard) == {"list", "read", "step", "orders"}
    # The twin: a query that forgets the scope is caught.
    with monkeypatch.context() as broken:
        broken.setattr(queries, "in_scope", lambda scope: Place.id.is_not(None))
        # Stepping is refused all the same: the role must be held at the place.
        assert reachable(stranger, hazard) == {"list", "read"}


def test_task_of_another_community_does_not_exist(sweep: Sweep, app: Any, db: Database) -> None:
    hazard = sweep.hazard(sweep.tree.households[0])
    stranger = make_sweep(app, db).person("committee")
    assert stranger.get(f"/tasks/{hazard}").status_code == 404
    assert stranger.post(f"/tasks/{hazard}/assign", assignment(), **{"If-Match": '"1"'}).status_code == 404
    assert stranger.get("/tasks").json["items"] == []
    assert stranger.get(f"/tasks/{uuid4()}").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "grid_worker", "district", "administrator"])
def test_role_without_the_permission_may_not_assign(sweep: Sweep, role: str) -> None:
    hazard = sweep.hazard(sweep.tree.households[0])
    person = sweep.person(role)
    assert person.task(hazard)["may"] == []
    assert person.take("assign", hazard).status_code == 403
    assert person.get("/work-orders").status_code == 403


def test_step_is_taken_in_the_role_held_at_the_place(sweep: Sweep) -> None:
    """Head of one grid, safety officer of the other: at home only the head's powers count."""
    own, other = sweep.tree.grids
    person = sweep.person("grid_head", own)
    give_role(sweep.db, person.account, sweep.community_id, "safety_officer", other)
    person = Person(sweep.app, person.account, sign_in(sweep.app.test_client(), person.account))
    here, there = sweep.hazard(sweep.tree.households[0]), sweep.hazard(sweep.tree.households[2])
    assert person.task(here)["may"] == ["assign"]
    assert person.task(there)["may"] == ["assign", "void"]
    assert person.take("assign", here).json["history"]["steps"][0]["actor_role"] == "grid_head"
    assert person.take("assign", there).json["history"]["steps"][0]["actor_role"] == "safety_officer"
    assert person.post(f"/tasks/{here}/void", {"reason": "误报"}, **{"If-Match": '"1"'}).status_code == 404


def masked_for(sweep: Sweep, person: Person, hazard: Any) -> tuple[str, str, str]:
    task = person.task(hazard)
    return task["responsible_party"], task["measures"], task["history"]["steps"][0]["content"]["responsible_party"]


def test_persons_are_masked_but_for_who_assigns_or_has_the_task(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    head, mine, colleague, viewer = (
        sweep.person(role) for role in ("grid_head", "grid_worker", "grid_worker", "viewer")
    )
    hazard = sweep.hazard(sweep.tree.households[0])
    head.take("assign", hazard, assignee_account_id=str(mine.account.id))
    shown, hidden = (PARTY, MEASURES, PARTY), ("王*", "移走车辆，电话138****8000", "王*")
    assert [masked_for(sweep, person, hazard) for person in (head, mine)] == [shown, shown]
    assert [masked_for(sweep, person, hazard) for person in (colleague, viewer)] == [hidden, hidden]
    with monkeypatch.context() as broken:
        broken.setattr(task_details, "sees_persons", lambda *_: True)
        assert masked_for(sweep, viewer, hazard) != hidden


def test_masked_step_leaves_out_texts_it_cannot_mask(sweep: Sweep) -> None:
    body = {"kind": "close", "hazard_id": "x", "note": "致电13912345678", "named_by_a_later_version": "王建国"}
    assert task_details.shown_body(body, (), False) == {"note": "致电139****5678"}
    assert task_details.shown_body(body, (), True) == {
        "note": "致电13912345678",
        "named_by_a_later_version": "王建国",
    }
    assert task_details.shown_body(None, (), True) is None


def test_sealed_columns_hold_no_name(sweep: Sweep) -> None:
    """What a step says is nowhere in the clear: not in any column of the community's rows about tasks."""
    from sqlalchemy import text

    head = sweep.person("grid_head")
    head.take("assign", sweep.hazard(sweep.tree.households[0]))
    draft = head.get("/work-orders").json["items"][0]
    key = {"building_id": draft["building"]["id"], "responsible_party_key": draft["responsible_party_key"]}
    assert head.post("/work-orders/issue", {**key, "closer": draft["closer"]}).status_code == 201
    with sweep.db.transaction([sweep.community_id]) as session:
        for table in ("task_step", "rectification_task", "issued_order", "issued_order_item", "audit_event"):
            rows = session.execute(text(f"SELECT t::text, encode(convert_to(t::text, 'UTF8'), 'hex') FROM {table} t"))
            dump = "".join(row[0] + row[1] for row in rows)
            assert PARTY not in dump
            assert PARTY.encode().hex() not in dump


def test_api_describes_the_revision_header(sweep: Sweep) -> None:
    api: Any = create_app(sweep.runtime.settings, sweep.db).test_client().get("/api/openapi.json").json
    operation = api["paths"]["/api/v1/tasks/{hazard_id}/assign"]["post"]
    assert "If-Match" in {parameter.get("name") for parameter in operation["parameters"]}
    assert "requestBody" in operation
