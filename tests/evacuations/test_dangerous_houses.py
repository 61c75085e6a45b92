"""The dangerous house from its appraisal to its closing: one notice, many households, nobody compelled."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backend import clock
from backend.evacuations import rebuild
from backend.evacuations.queries import has_every_household_left
from backend.places.service import PlaceListeners, record_place_events
from backend.rectification.rebuild import RebuildReport
from backend.sync.feed import area_scope
from backend.sync.feed_entities import FeedEntities
from mobile_contract.rules import hazard_id
from tests.factories.dangerous_houses import House, make_house, notice_to_leave
from tests.factories.notices import served
from tests.factories.places import merged, moved
from tests.factories.sweeps import DAY_MS, Sweep


@pytest.fixture
def house(sweep: Sweep) -> House:
    return make_house(sweep)


def listed(house: House) -> list[str]:
    """The house appraised as D, its two households listed; their ids."""
    house.done("appraised")
    homes = [str(home) for home in house.homes]
    for home in homes:
        house.done("listed", household_id=home, persons=3, contact="李秀英", vulnerable="卧床老人一名")
    return homes


def differences(house: House) -> dict[str, int]:
    report = RebuildReport()
    rebuild.check(house.sweep.runtime, house.sweep.community_id, report)
    return dict(report.differences)


def duties(house: House) -> list[tuple[str, bool]]:
    return [(duty["kind"], duty["overdue"]) for duty in house.officer.get("/dangerous-houses/duties").json["items"]]


def test_house_goes_from_appraisal_to_closing(house: House) -> None:
    first, second = listed(house)
    assert duties(house) == [("issue", False)]
    notice = house.notice()
    printed = "\n".join(notice["text"])
    for said in ("危房劝离通知书", "HZ-2026-018", "等级为D级", "2户6人", "101室（3人）", "下湄桥街道办事处（盖章）"):
        assert said in printed
    assert house.now()["stage"] == "notified"
    for home in (first, second):
        answer = house.officer.post(f"/notices/{notice['id']}/services", served(household_id=home))
        assert answer.status_code == 201, answer.get_data(as_text=True)
    seen = house.now()
    assert (seen["stage"], [h["state"] for h in seen["household_list"]]) == ("served", ["told", "told"])
    house.done("agreed", household_id=first)
    seen = house.done("left", household_id=first, destination="relatives", utilities_off=True, help="搬运")
    assert (seen["households_left"], seen["every_household_left"]) == (1, False)
    seen = house.done("left", household_id=second, destination="shelter")
    assert (seen["stage"], seen["every_household_left"]) == ("emptied", True)
    assert ("cordon", False) in duties(house)
    house.done("cordoned", note="拉警戒线")
    house.done("checked")
    closing = {"ending": "reinforced", "note": "加固完成"}
    assert house.record("closed", by=house.street, **closing).json["reason"] == "still_dangerous"
    assert house.done("appraised", grade="B", report_no="HZ-2026-044")["stage"] == "cleared"
    assert house.record("closed", **closing).status_code == 403
    done = house.done("closed", by=house.street, **closing)
    assert (done["stage"], done["duties"], done["cycle"]) == ("closed", [], 1)
    assert house.done("appraised", grade="C")["cycle"] == 2
    assert differences(house) == {}


def test_refusal_needs_a_second_visit_before_the_report(house: House) -> None:
    home, _ = listed(house)
    house.notice()
    refused = {"household_id": home, "reason": "无处可去"}
    assert house.record("refused", **refused).json["reason"] == "not_told"
    house.done("told", household_id=home)
    house.done("refused", **refused)
    assert ("revisit", False) in duties(house)
    report = {"household_id": home, "to": "下湄桥街道办事处"}
    assert house.record("reported", **report).json["reason"] == "not_revisited"
    house.done("revisited", household_id=home, street="罗长青", police="何大山")
    assert ("report", False) in duties(house)
    seen = house.done("reported", **report)
    assert seen["households_refused"] == 1
    assert not {kind for kind, _ in duties(house)} & {"revisit", "report"}
    house.done("agreed", household_id=home)
    assert house.done("left", household_id=home, destination="rental")["households_left"] == 1


def test_household_that_moved_back_is_found_by_the_daily_look(house: House) -> None:
    first, second = listed(house)
    house.notice()
    now = clock.now_ms()
    # Everything above happened just now; the house was emptied and left alone three days ago.
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        for table, column in (("evacuation_fact", "effective_ms"), ("notice", "issued_ms")):
            session.execute(text(f"UPDATE {table} SET {column} = {column} - :ms"), {"ms": 5 * DAY_MS})
    for home in (first, second):
        house.done("left", household_id=home, destination="rental", at_ms=now - 3 * DAY_MS)
    checks = [duty for duty in house.now()["duties"] if duty["kind"] == "check"]
    assert [duty["overdue"] for duty in checks] == [True, True, False]
    house.done("checked", at_ms=now - 2 * DAY_MS)
    seen = house.done("checked", returned=[second], note="二楼亮灯")
    assert [check["returned"] for check in seen["checks"]] == [False, True]
    assert (seen["stage"], seen["every_household_left"]) == ("notified", False)
    assert [duty["day"] for duty in seen["duties"] if duty["kind"] == "check"] == [checks[1]["day"]]
    assert {h["state"] for h in seen["household_list"]} == {"left", "returned"}
    assert differences(house) == {}


def test_home_that_nobody_listed_keeps_the_evidence_away(house: House) -> None:
    house.done("appraised")
    first, second = map(str, house.homes)
    house.done("listed", household_id=first, persons=0)
    seen = house.now()
    assert (seen["stage"], seen["every_household_left"]) == ("emptied", False)
    assert [place["id"] for place in seen["unlisted"]] == [second]
    house.done("listed", household_id=second, persons=2)
    assert house.now()["stage"] == "appraised"
    house.done("left", household_id=second, destination="relatives")
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        assert has_every_household_left(session, house.sweep.community_id, house.id)
        assert not has_every_household_left(session, house.sweep.community_id, uuid4())


def test_case_names_the_hazards_of_its_house(house: House) -> None:
    house.done("appraised")
    chains = {hazard["chain"]: hazard["hazard_id"] for hazard in house.now()["hazards"]}
    assert chains["SBH-03"] == str(hazard_id(house.sweep.community_id, house.id, "SBH-03", ""))


def test_fact_that_happened_earlier_counts_at_its_own_time(house: House) -> None:
    home, _ = listed(house)
    seen = house.done("told", household_id=home)
    at_ms = seen["facts"][-1]["at"]["ms"]
    assert house.record("left", household_id=home, destination="rental", at_ms=1).json["reason"] == "no_case"
    assert house.record("told", household_id=home, at_ms=at_ms + DAY_MS).json["code"] == "fact_time_wrong"
    assert len(house.now()["facts"]) == len(seen["facts"])


def test_withdrawn_fact_stays_and_no_longer_counts(house: House) -> None:
    home, _ = listed(house)
    worker = house.sweep.person("grid_worker")
    seen = house.done("left", household_id=home, destination="rental")
    left = next(fact["id"] for fact in seen["facts"] if fact["kind"] == "left")
    said = {"fact_id": left, "reason": "记错住户"}
    assert house.record("withdrawn", by=worker, **said).json["reason"] == "not_own"
    seen = house.done("withdrawn", **said)
    assert seen["households_left"] == 0
    assert [fact["reason"]["code"] for fact in seen["facts"] if not fact["applied"]] == ["withdrawn"]
    assert house.record("withdrawn", fact_id=str(uuid4()), reason="不存在").json["reason"] == "fact_unknown"


@pytest.mark.parametrize("kind", ["told", "agreed", "refused", "left", "cordoned", "checked", "listed"])
def test_nothing_applies_without_a_case(house: House, kind: str) -> None:
    more: dict[str, Any] = {"reason": "无"} if kind == "refused" else {}
    more |= {"destination": "rental"} if kind == "left" else {}
    more |= {"persons": 1} if kind == "listed" else {}
    more |= {} if kind in ("cordoned", "checked") else {"household_id": str(house.homes[0])}
    assert house.record(kind, **more).json["reason"] == "no_case"
    assert house.officer.get(f"/dangerous-houses/{house.id}").status_code == 404


def test_household_elsewhere_or_no_house_is_refused(house: House) -> None:
    house.done("appraised")
    stranger = next(h for h in house.sweep.tree.households if h not in house.homes)
    for household in (stranger, uuid4(), house.id):
        answer = house.record("listed", household_id=str(household), persons=1)
        assert answer.json["code"] == "household_elsewhere"
    answer = house.officer.post(f"/dangerous-houses/{house.homes[0]}/cordoned", {})
    assert answer.json["code"] == "no_house"


def test_notice_needs_appraisal_and_households(house: House) -> None:
    path = f"/dangerous-houses/{house.id}/notice"
    assert house.officer.post(path, notice_to_leave()).json["code"] == "nothing_appraised"
    house.done("appraised")
    assert house.officer.post(path, notice_to_leave()).json["code"] == "nothing_appraised"
    house.done("listed", household_id=str(house.homes[0]), persons=1)
    threat = house.officer.post(path, notice_to_leave(utilities="届时将断电断水"))
    assert threat.json["code"] == "notice_wording"
    notice = house.notice()
    assert notice["number"].endswith("01号")
    again = house.notice(replaces=notice["id"], deadline_ms=clock.now_ms() + 2 * DAY_MS)
    assert house.now()["notice_id"] == again["id"]


def test_cases_end_at_the_callers_places_and_hide_persons(house: House) -> None:
    listed(house)
    other = house.sweep.person("safety_officer", house.sweep.tree.grids[1])
    assert other.get(f"/dangerous-houses/{house.id}").status_code == 404
    assert other.get("/dangerous-houses").json["items"] == []
    assert other.get("/dangerous-houses/duties").json["items"] == []
    assert house.record("cordoned", by=other).status_code == 404
    department = house.sweep.person("department").get(f"/dangerous-houses/{house.id}")
    assert department.status_code == 200
    assert not any(secret in department.get_data(as_text=True) for secret in ("李秀英", "卧床"))
    assert house.sweep.person("viewer").get("/dangerous-houses").status_code == 403
    assert house.record("appraised", by=house.sweep.person("grid_worker")).status_code == 403
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        tables = ("evacuation_fact", "evacuation", "evacuation_household", "audit_event", "sync_change")
        stored = "".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
    assert not any(secret in stored for secret in ("李秀英", "卧床", "贯通开裂"))


def place_event(house: House, fact: Any) -> None:
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        listeners = house.sweep.runtime.part(PlaceListeners)
        record_place_events(session, house.sweep.community_id, [fact], listeners)


def test_house_that_moves_or_is_merged_takes_its_case_along(house: House) -> None:
    listed(house)
    grids, buildings = house.sweep.tree.grids, house.sweep.tree.buildings
    place_event(house, moved(house.id, grids[1], clock.now_ms()))
    assert house.now()["grid_id"] == str(grids[1])
    assert differences(house) == {}
    place_event(house, merged(house.id, buildings[1], clock.now_ms() + 1))
    assert house.officer.get(f"/dangerous-houses/{buildings[1]}").json["households"] == 2
    assert house.officer.get(f"/dangerous-houses/{house.id}").status_code == 404
    assert differences(house) == {}


def test_rebuild_restores_what_was_lost(house: House) -> None:
    listed(house)
    before = house.now()
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        session.execute(text("DELETE FROM evacuation_household"))
        session.execute(text("UPDATE evacuation SET stage = 'closed'"))
    assert differences(house) == {"evacuation.changed": 1, "evacuation_household.missing": 2}
    report = RebuildReport()
    rebuild.rebuild(house.sweep.db, house.sweep.runtime, house.sweep.community_id, report)
    assert differences(house) == {}
    assert {**house.now(), "rev": 0} == {**before, "rev": 0}


def feed_of(house: House, entity: str, scope: UUID) -> dict[str, Any]:
    """What a snapshot of an area holds of an entity."""
    found = house.sweep.runtime.part(FeedEntities).find(entity)
    assert found is not None
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        rows = found.after(session, house.sweep.community_id, area_scope(scope), None, 100)
    return {row.id: row.data for row in rows}


def test_feed_tells_the_grid_what_to_serve_and_what_to_look_at(house: House) -> None:
    first, _ = listed(house)
    notice, (here, there) = house.notice(), house.sweep.tree.grids
    assert list(feed_of(house, "notice", here)) == [notice["id"]]
    seen = feed_of(house, "evacuation", here)[str(house.id)]
    assert (seen["stage"], len(seen["households"]), seen["checked_on"]) == ("notified", 2, None)
    assert "李秀英" not in str(seen) + str(feed_of(house, "notice", here))
    house.officer.post(f"/notices/{notice['id']}/services", served(household_id=first))
    assert feed_of(house, "notice", here) == {}
    place_event(house, moved(house.id, there, clock.now_ms()))
    assert feed_of(house, "evacuation", here) == {}
    assert str(house.id) in feed_of(house, "evacuation", there)
