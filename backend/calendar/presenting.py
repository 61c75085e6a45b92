"""A year of the calendar in the shape of the API."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.calendar.models import CalendarChange, CalendarDay
from backend.calendar.queries import (
    NationalDays,
    day_number,
    list_changes,
    list_days,
    load_working_days,
    official_years,
)


def no_calendar_mark(year: int) -> dict[str, str]:
    """What is said of a year whose holidays nobody has told yet."""
    return {
        "zh": f"尚无 {year} 年官方放假安排，暂按周末推算。",
        "en": f"There is no official calendar for {year} yet; weekends are all that is known.",
    }


def calendar_year(session: Session, community_id: UUID, year: int, now_ms: int) -> dict[str, Any]:
    """The year as it counts for what is found at ``now_ms``."""
    calendar = load_working_days(session, community_id, NationalDays())
    national = {row.day: row for row in list_days(session, year) if row.effective_from_ms <= now_ms}
    changes = list_changes(session, community_id, year)
    own = {row.day: row for row in changes if row.effective_from_ms <= now_ms}
    days = []
    for day in sorted({*national, *own}):
        said: CalendarDay | CalendarChange | None = own.get(day)
        source = "community"
        if said is None or said.works is None:
            said, source = national.get(day), "nation"
        if said is not None:
            days.append({"day": day, "works": said.works, "name": said.name, "source": source})
    official = bool(official_years(session, community_id, [year]))
    first, after = day_number(date(year, 1, 1)), day_number(date(year + 1, 1, 1))
    return {
        "year": year,
        "official": official,
        "mark": None if official else no_calendar_mark(year),
        "working_days": sum(calendar.works(now_ms, day) for day in range(first, after)),
        "days": days,
        "changes": [change(row) for row in changes],
    }


def change(row: CalendarChange) -> dict[str, Any]:
    """The community's own word on a day."""
    names = ("id", "day", "works", "name", "effective_from_ms")
    return {name: getattr(row, name) for name in names}
