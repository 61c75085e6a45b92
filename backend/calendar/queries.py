"""Reads of the calendar."""

from collections.abc import Iterable, Mapping
from datetime import date
from threading import Lock
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.calendar.models import CalendarChange, CalendarDay
from backend.calendar.working_days import DayFact, WorkingDays, by_day

EPOCH: Final = date(1970, 1, 1).toordinal()


class NationalDays:
    """The nation's facts as this process knows them: read again only when there are more. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._by_day: Mapping[int, list[DayFact]] = {}

    def by_day(self, session: Session) -> Mapping[int, list[DayFact]]:
        """Facts by day, in the order in which they count. Facts are never changed, so their number tells."""
        count = session.scalar(select(func.count()).select_from(CalendarDay)) or 0
        with self._lock:
            if count != self._count:
                rows = session.scalars(select(CalendarDay)).all()
                self._by_day, self._count = by_day(map(fact_of, rows)), len(rows)
            return self._by_day


def load_working_days(session: Session, community_id: UUID, national: NationalDays) -> WorkingDays:
    """The community's calendar as of all facts there are now."""
    own = session.scalars(select(CalendarChange).where(CalendarChange.community_id == community_id))
    return WorkingDays(dict(national.by_day(session)), by_day(map(fact_of, own)))


def fact_of(row: CalendarDay | CalendarChange) -> DayFact:
    return DayFact(row.effective_from_ms, str(row.id), day_number(row.day), row.works)


def day_number(day: date) -> int:
    """A day counted from 1970-01-01."""
    return day.toordinal() - EPOCH


def day_of(number: int) -> date:
    return date.fromordinal(number + EPOCH)


def official_years(session: Session, community_id: UUID | None, years: Iterable[int]) -> set[int]:
    """Those of ``years`` whose holidays are known: from a release, or from a year's file."""
    wanted = set(years)
    national = select(func.extract("year", CalendarDay.day)).distinct()
    found = {int(year) for year in session.scalars(national)}
    if community_id is not None:
        own = select(func.extract("year", CalendarChange.day)).where(
            CalendarChange.community_id == community_id, CalendarChange.source == "file"
        )
        found |= {int(year) for year in session.scalars(own.distinct())}
    return wanted & found


def list_days(session: Session, year: int) -> list[CalendarDay]:
    """The nation's facts about the days of a year, oldest first."""
    found = select(CalendarDay).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
    return list(session.scalars(found.order_by(CalendarDay.effective_from_ms, CalendarDay.id)))


def list_changes(session: Session, community_id: UUID, year: int) -> list[CalendarChange]:
    """The community's own facts about the days of a year, oldest first."""
    found = select(CalendarChange).where(
        CalendarChange.community_id == community_id,
        CalendarChange.day.between(date(year, 1, 1), date(year, 12, 31)),
    )
    return list(session.scalars(found.order_by(CalendarChange.effective_from_ms, CalendarChange.id)))
