"""Roster import: every bad row is named, all rows or none, and the same file twice changes nothing."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xlsxwriter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import Database
from backend.places.errors import RosterColumnMissing, RosterTooLong, RosterUnreadable
from backend.places.models import Place, PlaceEvent
from backend.places.queries import find_by_code
from backend.places.roster import RosterReport, import_roster
from backend.places.roster_columns import COLUMNS
from backend.places.roster_file import read_roster
from backend.places.roster_template import EXAMPLES, roster_template
from backend.places.service import record_place_events
from tests.factories.identity import make_community
from tests.factories.places import moved, proposed

HEADINGS = [column.heading for column in COLUMNS]
Lines = list[list[Any]]
GOOD: Lines = [list(line) for line in EXAMPLES]


def xlsx(lines: Lines, headings: list[str] = HEADINGS) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for row, line in enumerate([headings, *lines]):
        for column, value in enumerate(line):
            if hasattr(value, "year"):
                sheet.write_datetime(row, column, value, day)
            elif isinstance(value, str):
                sheet.write_string(row, column, value)
            else:
                sheet.write(row, column, value)
    book.close()
    return out.getvalue()


def csv_text(lines: Lines, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([HEADINGS, *lines])
    return out.getvalue()


def bring(session: Session, community_id: UUID, lines: Lines, now_ms: int = 1000) -> RosterReport:
    return import_roster(session, community_id, xlsx(lines), "名册.xlsx", None, now_ms, False)


def counts(report: RosterReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.moved, report.unchanged


def events_of(session: Session, community_id: UUID) -> int:
    return session.scalars(
        select(func.count()).select_from(PlaceEvent).where(PlaceEvent.community_id == community_id)
    ).one()


def line(code: str, kind: str, name: str, parent: str, *rest: Any) -> list[Any]:
    return [code, kind, name, parent, *rest, *[""] * (5 - len(rest))]


def test_import_template_examples_twice_second_changes_nothing(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        assert counts(bring(session, community_id, GOOD)) == (len(GOOD), 0, 0, 0)
    with db.transaction([community_id]) as session:
        before = events_of(session, community_id)
        report = bring(session, community_id, GOOD, 2000)
        assert counts(report) == (0, 0, 0, len(GOOD))
        assert (report.imported, report.errors) == (True, [])
        assert events_of(session, community_id) == before == len(GOOD) + 1
        building = find_by_code(session, community_id, "fq-03")
        assert building is not None
        assert (building.latitude, building.datum, building.accuracy_m) == (25.79, "wgs84", 10.0)
        assert building.address["building"] == "3"
        home = session.scalars(select(Place).where(Place.name == "501室")).one()
        assert (home.building_id, home.origin) == (building.id, "registered")


def test_import_edited_file_renames_and_moves(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        bring(session, community_id, GOOD)
        edited = [list(row) for row in GOOD]
        edited[2][2], edited[2][5], edited[3][3] = "3号楼", "25.800000", "FQ-X1"
        edited.append(line("", "网格", "第二网格", ""))
        report = bring(session, community_id, edited, 2000)
        assert counts(report) == (1, 1, 1, len(GOOD) - 2)
        kinds = session.scalars(select(PlaceEvent.kind).where(PlaceEvent.effective_ms == 2000)).all()
        assert sorted(kinds) == ["moved", "registered", "registered"]
        building, unit = (find_by_code(session, community_id, c) for c in ("FQ-03", "FQ-03-2"))
        assert building is not None
        assert unit is not None
        assert (building.name, building.latitude, building.rev) == ("3号楼", 25.8, 2)
        assert unit.building_id is None
        assert counts(bring(session, community_id, edited, 3000)) == (0, 0, 0, len(GOOD) + 1)


def test_import_door_found_in_field_is_the_same_door(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        bring(session, community_id, GOOD)
        unit = find_by_code(session, community_id, "FQ-03-2")
        assert unit is not None
        door = proposed(UUID(int=5), "household", "502室", unit.id)
        record_place_events(session, community_id, [door])
        same = [*GOOD, line("", "户", "502室", "FQ-03-2")]
        assert counts(bring(session, community_id, same)) == (0, 0, 0, len(GOOD) + 1)
        code = session.get_one(Place, (community_id, door.place_id)).field_code
        coded = [*GOOD, line(code.lower(), "户", "502", "FQ-03-2")]
        assert counts(bring(session, community_id, coded, 2000)) == (0, 1, 0, len(GOOD))


def test_import_after_office_moved_a_place_moves_it_back(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        bring(session, community_id, GOOD)
        unit, estate = (find_by_code(session, community_id, c) for c in ("FQ-03-2", "FQ-X1"))
        assert unit is not None
        assert estate is not None
        record_place_events(session, community_id, [moved(unit.id, estate.id, 1500)])
        assert counts(bring(session, community_id, GOOD, 2000)) == (0, 0, 1, len(GOOD) - 1)


BAD: list[tuple[list[Any], str, str]] = [
    (line("A1", "楼", "", "G"), "名称", "row_name_missing"),
    (line("A2", "", "甲", "G"), "类型", "row_kind_missing"),
    (line("A3", "城堡", "甲", "G"), "类型", "row_kind_unknown"),
    (line("A4", "社区", "甲", "G"), "类型", "row_kind_root"),
    (line("A 5!", "楼栋", "甲", "G"), "编码", "row_code_invalid"),
    (line("G", "楼栋", "乙", "G"), "编码", "row_code_twice"),
    (line("A6", "楼栋", "甲", ""), "上级编码", "row_parent_missing"),
    (line("A7", "楼栋", "甲", "nowhere"), "上级编码", "row_parent_unknown"),
    (line("A8", "网格", "甲", "B"), "上级编码", "row_parent_wrong"),
    (line("A9", "楼栋", "甲", "G", "", "25.79", "113.03"), "坐标系", "row_datum_missing"),
    (line("A10", "楼栋", "甲", "G", "", "25.79", "113.03", "", "大概"), "坐标系", "row_datum_unknown"),
    (line("A11", "楼栋", "甲", "G", "", "25.79", "", "", "WGS84"), "经度", "row_location_half"),
    (line("A12", "楼栋", "甲", "G", "", "", "", "", "WGS84"), "纬度", "row_location_half"),
    (line("A13", "楼栋", "甲", "G", "", "113.03", "25.79", "", "WGS84"), "纬度", "row_location_abroad"),
    (line("A14", "楼栋", "甲", "G", "", "北", "113.03", "", "WGS84"), "纬度", "row_number_bad"),
    (line("A15", "楼栋", "甲", "G", "", "25.79", "113.03", "-3", "WGS84"), "精度(米)", "row_number_bad"),
    (line("A16", "楼栋", "x" * 201, "G"), "名称", "row_too_long"),
    (line("A17", "楼栋", "a\u202eb", "G"), "名称", "row_text_bad"),
    (line("", "户", "101", "B"), "名称", "row_twice"),
    (line("OLD", "单元", "老", "G"), "类型", "row_kind_changed"),
]


def test_check_roster_lists_every_bad_row_and_imports_nothing(db: Database) -> None:
    community_id = make_community(db)
    base = [line("G", "网格", "一", ""), line("B", "楼栋", "1栋", "G"), line("", "户", "101", "B")]
    with db.transaction([community_id]) as session:
        bring(session, community_id, [line("", "网格", "旧", ""), line("OG", "网格", "旧二", "")])
        bring(session, community_id, [line("OLD", "楼栋", "老", "OG")])
        before = events_of(session, community_id)
        report = bring(session, community_id, base + [row for row, _, _ in BAD])
        found = {(e["row"], e["column"], e["code"]) for e in report.as_dict()["errors"]}
        assert found == {(i, column, code) for i, (_, column, code) in enumerate(BAD, start=5)}
        assert report.bad_rows == len(BAD)
        assert not report.imported
        assert events_of(session, community_id) == before
        for error in report.as_dict()["errors"]:
            assert error["zh"] != error["code"] != error["en"]
            assert "{" not in error["zh"] + error["en"]


def test_check_cell_that_became_a_date_is_named(db: Database) -> None:
    from datetime import datetime

    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        report = bring(session, community_id, [line("G", "网格", "一", ""), [datetime(2026, 3, 2), "楼栋", "1", "G"]])
        assert [(e.row, e.column, e.code) for e in report.errors] == [(3, "code", "row_cell_is_date")]


def test_dry_run_counts_and_changes_nothing(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        report = import_roster(session, community_id, xlsx(GOOD), None, None, 1000, True)
        assert (counts(report), report.imported) == ((len(GOOD), 0, 0, 0), False)
        assert events_of(session, community_id) == 0


def test_import_parent_after_child_and_numbers_as_codes(db: Database) -> None:
    community_id = make_community(db)
    lines = [[101, "楼栋", 1, 1, "", 25.79, 113.03, 5, "gcj-02"], [1, "网格", "一", "", "", "", "", "", ""]]
    with db.transaction([community_id]) as session:
        assert counts(bring(session, community_id, lines)) == (2, 0, 0, 0)
        place = find_by_code(session, community_id, "101")
        assert place is not None
        assert (place.name, place.datum) == ("1", "gcj02")


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_read_csv_in_any_usual_coding_gives_the_same_rows(coding: str, delimiter: str) -> None:
    content = csv_text([*GOOD, line("FQ-喆", "楼栋", "𠮷祥楼", "FQ-G1")], delimiter).encode(coding)
    rows = read_roster(content)
    assert [row.number for row in rows] == list(range(2, 9))
    assert rows[-1].cells["name"] == "𠮷祥楼"
    assert rows[:-1] == read_roster(xlsx(GOOD))


def test_read_blank_rows_are_skipped_and_numbers_kept() -> None:
    rows = read_roster(xlsx([line("G", "网格", "一", ""), [""] * 9, line("H", "网格", "二", "")]))
    assert [row.number for row in rows] == [2, 4]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 broken", b"\x80\xff\xff"])
def test_read_broken_file_is_refused(content: bytes) -> None:
    with pytest.raises(RosterUnreadable):
        read_roster(content)


def test_read_lone_cell_far_out_is_refused() -> None:
    with pytest.raises(RosterUnreadable):
        read_roster(xlsx([["", "", *[""] * 60, "x"]]))
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet().write_string(1_000_000, 0, "x")
    book.close()
    with pytest.raises(RosterTooLong):
        read_roster(out.getvalue())


@pytest.mark.parametrize("reference", [b'r ="XFD90000"', b"r= 'XFD90000'", b'r="&#88;FD90000"'])
def test_read_lone_cell_however_it_is_written_is_refused(reference: bytes) -> None:
    """The reader would fill the rectangle up to it, and run out of memory."""
    content, out = xlsx([line("G", "网格", "一", "")]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            part = old.read(entry)
            if b"<sheetData>" in part:
                part = part.replace(b"</sheetData>", b"<row><c " + reference + b"><v>1</v></c></row></sheetData>")
                assert reference in part
            new.writestr(entry.filename, part)
    with pytest.raises((RosterUnreadable, RosterTooLong)):
        read_roster(out.getvalue())


def test_read_missing_columns_are_named() -> None:
    with pytest.raises(RosterColumnMissing) as refused:
        read_roster("编码,名称\nA,一\n".encode())
    assert refused.value.details == {"columns": "类型、上级编码"}


def test_template_is_empty_and_its_headings_are_understood(tmp_path: Path) -> None:
    assert read_roster(roster_template()) == []


def test_import_twenty_thousand_rows_in_one_transaction(db: Database) -> None:
    community_id = make_community(db)
    lines = [line("G", "网格", "一", "")]
    for b in range(100):
        lines.append(line(f"B{b}", "楼栋", f"{b}栋", "G", f"槐荫路{b}号"))
        lines += [line("", "户", f"{h}室", f"B{b}", f"槐荫路{b}号{h}室") for h in range(199)]
    content = csv_text(lines).encode()
    with db.transaction([community_id]) as session:
        report = import_roster(session, community_id, content, "a.csv", None, 1000, False)
        assert counts(report) == (20_001, 0, 0, 0)
        placed = select(func.count()).select_from(Place).where(Place.community_id == community_id)
        assert session.scalar(placed) == 20_002
