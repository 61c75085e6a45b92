"""Work orders: drafts are a view of what is assigned; an issued one is numbered, frozen and sealed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backend import clock
from mobile_contract.rules import hazard_id
from tests.factories.records import CHARGING_EBIKE, CLEAR_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, MEASURES, PARTY, Person, Sweep


def drafts(person: Person, **query: Any) -> list[dict[str, Any]]:
    answer = person.get("/work-orders", **query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.json["items"])


def issue(person: Person, draft: dict[str, Any]) -> Any:
    key = {"building_id": draft["building"]["id"], "responsible_party_key": draft["responsible_party_key"]}
    return person.post("/work-orders/issue", {**key, "closer": draft["closer"]})


def test_drafts_group_by_building_party_and_closer(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    first, second, third, fourth = sweep.tree.households
    for household in (first, second, third):
        head.take("assign", sweep.hazard(household))
    grave = sweep.hazard(fourth, answers=CHARGING_EBIKE)
    head.take("assign", grave, severity="red")
    sizes = sorted((d["building"]["id"], d["closer"], len(d["tasks"])) for d in drafts(head))
    one, two = map(str, sweep.tree.buildings)
    assert sizes == sorted([(one, "grid_head", 2), (two, "grid_head", 1), (two, "safety_officer", 1)])
    assert {d["responsible_party"] for d in drafts(head)} == {PARTY}
    head.take("assign", sweep.hazard_id(second), responsible_party="李秀英")
    assert len(drafts(head)) == 4


#: A charging station whose power does not cut off: the article behind EBC-07 speaks of high-rise buildings only.
STATION = {**CLEAR_EBIKE, "place": "station", "auto_cutoff": "no", "fire_gear": "yes", "separated": "yes"}


@pytest.mark.parametrize(("building_class", "law"), [("high_res", 1), ("low", 0)])
def test_order_prints_an_article_only_where_its_condition_holds(sweep: Sweep, building_class: str, law: int) -> None:
    head, place = sweep.person("grid_head"), sweep.tree.households[0]
    answers = {**STATION, "building_class": building_class}
    sweep.visit(place, answers, clock.now_ms() - DAY_MS)
    hazard = hazard_id(sweep.community_id, place, "EBC-07", "STATION/3")
    head.take("assign", hazard)
    (draft,) = drafts(head)
    (item,) = issue(head, draft).json["snapshot"]["items"]
    assert len(item["law"]) == law
    (rule,) = head.task(hazard)["rule_details"]
    assert [basis["is_law"] for basis in rule["basis"]] == [law == 1]
    # A visit that sees it gone tells nothing new about the building's class.
    sweep.visit(place, {**answers, "auto_cutoff": "yes", "building_class": "high_res"})
    (rule,) = head.task(hazard)["rule_details"]
    assert [basis["is_law"] for basis in rule["basis"]] == [law == 1]


def test_order_judges_an_article_by_the_answers_of_its_own_locus(sweep: Sweep) -> None:
    head, place = sweep.person("grid_head"), sweep.tree.households[0]
    high = {**STATION, "building_class": "high_res"}
    low = {**STATION, "building_class": "low", "floor_label": "4"}
    sweep.put(visit_body(place, [block("ebike_charging", place, answers) for answers in (low, high)]))
    sweep.compile(place)
    for locus, is_law in (("STATION/3", True), ("STATION/4", False)):
        (rule,) = head.task(hazard_id(sweep.community_id, place, "EBC-07", locus))["rule_details"]
        assert [basis["is_law"] for basis in rule["basis"]] == [is_law]


def test_unassigned_and_accepted_tasks_are_in_no_draft(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    assert drafts(head) == []
    head.take("assign", hazard)
    assert len(drafts(head)) == 1
    head.take("accept", hazard)
    assert drafts(head) == []


def test_issuing_freezes_the_draft_and_empties_it(sweep: Sweep) -> None:
    head = sweep.person("grid_head", name="何大山")
    place = sweep.tree.households[0]
    hazard = sweep.hazard(place)
    head.take("assign", hazard)
    (draft,) = drafts(head)
    answer = issue(head, draft)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    order = answer.json
    year = clock.local_day(clock.now_ms()).year
    assert order["number"] == f"福泉-JB-{year}-0001"
    assert (order["issued_by"]["name"], order["tasks"]) == ("何大山", 1)
    snapshot = order["snapshot"]
    (item,) = snapshot["items"]
    assert (snapshot["responsible_party"], item["measures"]) == (PARTY, MEASURES)
    assert (item["hazard_id"], item["place"]["id"]) == (str(hazard), str(place))
    assert [ground[:5] for ground in item["law"]] == ["《高层民用"]
    assert drafts(head) == []
    assert issue(head, draft).json["code"] == "work_order_empty"
    # What happens to the task later does not touch what was handed over.
    head.take("assign", hazard, responsible_party="李秀英")
    assert head.get(f"/work-orders/issued/{order['id']}").json["snapshot"] == snapshot


def test_task_assigned_anew_belongs_on_a_new_order(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    head.take("assign", hazard)
    first = issue(head, drafts(head)[0]).json
    head.take("assign", hazard, measures="三日内安装充电桩")
    (draft,) = drafts(head)
    second = issue(head, draft).json
    assert (first["number"][-4:], second["number"][-4:]) == ("0001", "0002")
    listed = head.get("/work-orders/issued").json["items"]
    assert [order["id"] for order in listed] == [second["id"], first["id"]]


def test_refused_issue_uses_no_number(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    head.take("assign", sweep.hazard(sweep.tree.households[0]))
    (draft,) = drafts(head)
    assert issue(head, {**draft, "closer": "committee"}).json["code"] == "work_order_empty"
    assert issue(head, {**draft, "responsible_party_key": "0" * 64}).json["code"] == "work_order_empty"
    assert issue(head, {**draft, "building": {"id": str(uuid4())}}).json["code"] == "work_order_empty"
    assert issue(head, draft).json["number"].endswith("-0001")


def test_two_who_issue_one_draft_at_once_make_one_order(sweep: Sweep) -> None:
    heads = [sweep.person("grid_head"), sweep.person("committee")]
    for household in sweep.tree.households:
        heads[0].take("assign", sweep.hazard(household))
    for draft in drafts(heads[0]):
        gate = Barrier(2)

        def attempt(head: Person, draft: dict[str, Any] = draft, gate: Barrier = gate) -> int:
            gate.wait()
            return int(issue(head, draft).status_code)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(attempt, heads)) == [201, 409]
    numbers = [order["number"][-4:] for order in heads[0].get("/work-orders/issued").json["items"]]
    assert numbers == ["0002", "0001"]
    assert sweep.counts("issued_order", "issued_order_item") == {"issued_order": 2, "issued_order_item": 4}


def test_orders_end_at_the_callers_places(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    for household in sweep.tree.households:
        committee.take("assign", sweep.hazard(household))
    head = sweep.person("grid_head", sweep.tree.grids[0])
    (own,) = drafts(head)
    (other,) = [d for d in drafts(committee) if d["building"]["id"] != own["building"]["id"]]
    assert issue(head, other).json["code"] == "work_order_empty"
    order = issue(committee, other).json
    assert head.get(f"/work-orders/issued/{order['id']}").status_code == 404
    assert head.get("/work-orders/issued").json["items"] == []
    assert committee.get("/work-orders/issued").json["items"] != []
    for role in ("grid_worker", "viewer", "department"):
        assert sweep.person(role).get("/work-orders/issued").status_code == 403


def test_drafts_page_without_gap(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    for n, household in enumerate(sweep.tree.households):
        head.take("assign", sweep.hazard(household), responsible_party=f"住户{n}")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = head.get("/work-orders", limit=1, **cursor).json
        found += [task["id"] for draft in page["items"] for task in draft["tasks"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(found) == sorted(str(sweep.hazard_id(h)) for h in sweep.tree.households)


@pytest.mark.parametrize(
    "wrong", [{"building_id": "x"}, {"responsible_party_key": "王建国"}, {"closer": "king"}, {"extra": 1}]
)
def test_issue_with_a_wrong_field_is_refused(sweep: Sweep, wrong: dict[str, Any]) -> None:
    body = {"building_id": str(uuid4()), "responsible_party_key": "0" * 64, "closer": "grid_head", **wrong}
    assert sweep.person("grid_head").post("/work-orders/issue", body).status_code == 422


def test_erased_order_keeps_its_number(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    head.take("assign", sweep.hazard(sweep.tree.households[0]))
    order = issue(head, drafts(head)[0]).json
    with sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("DELETE FROM record_key WHERE record_id = :id"), {"id": order["id"]})
    found = head.get(f"/work-orders/issued/{order['id']}").json
    assert (found["number"], found["snapshot"]) == (order["number"], None)
