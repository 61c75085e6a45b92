"""The calendar over HTTP: reading a year, a day of one's own, a year's file, and what is folded again."""

import io
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import xlsxwriter
from sqlalchemy import text

from backend import clock
from backend.calendar import national
from backend.calendar.queries import day_number, day_of
from backend.clock import SHANGHAI
from backend.commands.installation import publish_calendar
from backend.rectification.rebuild import check
from mobile_contract.rules import hazard_id
from mobile_contract.rules.deadlines import local_day_of
from tests.factories.records import block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep

WANTED = text("SELECT subject FROM job WHERE kind = 'compile' AND community_id = :c AND done < wanted")


def ms(day: date, hour: int = 10) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI).timestamp() * 1000)


def wanted(sweep: Sweep) -> set[UUID]:
    with sweep.db.transaction([sweep.community_id]) as session:
        return {UUID(subject) for subject in session.scalars(WANTED, {"c": sweep.community_id})}


def work(sweep: Sweep) -> None:
    sweep.compile(*wanted(sweep))
    with sweep.db.transaction() as session:
        done = "UPDATE job SET done = wanted WHERE kind = 'compile' AND community_id = :c"
        session.execute(text(done), {"c": sweep.community_id})


def loose_cage(sweep: Sweep, place: UUID, day: date) -> UUID:
    """A hazard that is yellow and due in seven days."""
    sweep.put(visit_body(place, [block("anti_theft_window", place, {"loose": "yes"})]), ms(day))
    sweep.compile(place)
    return hazard_id(sweep.community_id, place, "ATW-07", "")


def deadline_of(person: Person, hazard: UUID) -> date:
    return clock.local_day(person.task(hazard)["deadline"]["ms"])


def sheet(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            page.write_datetime(r, c, cell, day) if isinstance(cell, date) else page.write(r, c, cell)
    book.close()
    return out.getvalue()


def send(person: Person, year: int, content: bytes, **query: Any) -> Any:
    path = f"/api/v1/calendar/{year}/import"
    client = person.app.test_client()
    return client.post(path, data=content, query_string=query, content_type="text/csv", headers=person.headers)


def test_read_year_with_official_holidays(sweep: Sweep) -> None:
    year = sweep.person("viewer").get("/calendar/2026").json
    assert year["official"] is True
    assert year["mark"] is None
    assert year["working_days"] == 248
    days = {day["day"]: day for day in year["days"]}
    assert days["2026-10-01"] == {"day": "2026-10-01", "works": False, "name": "国庆节", "source": "nation"}
    assert days["2026-10-10"]["works"] is True


def test_read_year_without_notice_says_so_and_has_weekends(sweep: Sweep) -> None:
    year = max(national.known_years()) + 1
    found = sweep.person("viewer").get(f"/calendar/{year}").json
    assert (found["official"], found["days"]) == (False, [])
    assert str(year) in found["mark"]["zh"]
    assert 255 <= found["working_days"] <= 262
    assert sweep.person("viewer").get("/calendar/1999").status_code == 404


def test_publish_twice_records_nothing_more(sweep: Sweep) -> None:
    before = sweep.counts("calendar_day")
    publish_calendar(sweep.db)
    assert sweep.counts("calendar_day") == before


def test_set_day_from_now_on_moves_nothing_that_was_found_before(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    hazard = loose_cage(sweep, sweep.tree.households[0], clock.local_day(clock.now_ms()))
    due = deadline_of(committee, hazard)
    answer = committee.post("/calendar/days", {"day": due.isoformat(), "works": False, "name": "停电检修"})
    assert answer.status_code == 201, answer.json
    assert wanted(sweep) == set()
    assert deadline_of(committee, hazard) == due
    assert committee.get(f"/calendar/{due.year}").json["changes"][0]["name"] == "停电检修"


def test_set_day_from_before_folds_what_it_moves_and_nothing_else(sweep: Sweep) -> None:
    committee, (home, other) = sweep.person("committee"), sweep.tree.households[:2]
    monday = day_of(local_day_of(clock.now_ms()) // 7 * 7 + 4 - 21)
    assert monday.weekday() == 0
    hazard, later = loose_cage(sweep, home, monday), loose_cage(sweep, other, monday + timedelta(days=14))
    due, kept = deadline_of(committee, hazard), deadline_of(committee, later)
    last = committee.task(later)["registered"]["ms"]
    body = {"day": due.isoformat(), "works": False, "effective_from_ms": ms(monday) - DAY_MS}
    assert due < kept
    assert committee.post("/calendar/days", body).status_code == 201
    assert home in wanted(sweep)
    work(sweep)
    assert deadline_of(committee, hazard) == due + timedelta(days=1)
    assert deadline_of(committee, later) == kept
    assert committee.post("/calendar/days", {**body, "works": None}).status_code == 201
    work(sweep)
    assert deadline_of(committee, hazard) == due
    late = {**body, "day": kept.isoformat(), "effective_from_ms": last - DAY_MS}
    assert committee.post("/calendar/days", late).status_code == 201
    assert wanted(sweep) == {other}
    work(sweep)
    assert check(sweep.runtime, sweep.community_id).differences == {}


def test_assigned_deadline_is_moved_by_no_calendar(sweep: Sweep) -> None:
    head, committee = sweep.person("grid_head"), sweep.person("committee")
    hazard = sweep.hazard(sweep.tree.households[0])
    due = clock.now_ms() + 5 * DAY_MS
    assert head.take("assign", hazard, deadline_ms=due).status_code == 200
    body = {"day": clock.local_day(due).isoformat(), "works": False, "effective_from_ms": 0}
    assert committee.post("/calendar/days", body).status_code == 201
    work(sweep)
    assert committee.task(hazard)["deadline"]["ms"] == due


def test_refuse_change_by_who_may_not(sweep: Sweep) -> None:
    body = {"day": "2027-01-01", "works": False}
    for role in ("viewer", "grid_head", "street"):
        assert sweep.person(role).post("/calendar/days", body).status_code == 403
    grid = sweep.tree.grids[0]
    assert sweep.person("committee", grid).post("/calendar/days", body).status_code == 403


@pytest.mark.parametrize("as_sheet", [True, False])
def test_import_year_and_again_and_corrected(sweep: Sweep, as_sheet: bool) -> None:
    committee = sweep.person("committee")
    rows: list[list[Any]] = [["日期", "安排", "名称"], [date(2027, 1, 1), "休", "元旦"], ["2027/1/2", "放假", "元旦"]]
    rows += [["2027年1月3日", "休", "元旦"], ["2027-01-09", "班", ""]]

    def content() -> bytes:
        text_rows = "\n".join(",".join(map(str, row)) for row in rows).encode("gb18030")
        return sheet(rows) if as_sheet else text_rows

    dry = send(committee, 2027, content(), dry_run=True).json
    assert (dry["imported"], dry["rows"], dry["errors"]) == (False, 4, [])
    first = send(committee, 2027, content()).json
    assert (first["imported"], first["changed"]) == (True, 4)
    assert send(committee, 2027, content()).json["changed"] == 0
    year = committee.get("/calendar/2027").json
    assert (year["official"], len(year["days"])) == (True, 4)
    rows[-1][0] = "2027-01-10"
    assert send(committee, 2027, content()).json["changed"] == 2
    days = [day["day"] for day in committee.get("/calendar/2027").json["days"]]
    assert days == ["2027-01-01", "2027-01-02", "2027-01-03", "2027-01-10"]


def test_import_year_with_bad_rows_names_each_and_takes_in_none(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    rows = ["日期,安排,名称", "2027-01-01,休,元旦", "2027-02-30,休,", "2026-12-31,休,", "2027-01-01,班,"]
    rows += ["2027-01-04,也许,", f"2027-01-05,休,{'长' * 41}"]
    answer = send(committee, 2027, "\n".join(rows).encode())
    assert answer.status_code == 422
    assert answer.json["code"] == "calendar_refused"
    found = [(e["row"], e["column"], e["code"]) for e in answer.json["report"]["errors"]]
    assert found == [
        (3, "日期", "calendar_date_bad"),
        (4, "日期", "calendar_other_year"),
        (5, "日期", "calendar_day_twice"),
        (6, "安排", "calendar_kind_bad"),
        (7, "名称", "calendar_name_bad"),
    ]
    assert committee.get("/calendar/2027").json["days"] == []
    assert send(committee, 2027, b"\x00\xff\x00").json["code"] == "calendar_unreadable"
    assert send(committee, 2027, "日期,名称\n2027-01-01,元旦".encode()).json["code"] == "calendar_unreadable"


def test_day_numbers_count_from_1970() -> None:
    assert day_number(date(1970, 1, 2)) == 1
    assert local_day_of(ms(date(2026, 11, 24))) == day_number(date(2026, 11, 24))
