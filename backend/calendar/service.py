"""Facts about days: what a release knows, a year's file, a single day. Nothing that was said is changed or deleted."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from backend.calendar import national
from backend.calendar.models import CalendarChange, CalendarDay
from backend.calendar.national import SpecialDay
from backend.calendar.queries import day_number, list_changes, list_days
from backend.db import new_id
from mobile_contract.rules.deadlines import is_weekday

LIBRARY, FILE, OFFICE = "library", "file", "office"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def publish_national(session: Session, now_ms: int) -> tuple[set[int], int]:
    """Record the years that this release knows and the database does not; returns their special days (by number) and
    from when they count.

    The first calendar of an installation counts from the beginning; a year that a later release brings counts for what
    is found from ``now_ms`` on: deadlines given before do not move.
    """
    _lock(session, None)
    since_ms = 0 if session.scalar(select(func.count()).select_from(CalendarDay)) == 0 else now_ms
    held = {
        int(year)
        for year in session.scalars(
            select(func.extract("year", CalendarDay.day)).where(CalendarDay.source == LIBRARY).distinct()
        )
    }
    new = [day for year in national.known_years() if year not in held for day in national.special_days(year)]
    _record_national(session, new, LIBRARY, since_ms)
    return {day_number(special.day) for special in new}, since_ms


def import_national_year(session: Session, year: int, days: Iterable[SpecialDay], effective_from_ms: int) -> set[int]:
    """Make ``days`` the special days of ``year`` for the whole nation; returns those that changed, by number.

    What was special before and is not listed becomes an ordinary weekday or weekend day.
    """
    _lock(session, None)
    listed = {special.day: special for special in days}
    held: dict[date, tuple[bool, str]] = {}
    for row in list_days(session, year):
        if row.effective_from_ms <= effective_from_ms:
            held[row.day] = (row.works, row.name)
    dropped = [SpecialDay(day, _is_weekday(day), "") for day in held if day not in listed]
    changed = [
        special
        for special in sorted([*listed.values(), *dropped], key=lambda special: special.day)
        if held.get(special.day) != (special.works, special.name)
    ]
    _record_national(session, changed, FILE, effective_from_ms)
    return {day_number(special.day) for special in changed}


def import_year(
    session: Session,
    community_id: UUID,
    year: int,
    days: Iterable[SpecialDay],
    effective_from_ms: int,
    actor_id: UUID | None,
) -> set[int]:
    """Make ``days`` the community's own special days of ``year``; returns those that changed, by number.

    What an earlier file listed and this one does not is taken back; what the office said of a single day stays. The
    same file twice changes nothing.
    """
    _lock(session, community_id)
    listed = {special.day: special for special in days}
    held: dict[date, CalendarChange] = {}
    for row in list_changes(session, community_id, year):
        if row.effective_from_ms <= effective_from_ms:
            held[row.day] = row
    changed: list[tuple[date, bool | None, str]] = [
        (day, special.works, special.name)
        for day, special in sorted(listed.items())
        if day not in held or (held[day].works, held[day].name) != (special.works, special.name)
    ]
    changed += [
        (day, None, "")
        for day, row in sorted(held.items())
        if day not in listed and row.source == FILE and row.works is not None
    ]
    for day, works, name in changed:
        _record_own(session, community_id, day, works, name, FILE, effective_from_ms, actor_id)
    return {day_number(day) for day, _, _ in changed}


def set_day(
    session: Session,
    community_id: UUID,
    day: date,
    works: bool | None,
    name: str,
    effective_from_ms: int,
    actor_id: UUID | None,
) -> UUID:
    """The community's own word on a day, for what is found from ``effective_from_ms`` on; None takes it back."""
    _lock(session, community_id)
    return _record_own(session, community_id, day, works, name, OFFICE, effective_from_ms, actor_id)


def _record_own(
    session: Session,
    community_id: UUID,
    day: date,
    works: bool | None,
    name: str,
    source: str,
    effective_from_ms: int,
    actor_id: UUID | None,
) -> UUID:
    fact_id = new_id()
    session.execute(
        insert(CalendarChange).values(
            community_id=community_id,
            id=fact_id,
            day=day,
            works=works,
            name=name,
            source=source,
            effective_from_ms=effective_from_ms,
            actor_id=actor_id,
        )
    )
    return fact_id


def _record_national(session: Session, days: Iterable[SpecialDay], source: str, effective_from_ms: int) -> None:
    rows = [
        {
            "id": new_id(),
            "day": special.day,
            "works": special.works,
            "name": special.name,
            "source": source,
            "effective_from_ms": effective_from_ms,
        }
        for special in days
    ]
    if rows:
        session.execute(insert(CalendarDay), rows)


def _is_weekday(day: date) -> bool:
    return is_weekday(day_number(day))


def _lock(session: Session, community_id: UUID | None) -> None:
    """One writer at a time: two imports of one file must not both find that nothing was said yet."""
    session.execute(_LOCK, {"name": f"calendar:{community_id or 'nation'}"})
