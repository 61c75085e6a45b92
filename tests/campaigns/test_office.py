"""The office's API: campaigns from creation to the end, board, doors, matrix, buildings, the resident guard."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend import clock
from backend.hazards.models import Hazard
from backend.places.service import PlaceListeners, record_place_events
from tests.factories.places import proposed
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import Person, Sweep

HOUR = 3_600_000


def today() -> date:
    return clock.local_day(clock.now_ms())


def wanted(**said: Any) -> dict[str, Any]:
    body = {
        "name": "飞线充电专项行动",
        "forms": ["ebike_charging"],
        "kinds": ["household"],
        "first_day": today() - timedelta(days=6),
        "last_day": today() + timedelta(days=6),
    }
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in {**body, **said}.items()}


@pytest.fixture
def committee(sweep: Sweep) -> Person:
    return sweep.person("committee")


def started(committee: Person, **said: Any) -> str:
    """The path of a campaign that was created and started."""
    made = committee.post("/campaigns", wanted(**said))
    assert made.status_code == 201, made.json
    path = f"/campaigns/{made.json['id']}"
    answer = committee.post(f"{path}/start", {})
    assert answer.status_code == 200, answer.json
    return path


def knock(sweep: Sweep, place: UUID, outcome: str = "no_answer", at_ms: int | None = None, visitors: int = 1) -> UUID:
    blocks = [block("ebike_charging", place, CLEAR_EBIKE)] if outcome == "done" else []
    body = visit_body(place, blocks, outcome)
    body["visit"]["header"]["visitors"] = [f"走访人{n}" for n in range(visitors)]
    record = sweep.put(body, at_ms)
    sweep.compile(place)
    return record


def in_three_slots() -> list[int]:
    """A morning, an afternoon and an evening of the days before today."""
    start = clock.day_start_ms(today() - timedelta(days=3))
    return [start + hour * HOUR for hour in (9, 14, 19)]


def test_start_freezes_the_registry_and_later_registrations_do_not_count(sweep: Sweep, committee: Person) -> None:
    made = committee.post("/campaigns", wanted()).json
    assert (made["state"], made["rounds"], made["forms"]) == ("draft", [], {"ebike_charging": ["household"]})
    path = f"/campaigns/{made['id']}"
    assert committee.get(f"{path}/board").json["code"] == "campaign_not_running"
    assert committee.post(f"{path}/start", {}).json["state"] == "running"
    assert committee.post(f"{path}/start", {}).json["code"] == "campaign_already_started"
    unit = sweep.tree.units[0]
    answer = committee.post("/places", {"kind": "household", "parent_id": str(unit), "name": "901室"})
    assert answer.status_code == 201
    board = committee.get(f"{path}/board").json
    assert (board["total"]["target"], board["total"]["base"], board["total"]["found"]) == (4, 4, 0)
    assert [line["target"] for line in board["grids"]] == [2, 2]
    assert board["denominator"] == {"frozen": 4, "found": 0, "merged": 0, "withdrawn": 0, "target": 4}


def test_board_counts_doors_by_grid_with_the_days_visits_and_hazards(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    first, second, third, _ = sweep.tree.households
    sweep.visit(first, PARKED_EBIKE)
    knock(sweep, second)
    knock(sweep, third, "vacant", visitors=2)
    board = committee.get(f"{path}/board").json
    one, other = board["grids"]
    assert (one["settled"], one["outstanding"], one["ratio"]) == (1, 1, 0.5)
    assert (one["states"]["done"], one["states"]["no_answer"], other["states"]["vacant"]) == (1, 1, 1)
    assert (one["visits_today"], one["hazards_today"], other["visits_today"], other["hazards_today"]) == (2, 1, 1, 0)
    assert board["total"]["target"] == board["total"]["settled"] + board["total"]["outstanding"] == 4
    yesterday = committee.get(f"{path}/board", day=(today() - timedelta(days=1)).isoformat()).json
    assert yesterday["total"]["visits_today"] == 0


def test_list_missed_doors_names_each_with_its_reason(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    first, second, third, fourth = sweep.tree.households
    knock(sweep, first, "done")
    knock(sweep, second, "refused")
    knock(sweep, third, "vacant")
    doors = {d["place_id"]: d for d in committee.get(f"{path}/doors", missed="true").json["items"]}
    assert {d: doors[d]["reason"] for d in doors} == {
        str(second): "拒访",
        str(third): "空置待证实（须两名见证或物业确认）",
        str(fourth): "未走访",
    }
    assert doors[str(second)]["whole_name"] == "1栋 1单元 102室"
    page = committee.get(f"{path}/doors", limit=3).json
    rest = committee.get(f"{path}/doors", limit=3, cursor=page["next_cursor"]).json
    assert len({d["place_id"] for d in [*page["items"], *rest["items"]]}) == 4


def test_try_in_three_slots_hands_the_door_to_the_grid_head(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    door, other = sweep.tree.households[:2]
    times = in_three_slots()
    for at_ms in times[:2]:
        knock(sweep, door, at_ms=at_ms)
        knock(sweep, other, at_ms=times[0])
    assert committee.get(f"{path}/doors", for_head="true").json["items"] == []
    knock(sweep, door, at_ms=times[2])
    knock(sweep, other, at_ms=times[0])
    (found,) = committee.get(f"{path}/doors", for_head="true").json["items"]
    assert (found["place_id"], found["attempts"], found["slots"], found["state"]) == (str(door), 3, 3, "no_answer")
    head = sweep.person("grid_head", sweep.tree.grids[1])
    assert head.get(f"{path}/doors", for_head="true").json["items"] == []


def test_count_in_every_campaign_that_contains_the_visit(sweep: Sweep, committee: Person) -> None:
    """A visit names no campaign: place, form and period decide."""
    here, grid = sweep.tree.households[0], str(sweep.tree.grids[0])
    paths = [
        started(committee),
        started(committee, scope=[grid]),
        started(committee, scope=[str(sweep.tree.grids[1])]),
        started(committee, forms=["anti_theft_window"]),
        started(committee, first_day=today() + timedelta(days=1)),
    ]
    knock(sweep, here, "done")
    done = [committee.get(f"{path}/board").json["total"]["states"]["done"] for path in paths]
    assert done == [1, 1, 0, 0, 0]


def test_find_a_door_after_the_start_adds_it(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    door = uuid4()
    fact = proposed(door, "household", "顶楼加建房", sweep.tree.units[0], clock.now_ms())
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [fact], sweep.runtime.part(PlaceListeners))
    sweep.compile(door)
    total = committee.get(f"{path}/board").json["total"]
    assert (total["target"], total["base"], total["found"]) == (5, 4, 1)
    (shown,) = [d for d in committee.get(f"{path}/doors").json["items"] if d["place_id"] == str(door)]
    assert shown["found_in_field"] is True


def test_start_with_rules_takes_only_places_with_such_an_open_hazard(sweep: Sweep, committee: Person) -> None:
    sweep.visit(sweep.tree.households[0], PARKED_EBIKE)
    with sweep.db.transaction([sweep.community_id]) as session:
        (rule, *_) = session.query(Hazard).filter_by(community_id=sweep.community_id).one().rules
    path = started(committee, rules=[rule], cadence="weekly")
    assert committee.get(f"{path}/board").json["total"]["target"] == 1
    empty = committee.post("/campaigns", wanted(rules=["SBH-01"])).json
    assert committee.post(f"/campaigns/{empty['id']}/start", {}).json["code"] == "campaign_empty"


def test_repeat_every_week_asks_each_round_anew(sweep: Sweep, committee: Person) -> None:
    path = started(committee, cadence="weekly", first_day=today(), last_day=today() + timedelta(days=13))
    rounds = committee.get(path).json["rounds"]
    knock(sweep, sweep.tree.households[0], "done")
    boards = [committee.get(f"{path}/board", round=one["n"]).json["total"] for one in rounds]
    assert [b["settled"] for b in boards] == [1, *[0] * (len(rounds) - 1)]
    assert committee.get(f"{path}/board", round=99).json["code"] == "round_unknown"


def test_declare_building_is_approved_only_when_no_door_is_missed(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    building, (first, second) = sweep.tree.buildings[0], sweep.tree.households[:2]
    worker, head = (sweep.person(role, sweep.tree.grids[0]) for role in ("grid_worker", "grid_head"))
    at = f"{path}/buildings/{building}"
    assert head.post(f"{at}/approve", {}).json["code"] == "building_step_out_of_turn"
    knock(sweep, first, "done")
    assert worker.post(f"{at}/declare", {"note": "201室三次未遇"}).json["state"] == "declared"
    assert worker.post(f"{at}/approve", {}).status_code == 403
    refused = head.post(f"{at}/approve", {}).json
    assert (refused["code"], "1 户" in refused["detail"]) == ("building_has_missed_doors", True)
    assert head.post(f"{at}/reopen", {"note": "请再走一次"}).json["state"] == "reopened"
    voided = knock(sweep, second, "done")
    worker.post(f"{at}/declare", {})
    assert head.post(f"{at}/approve", {}).json["state"] == "approved"
    rows = committee.get(f"{path}/buildings").json["items"]
    (row,) = [r for r in rows if r["building"]["id"] == str(building)]
    assert (row["state"], row["contradicted"], row["outstanding"]) == ("approved", False, 0)
    sweep.put({}, clock.now_ms(), voids=voided, record_type="visit")
    sweep.compile(second)
    row = committee.get(at).json
    assert (row["state"], row["contradicted"], row["outstanding"]) == ("approved", True, 1)
    stranger = sweep.person("grid_worker", sweep.tree.grids[1])
    assert stranger.post(f"{at}/declare", {}).json["code"] == "building_not_in_campaign"


def test_matrix_shows_each_door_by_unit_and_floor(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    knock(sweep, sweep.tree.households[0], "done")
    matrix = committee.get(f"{path}/buildings/{sweep.tree.buildings[0]}").json
    (unit,) = matrix["units"]
    assert unit["unit"]["name"] == "1单元"
    assert [(f["floor"], [(d["name"], d["state"]) for d in f["doors"]]) for f in unit["floors"]] == [
        (1, [("101室", "done"), ("102室", "not_visited")])
    ]


def test_end_early_lets_no_later_visit_count(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    first, second = sweep.tree.households[:2]
    before = clock.now_ms()
    knock(sweep, second, "done", at_ms=before + HOUR)
    assert committee.get(f"{path}/board").json["total"]["settled"] == 1
    assert committee.post(f"{path}/end", {}).json["state"] == "over"
    knock(sweep, first, "done", at_ms=before)
    sweep.compile(second)
    assert committee.get(f"{path}/board").json["total"]["settled"] == 1
    assert committee.post(f"{path}/end", {}).json["code"] == "campaign_not_running"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"scope": [str(uuid4())]}, "campaign_scope_unknown"),
        ({"forms": ["self_built_house"]}, "campaign_forms_unfit"),
        ({"kinds": ["household", "grid"]}, "campaign_forms_unfit"),
        ({"forms": ["no_such_form"]}, "campaign_forms_unfit"),
        ({"last_day": "2020-01-01"}, "campaign_period_wrong"),
        ({"first_day": "2030-01-02", "last_day": "2030-01-01"}, "campaign_period_wrong"),
        ({"first_day": "2026-01-01", "last_day": "2029-01-01", "cadence": "weekly"}, "campaign_period_wrong"),
    ],
)
def test_create_campaign_that_cannot_be_is_refused(committee: Person, said: dict[str, Any], code: str) -> None:
    answer = committee.post("/campaigns", wanted(**said))
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_manage_campaigns_is_for_those_who_may(sweep: Sweep, committee: Person) -> None:
    path = started(committee)
    for role, may_read in (("grid_head", True), ("grid_worker", True), ("viewer", False)):
        person = sweep.person(role, sweep.tree.grids[0])
        assert person.post("/campaigns", wanted()).status_code == 403
        assert person.post(f"{path}/end", {}).status_code == 403
        assert (person.get(f"{path}/doors").status_code == 200) is may_read
    worker = sweep.person("grid_worker", sweep.tree.grids[0])
    board = worker.get(f"{path}/board").json
    assert (board["total"]["target"], board["denominator"]) == (2, None)


def test_set_resident_guard_is_kept(sweep: Sweep, committee: Person) -> None:
    assert committee.get("/resident-guard").json["cool_down_days"] == 14
    guard = {"cool_down_days": 30, "quiet_from": "20:00", "quiet_until": "09:00"}
    client = sweep.app.test_client()
    answer = client.put("/api/v1/resident-guard", json=guard, headers=committee.headers)
    assert answer.json == committee.get("/resident-guard").json == guard
    wrong = client.put("/api/v1/resident-guard", json={**guard, "quiet_from": "25:00"}, headers=committee.headers)
    assert wrong.status_code == 422


def test_statement_names_every_missed_door_and_why(sweep: Sweep, committee: Person) -> None:
    path = started(committee, kinds=["household", "building"])
    first, second, third, fourth = sweep.tree.households
    knock(sweep, first, "done")
    knock(sweep, second, "refused")
    for building in sweep.tree.buildings:
        knock(sweep, building, "done")
    merged = committee.post(f"/places/{fourth}/merge", {"into_id": str(third)})
    assert merged.status_code < 300, merged.json
    sweep.compile(third, fourth)
    page = committee.get(f"{path}/statement.html")
    text = page.get_data(as_text=True)
    assert page.mimetype == "text/html"
    assert "应查5处，已完成3处（已查3处、空置0处、不适用0处），未完成2处，完成率60.0%" in text
    assert "楼栋：应查2处，完成2处，未完成0处，不漏一栋。" in text
    assert "户：应查3处，完成1处，未完成2处。" in text
    assert "不落一户" not in text
    assert "启动时冻结6处，现场新增0处，合并减少1处，撤回0处，应查5处" in text
    missed = text.partition("二、未完成名单及原因")[2]
    assert "<td>1栋 1单元 102室</td>" in missed
    assert "拒访" in missed
    assert "未走访" in missed
    assert "已合并" in missed
    worker = sweep.person("grid_worker", sweep.tree.grids[0])
    own = worker.get(f"{path}/statement.html").get_data(as_text=True)
    assert "本页只含您负责范围内的情况" in own
    assert "第2网格" not in own
