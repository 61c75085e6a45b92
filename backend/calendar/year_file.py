"""A year's file (XLSX, XLS, CSV) into special days: 日期, 安排 (休 or 班), 名称. Every bad row is named, with why."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from backend.calendar.national import SpecialDay
from backend.errors import DomainError
from backend.http.fields import is_line
from backend.http.messages import add_messages, sentence
from backend.places.errors import RosterUnreadable
from backend.places.roster_file import read_table

HEADINGS: Final = {"day": "日期", "works": "安排", "name": "名称"}
_NAMES: Final = {
    "day": ("日期", "date", "day"),
    "works": ("安排", "类型", "休/班", "kind", "type"),
    "name": ("名称", "节日", "说明", "name"),
}
_REST: Final = {"休", "休息", "放假", "假", "holiday", "rest", "off"}
_WORK: Final = {"班", "上班", "补班", "调休", "调休上班", "work", "workday", "on"}
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
#: More days than this are no special days any more.
MAX_ROWS: Final = 366
LONGEST_NAME: Final = 40


class CalendarUnreadable(DomainError):
    """The file is no XLSX or CSV that can be read, or lacks the columns 日期 and 安排."""

    status = 422


class CalendarRefused(DomainError):
    """Rows are wrong, so nothing was imported; ``report`` names each."""

    status = 422


add_messages(
    {
        "calendar_unreadable": (
            "无法读取该文件：第一行须有“日期”“安排”两列（可另有“名称”），请存为 XLSX 或 CSV。",
            "The file cannot be read: row 1 must name 日期 and 安排 (名称 if you like); save it as XLSX or CSV.",
        ),
        "calendar_refused": (
            "有 {bad_rows} 行需要修改，没有导入任何内容。",
            "{bad_rows} rows must be mended; nothing was imported.",
        ),
        "calendar_date_bad": ("“{value}”不是日期，请写成 2027-01-01。", "{value!r} is no date; write 2027-01-01."),
        "calendar_other_year": ("{value} 不在 {year} 年。", "{value} is not in {year}."),
        "calendar_kind_bad": (
            "“{value}”无法识别，请填“休”（放假）或“班”（调休上班）。",
            "{value!r} is not known; write 休 (free) or 班 (worked).",
        ),
        "calendar_name_bad": (
            "名称最多 {longest} 个字，且为一行。",
            "One line of at most {longest} characters.",
        ),
        "calendar_day_twice": ("与第 {other} 行是同一天。", "The same day is in row {other} too."),
        "calendar_too_long": ("一年最多 {longest} 行。", "A year has at most {longest} rows."),
        "calendar_empty": ("没有任何日期。", "There is no day in it."),
    }
)


@dataclass(slots=True)
class YearReport:
    """What an import would do or did. ``changed``: days that are otherwise now; with ``errors`` nothing is imported."""

    year: int
    days: list[SpecialDay] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    changed: int = 0
    imported: bool = False

    def refuse(self, row: int, column: str, code: str, **details: Any) -> None:
        """Name a bad cell. Rows count as spreadsheets do: the headings are row 1."""
        zh, en = (sentence(code, tongue, details) for tongue in ("zh", "en"))
        self.errors.append({"row": row, "column": HEADINGS[column], "code": code, "zh": zh, "en": en})

    def as_dict(self) -> dict[str, Any]:
        return {
            "year": self.year,
            "imported": self.imported,
            "rows": len(self.days),
            "changed": self.changed,
            "bad_rows": len({error["row"] for error in self.errors}),
            "errors": self.errors,
        }


def read_year(content: bytes, year: int) -> YearReport:
    """The special days of ``year`` in a file, or what is wrong with its rows. CalendarUnreadable."""
    try:
        table = read_table(content)
    except RosterUnreadable as error:
        raise CalendarUnreadable from error
    columns = _columns(table[0]) if table else {}
    if not {"day", "works"} <= columns.keys():
        raise CalendarUnreadable
    report = YearReport(year)
    rows = list(_rows(table, columns))
    if not rows:
        report.refuse(2, "day", "calendar_empty")
    if len(rows) > MAX_ROWS:
        report.refuse(MAX_ROWS + 2, "day", "calendar_too_long", longest=MAX_ROWS)
        return report
    first: dict[date, int] = {}
    for number, cells in rows:
        _read_row(report, number, cells, first)
    return report


def _columns(headings: Sequence[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, heading in enumerate(headings):
        said = str(heading).strip().rstrip("*").casefold()
        for key, names in _NAMES.items():
            if said in names:
                found.setdefault(key, at)
    return found


def _rows(table: Sequence[Sequence[Any]], columns: dict[str, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(table[1:], start=2):
        cells = {key: line[at] if at < len(line) else "" for key, at in columns.items()}
        if any(str(value).strip() for value in cells.values()):
            yield number, cells


def _read_row(report: YearReport, number: int, cells: dict[str, Any], first: dict[date, int]) -> None:
    bad = len(report.errors)
    day = _day(cells["day"])
    if day is None:
        report.refuse(number, "day", "calendar_date_bad", value=str(cells["day"])[:40])
    elif day.year != report.year:
        report.refuse(number, "day", "calendar_other_year", value=day.isoformat(), year=report.year)
    elif first.setdefault(day, number) != number:
        report.refuse(number, "day", "calendar_day_twice", other=first[day])
    said = str(cells["works"]).strip().casefold()
    if said not in _REST | _WORK:
        report.refuse(number, "works", "calendar_kind_bad", value=said[:40])
    name = " ".join(str(cells.get("name", "")).split())
    if len(name) > LONGEST_NAME or (name and not is_line(name)):
        report.refuse(number, "name", "calendar_name_bad", longest=LONGEST_NAME)
    if day is not None and len(report.errors) == bad:
        report.days.append(SpecialDay(day, said in _WORK, name))


def _day(cell: Any) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    match = _DATE.fullmatch(str(cell).strip().split(" ")[0])
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
