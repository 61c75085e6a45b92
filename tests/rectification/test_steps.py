"""Steps at the console: who may take which, on which revision, and what is kept of a refused one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from backend import clock
from backend.hazards.lifecycle import STEP_KINDS
from backend.rectification.schemas_steps import STEP_SCHEMAS
from tests.factories.records import CHARGING_EBIKE
from tests.factories.sweeps import DAY_MS, PARTY, PHOTO, Person, Sweep, assignment

KEPT = ("task_step", "record_key", "step_outcome", "transition", "sync_change", "audit_event")


def done(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json or {})


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    body = dict(answer.json or {})
    assert (answer.status_code, body.get("code")) == (status, code), body
    return body


def to_review(sweep: Sweep, head: Person, worker: Person, days_ago: float = 2) -> Any:
    """A task that the worker reported as put right; with the hazard's id."""
    hazard = sweep.hazard(sweep.tree.households[0], days_ago)
    done(head.take("assign", hazard))
    done(worker.take("accept", hazard, refusal_witness="邻居田大禾"))
    done(worker.take("submit", hazard, note="已移走"))
    return hazard


def test_every_step_of_the_table_has_an_endpoint_and_fields(sweep: Sweep) -> None:
    assert set(STEP_SCHEMAS) == set(STEP_KINDS)
    rules = {rule.rule for rule in sweep.app.url_map.iter_rules()}
    assert {f"/api/v1/tasks/<uuid:hazard_id>/{kind}" for kind in STEP_KINDS} <= rules


def test_task_from_found_to_struck_off(sweep: Sweep) -> None:
    place, grid = sweep.tree.households[0], sweep.tree.grids[0]
    head, worker = sweep.person("grid_head", grid), sweep.person("grid_worker", grid)
    hazard = sweep.hazard(place)
    task = head.task(hazard)
    assert (task["state"], task["may"], worker.task(hazard)["may"]) == ("registered", ["assign"], [])
    assert sweep.person("committee").task(hazard)["may"] == ["assign", "void", "refer"]
    assigned = done(head.take("assign", hazard, assignee_account_id=str(worker.account.id)))
    assert assigned["state"] == "assigned"
    assert assigned["assignee"] == {"id": str(worker.account.id), "name": "石小满"}
    assert worker.task(hazard)["may"] == ["accept"]
    assert done(worker.take("accept", hazard))["state"] == "fixing"
    assert done(worker.take("submit", hazard, note="已移走", photos=[PHOTO]))["state"] == "review"
    revisit = sweep.clear(place)
    seen = [v["visit_id"] for v in head.task(hazard)["history"]["visits"]]
    assert str(revisit) in seen
    closed = done(head.take("close", hazard, revisit_id=str(revisit), basis=seen, note="复查合格"))
    assert (closed["state"], closed["may"], closed["overdue"]) == ("closed", ["undo"], False)
    assert [t["step"] for t in closed["history"]["transitions"]] == ["register", "assign", "accept", "submit", "close"]
    assert [s["applied"] for s in closed["history"]["steps"]] == [True] * 4
    assert closed["number"].startswith("福泉-ebike_charging-")


def test_answer_carries_the_revision_that_the_next_step_must_name(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    read = head.get(f"/tasks/{hazard}")
    assert read.headers["ETag"] == f'"{read.json["rev"]}"'
    taken = head.take("assign", hazard)
    assert done(taken)["rev"] > read.json["rev"]
    assert taken.headers["ETag"] == f'"{taken.json["rev"]}"'


@pytest.mark.parametrize("named", [None, "*", "7", 'W/"1"', '"x"', '"1", "2"'])
def test_step_without_one_revision_is_refused(sweep: Sweep, named: str | None) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    headers = {} if named is None else {"If-Match": named}
    refused(head.post(f"/tasks/{hazard}/assign", assignment(), **headers), 428, "revision_required")


def test_step_on_an_old_revision_names_the_present_one(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    old = head.task(hazard)["rev"]
    now = done(head.take("assign", hazard))["rev"]
    before = sweep.counts(*KEPT)
    assert refused(head.take("assign", hazard, rev=old), 412, "task_changed")["rev"] == now
    assert sweep.counts(*KEPT) == before


def test_two_supervisors_at_once_only_one_is_heard(sweep: Sweep) -> None:
    heads = [sweep.person("grid_head"), sweep.person("safety_officer")]
    for household in sweep.tree.households:
        hazard = sweep.hazard(household)
        rev, gate = heads[0].task(hazard)["rev"], Barrier(2)

        def assign(head: Person, hazard: Any = hazard, rev: int = rev, gate: Barrier = gate) -> int:
            gate.wait()
            return int(head.take("assign", hazard, rev=rev).status_code)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(assign, heads)) == [200, 412]
        assert len(heads[0].task(hazard)["history"]["steps"]) == 1


def test_submitter_may_not_close(sweep: Sweep) -> None:
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = to_review(sweep, head, worker)
    done(head.take("return", hazard, reason="照片不清"))
    done(head.take("submit", hazard, note="已处理"))
    revisit = sweep.clear(sweep.tree.households[0])
    assert "close" not in head.task(hazard)["may"]
    answer = refused(head.take("close", hazard, revisit_id=str(revisit)), 409, "step_not_applied")
    assert answer["reason"] == "submitter_may_not_close"
    other = sweep.person("grid_head")
    assert "close" in other.task(hazard)["may"]
    assert done(other.take("close", hazard, revisit_id=str(revisit)))["state"] == "closed"


def test_closer_is_who_the_rule_names(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head, officer, worker = (sweep.person(role) for role in ("grid_head", "safety_officer", "grid_worker"))
    hazard = sweep.hazard(place, answers=CHARGING_EBIKE)
    task = head.task(hazard)
    assert (task["severity"], task["severity_label"]["zh"], task["closers"]) == ("red", "疑似重大", ["safety_officer"])
    done(head.take("assign", hazard, severity="red"))
    done(worker.take("accept", hazard))
    done(worker.take("submit", hazard))
    revisit = str(sweep.clear(place))
    assert "close" not in head.task(hazard)["may"]
    assert refused(head.take("close", hazard, revisit_id=revisit), 409, "step_not_applied")["reason"] == (
        "closer_not_permitted"
    )
    refused(worker.take("close", hazard, revisit_id=revisit), 403, "permission_denied")
    assert done(officer.take("close", hazard, revisit_id=revisit))["state"] == "closed"


def test_closing_needs_a_revisit_that_saw_it_gone(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = to_review(sweep, head, worker)
    still_there = sweep.visit(place)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "revisit_missing"),
        ({"revisit_id": str(uuid4())}, "revisit_unknown"),
        ({"revisit_id": str(still_there)}, "revisit_not_absent"),
    )
    for body, reason in wrong:
        before = sweep.counts(*KEPT)
        answer = refused(head.take("close", hazard, **body), 409, "step_not_applied")
        assert answer["reason"] == reason
        assert sweep.counts(*KEPT) == before
    assert head.task(hazard)["contradicted"] is True
    # The fix of it all: a new look, with the contradicting one in the basis.
    assert done(head.take("close", hazard, revisit_id=str(sweep.clear(place))))["state"] == "closed"


def test_closing_over_a_later_sighting_needs_it_in_the_basis(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = to_review(sweep, head, worker)
    revisit, again = str(sweep.clear(place)), str(sweep.visit(place))
    answer = refused(head.take("close", hazard, revisit_id=revisit), 409, "step_not_applied")
    assert answer["reason"] == "contradicted"
    assert done(head.take("close", hazard, revisit_id=revisit, basis=[again]))["state"] == "closed"


def test_return_leads_back_to_fixing_with_a_new_deadline(sweep: Sweep) -> None:
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = to_review(sweep, head, worker)
    due = clock.now_ms() + 9 * DAY_MS
    task = done(head.take("return", hazard, reason="未整改到位", deadline_ms=due))
    assert (task["state"], task["deadline"]["ms"]) == ("fixing", due)
    assert task["history"]["steps"][-1]["content"]["reason"] == "未整改到位"


def test_proposal_nobody_was_assigned_returns_to_registered(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head")
    hazard = sweep.hazard(place)
    sweep.clear(place)
    assert head.task(hazard)["state"] == "review"
    assert done(head.take("return", hazard, reason="再看一次"))["state"] == "registered"


def test_void_is_for_the_safety_officer_before_assignment(sweep: Sweep) -> None:
    first, second = sweep.tree.households[:2]
    head, officer = sweep.person("grid_head"), sweep.person("safety_officer")
    double, hazard = sweep.hazard(first), sweep.hazard(second)
    refused(head.take("void", double, reason="误报"), 403, "permission_denied")
    task = done(officer.take("void", double, reason="重复登记", duplicate_of=str(hazard)))
    assert (task["state"], task["void_reason"], task["duplicate_of"]) == ("void", "重复登记", str(hazard))
    done(officer.take("assign", hazard))
    assert refused(officer.take("void", hazard, reason="误报"), 409, "step_not_applied")["reason"] == "wrong_state"


def test_refused_step_stores_nothing(sweep: Sweep) -> None:
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = sweep.hazard(sweep.tree.households[0])
    before, rev = sweep.counts(*KEPT), head.task(hazard)["rev"]
    answer = refused(worker.take("accept", hazard), 409, "step_not_applied")
    assert (answer["reason"], "不能执行" in answer["detail"]) == ("wrong_state", True)
    assert sweep.counts(*KEPT) == before
    assert head.task(hazard)["rev"] == rev


def test_undoing_what_was_never_done_is_refused(sweep: Sweep) -> None:
    """A return, a closing or an undo where nothing was done stores nothing."""
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    before = sweep.counts(*KEPT)
    said: tuple[tuple[str, dict[str, Any]], ...] = (("return", {"reason": "退回"}), ("close", {}))
    for kind, body in said:
        answer = refused(head.take(kind, hazard, **body), 409, "step_not_applied")
        assert answer["reason"] == "wrong_state"
    answer = refused(head.take("undo", hazard, undoes=str(uuid4())), 409, "step_not_applied")
    assert answer["reason"] == "nothing_to_undo"
    assert sweep.counts(*KEPT) == before


def test_assigning_a_stranger_is_refused(sweep: Sweep, app: Any, db: Any) -> None:
    from tests.factories.sweeps import make_sweep

    elsewhere = make_sweep(app, db).person("grid_worker")
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    answer = head.take("assign", hazard, assignee_account_id=str(elsewhere.account.id))
    refused(answer, 422, "assignee_unknown")


@pytest.mark.parametrize(
    "wrong",
    [
        {"responsible_party": " "},
        {"responsible_party": "甲" * 201},
        {"measures": "\x00"},
        {"deadline_ms": -1},
        {"deadline_ms": 2**53 - 1},
        {"deadline_ms": "明天"},
        {"severity": "purple"},
        {"assignee_account_id": "nobody"},
        {"unknown": 1},
    ],
)
def test_step_with_a_wrong_field_points_at_it(sweep: Sweep, wrong: dict[str, Any]) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    answer = refused(head.take("assign", hazard, **wrong), 422, "invalid_input")
    assert [e["pointer"].split("/")[1] for e in answer["errors"]] == list(wrong)


def test_reassigning_replaces_the_party_and_keeps_both_steps(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    assert done(head.take("assign", hazard))["responsible_party"] == PARTY
    task = done(head.take("assign", hazard, responsible_party="李秀英"))
    assert task["responsible_party"] == "李秀英"
    assert [s["content"]["responsible_party"] for s in task["history"]["steps"]] == [PARTY, "李秀英"]
