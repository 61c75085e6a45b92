"""Extending, referring, undoing, re-checks and handing over, through the API and from phones."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from backend import clock
from backend.rectification import rebuild
from backend.rectification.rechecks import draw
from tests.factories.sweeps import DAY_MS, PHOTO, Person, Sweep
from tests.rectification.test_steps import done, refused, to_review


@pytest.fixture
def people(sweep: Sweep) -> dict[str, Person]:
    return {role: sweep.person(role) for role in ("grid_worker", "grid_head", "committee", "street", "department")}


def fixing(sweep: Sweep, people: dict[str, Person], **assigned: Any) -> UUID:
    hazard = sweep.hazard(sweep.tree.households[0])
    done(people["grid_head"].take("assign", hazard, **assigned))
    done(people["grid_worker"].take("accept", hazard))
    return hazard


def why(answer: Any) -> str:
    return str(refused(answer, 409, "step_not_applied")["reason"])


def test_extend_twice_and_no_more(sweep: Sweep, people: dict[str, Person]) -> None:
    hazard, committee = fixing(sweep, people), people["committee"]
    said = {"reason": "材料未到", "interim": "专人看守"}
    for days in (5, 9):
        task = done(committee.take("extend", hazard, **said, deadline_ms=clock.now_ms() + days * DAY_MS))
    assert (task["extensions"], task["state"], "extend" in task["may"]) == (2, "fixing", False)
    due = clock.now_ms() + 20 * DAY_MS
    assert why(committee.take("extend", hazard, **said, deadline_ms=due)) == "extended_twice"
    refused(committee.post(f"/tasks/{hazard}/extend", {"reason": "x", "deadline_ms": due}), 422, "invalid_input")


def test_extend_of_a_red_one_is_the_streets(sweep: Sweep, people: dict[str, Person]) -> None:
    hazard = fixing(sweep, people, severity="red")
    said = {"reason": "材料未到", "interim": "专人看守", "deadline_ms": clock.now_ms() + 9 * DAY_MS}
    assert why(people["committee"].take("extend", hazard, **said)) == "extender_not_permitted"
    assert done(people["street"].take("extend", hazard, **said))["extensions"] == 1


@pytest.mark.parametrize("lacking", ["funds", "plan"])
def test_red_one_is_not_accepted_without_all_five_measures(
    sweep: Sweep, people: dict[str, Person], lacking: str
) -> None:
    hazard = sweep.hazard(sweep.tree.households[0])
    done(people["grid_head"].take("assign", hazard, severity="red", **{lacking: " "}))
    assert why(people["grid_worker"].take("accept", hazard)) == "five_missing"
    done(people["grid_head"].take("assign", hazard, severity="red"))
    assert done(people["grid_worker"].take("accept", hazard))["state"] == "fixing"


def test_close_needs_the_evidence_of_its_rules(sweep: Sweep, people: dict[str, Person]) -> None:
    head, hazard = people["grid_head"], sweep.hazard(sweep.tree.households[0])
    revisit = str(sweep.clear(sweep.tree.households[0]))
    assert why(head.take("close", hazard, revisit_id=revisit, evidence=[])) == "evidence_missing"
    empty = [{"kind": "ph", "attachments": []}]
    assert why(head.take("close", hazard, revisit_id=revisit, evidence=empty)) == "evidence_missing"
    assert done(head.take("close", hazard, revisit_id=revisit))["state"] == "closed"


def test_refer_chase_and_feedback(sweep: Sweep, people: dict[str, Person]) -> None:
    committee, head, hazard = people["committee"], people["grid_head"], fixing(sweep, people)
    task = done(committee.take("refer", hazard, recipient="区住建局", letter="函〔2026〕7号", pack=[PHOTO]))
    assert (task["state"], task["chase_due"]["ms"] - task["referred"]["ms"]) == ("referred", 7 * DAY_MS)
    assert committee.get("/tasks", chase_due="true").json["items"] == []
    assert len(committee.get("/tasks", chase_due="false").json["items"]) == 1
    # Still watched: a visit that sees it changes nothing of the referral.
    sweep.visit(sweep.tree.households[0])
    task = done(head.take("chase", hazard, note="电话催办，答复本周到场"))
    assert (task["state"], task["chase_due"]["ms"] > task["referred"]["ms"] + 7 * DAY_MS) == ("referred", True)
    task = done(people["department"].take("feedback", hazard, outcome="已查处", attachments=[PHOTO]))
    assert (task["state"], task["referred"]) == ("review", None)


def test_chase_is_due_a_week_after_the_last_letter(sweep: Sweep, people: dict[str, Person]) -> None:
    place = sweep.tree.households[0]
    hazard = sweep.hazard(place, days_ago=20)
    step = {"hazard_id": str(hazard), "place_id": str(place), "recipient": "区住建局", "letter": "函"}
    sweep.put({"step": {**step, "kind": "refer"}}, clock.now_ms() - 8 * DAY_MS, role="committee", author_id=uuid4())
    sweep.compile(place)
    due = people["committee"].get("/tasks", chase_due="true").json["items"]
    assert [task["id"] for task in due] == [str(hazard)]
    done(people["grid_head"].take("chase", hazard, note="催办"))
    assert people["committee"].get("/tasks", chase_due="true").json["items"] == []


def test_undo_ones_own_last_step(sweep: Sweep, people: dict[str, Person]) -> None:
    head, hazard = people["grid_head"], sweep.hazard(sweep.tree.households[0])
    before = head.task(hazard)
    task = done(head.take("assign", hazard))
    assert "undo" in task["may"]
    assert "undo" not in people["committee"].task(hazard)["may"]
    step = task["history"]["steps"][-1]["id"]
    assert why(people["committee"].take("undo", hazard, undoes=step)) == "not_own_step"
    task = done(head.take("undo", hazard, undoes=step, reason="点错了"))
    same = ("state", "severity", "deadline", "assignee", "responsible_party", "steps_not_applied")
    assert {name: task[name] for name in same} == {name: before[name] for name in same}
    assert [(s["kind"], s["applied"], (s["reason"] or {}).get("code")) for s in task["history"]["steps"]] == [
        ("assign", False, "undone"),
        ("undo", True, None),
    ]
    assert head.get("/tasks/steps-not-applied").json["items"] == []
    assert why(head.take("undo", hazard, undoes=step)) == "nothing_to_undo"


def closed(sweep: Sweep, people: dict[str, Person], places: list[UUID]) -> list[UUID]:
    found = []
    for place in places:
        hazard, revisit = sweep.hazard(place), str(sweep.clear(place))
        done(people["committee"].take("close", hazard, revisit_id=revisit))
        found.append(hazard)
    return found


def test_recheck_is_drawn_by_lot_logged_and_shown_until_somebody_looked(
    sweep: Sweep, people: dict[str, Person]
) -> None:
    hazards = closed(sweep, people, sweep.tree.households[:3])
    head = people["grid_head"]
    said = {"closed_from_ms": 0, "closed_to_ms": clock.now_ms() + DAY_MS, "count": 2, "seed": 7}
    answer = head.post("/rechecks", said)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made = answer.json
    assert (made["population_size"], made["seed"], made["reproducible"]) == (3, "7", True)
    assert made["drawn"] == [str(h) for h in draw(7, sorted(hazards), 2)]
    assert set(made["population"]) == set(map(str, hazards))
    assert [d["id"] for d in head.get("/rechecks").json["items"]] == [made["id"]]
    assert head.get(f"/rechecks/{made['id']}").json == made
    sweep.compile(*sweep.tree.households)
    assert {t["id"] for t in head.get("/tasks", recheck="true").json["items"]} == set(made["drawn"])
    assert not rebuild.check(sweep.runtime, sweep.community_id).differences
    first = UUID(made["drawn"][0])
    assert "relapse" in people["grid_worker"].task(first)["may"]
    place = next(p for p in sweep.tree.households if sweep.hazard_id(p) == first)
    sweep.clear(place)
    assert {t["id"] for t in head.get("/tasks", recheck="true").json["items"]} == {made["drawn"][1]}
    refused(people["grid_worker"].post("/rechecks", said), 403, "permission_denied")
    refused(head.post("/rechecks", {**said, "closed_to_ms": 1}), 409, "nothing_to_draw")


def test_recheck_drawn_by_another_is_hidden_from_who_has_a_part_of_the_community(
    sweep: Sweep, people: dict[str, Person]
) -> None:
    closed(sweep, people, sweep.tree.households[:1])
    said = {"closed_from_ms": 0, "closed_to_ms": clock.now_ms() + DAY_MS, "count": 1, "seed": 7}
    made = people["committee"].post("/rechecks", said).json
    elsewhere = sweep.person("grid_head", sweep.tree.grids[1])
    assert elsewhere.get("/rechecks").json["items"] == []
    refused(elsewhere.get(f"/rechecks/{made['id']}"), 404, "recheck_not_found")
    assert people["committee"].get(f"/rechecks/{made['id']}").json == made


def test_relapse_found_on_a_recheck_is_the_next_cycle_of_the_same_number(
    sweep: Sweep, people: dict[str, Person]
) -> None:
    (hazard,) = closed(sweep, people, sweep.tree.households[:1])
    number = people["grid_head"].task(hazard)["number"]
    refused(people["grid_worker"].take("relapse", hazard, photos=[]), 422, "invalid_input")
    task = done(people["grid_worker"].take("relapse", hazard, photos=[PHOTO]))
    assert (task["state"], task["cycle"], task["number"]) == ("fixing", 2, number)


def test_leavers_tasks_go_to_another_in_bulk(sweep: Sweep, people: dict[str, Person]) -> None:
    head, leaver, heir = people["grid_head"], people["grid_worker"], sweep.person("grid_worker")
    hazards = [sweep.hazard(place) for place in sweep.tree.households[:3]]
    for hazard in hazards:
        done(head.take("assign", hazard, assignee_account_id=str(leaver.account.id)))
    ids = {"from_account_id": str(leaver.account.id), "to_account_id": str(heir.account.id), "reason": "离岗"}
    given = done(head.post("/tasks/hand-over", {**ids, "hazard_ids": [str(hazards[0])]}))["given"]
    assert given == [str(hazards[0])]
    assert set(done(head.post("/tasks/hand-over", ids))["given"]) == set(map(str, hazards[1:]))
    assert {head.task(h)["assignee"]["id"] for h in hazards} == {str(heir.account.id)}
    assert done(head.post("/tasks/hand-over", ids))["given"] == []
    assert heir.get("/tasks", assignee="me").json["items"][0]["state"] == "assigned"
    events = people["committee"].get("/audit-events").json
    assert [e["details"]["tasks"] for e in events["items"] if e["action"] == "tasks_handed_over"] == [0, 2, 1]
    refused(leaver.post("/tasks/hand-over", ids), 403, "permission_denied")
    refused(
        head.post("/tasks/hand-over", {**ids, "from_account_id": ids["to_account_id"], "to_account_id": str(uuid4())}),
        422,
        "assignee_unknown",
    )


def test_hand_over_stays_within_the_callers_places(sweep: Sweep, people: dict[str, Person]) -> None:
    head = sweep.person("grid_head", sweep.tree.grids[0])
    leaver, heir = people["grid_worker"], sweep.person("grid_worker")
    hazards = [sweep.hazard(place) for place in sweep.tree.households]
    for hazard in hazards:
        done(people["grid_head"].take("assign", hazard, assignee_account_id=str(leaver.account.id)))
    ids = {"from_account_id": str(leaver.account.id), "to_account_id": str(heir.account.id), "reason": "离岗"}
    own = {str(sweep.hazard_id(p)) for p in sweep.tree.households if sweep.tree.grid_of[p] == sweep.tree.grids[0]}
    assert set(done(head.post("/tasks/hand-over", ids))["given"]) == own


def test_submitter_reports_and_another_confirms_what_was_fixed_on_the_spot(
    sweep: Sweep, people: dict[str, Person]
) -> None:
    """立行立改: photos before and after are evidence enough; who fixed it may not confirm it."""
    from tests.factories.records import PARKED_EBIKE, block, visit_body

    place, head = sweep.tree.households[0], people["grid_head"]
    body = visit_body(place, [block("ebike_charging", place, PARKED_EBIKE, ["EBC-02"])])
    visit = str(sweep.put(body, author_id=head.account.id, role="grid_head"))
    sweep.compile(place)
    hazard = sweep.hazard_id(place)
    assert head.task(hazard)["state"] == "review"
    assert why(head.take("close", hazard, revisit_id=visit, evidence=[])) == "submitter_may_not_close"
    assert done(sweep.person("grid_head").take("close", hazard, revisit_id=visit, evidence=[]))["state"] == "closed"


def test_return_of_a_task_in_review_asks_for_new_evidence(sweep: Sweep, people: dict[str, Person]) -> None:
    head, worker = people["grid_head"], people["grid_worker"]
    hazard = to_review(sweep, head, worker)
    done(head.take("return", hazard, reason="照片不清"))
    revisit = str(sweep.clear(sweep.tree.households[0]))
    assert why(people["committee"].take("close", hazard, revisit_id=revisit, evidence=[])) == "evidence_missing"
