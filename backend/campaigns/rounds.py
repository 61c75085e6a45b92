"""The rounds of a campaign and the time slots of attempts. Pure; the calendar is Shanghai's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from backend import clock

#: How often every door is due: once in the period, or in each calendar week (from Monday) or month of it.
CADENCES: Final = ("once", "weekly", "monthly")
NOON, EVENING, SATURDAY = 12, 18, 5


@dataclass(frozen=True, slots=True)
class Round:
    """The ``n``-th round (from 1): visits in ``[from_ms, to_ms)`` count in it."""

    n: int
    from_ms: int
    to_ms: int


def rounds_of(cadence: str, starts_ms: int, ends_ms: int, started_ms: int, ended_ms: int | None) -> tuple[Round, ...]:
    """The rounds of a started campaign. One that was over before the start asks nobody; an early end cuts the last."""
    until = ends_ms if ended_ms is None else min(ends_ms, ended_ms)
    found: list[Round] = []
    n, from_ms = 0, starts_ms
    while from_ms < ends_ms:
        n, to_ms = n + 1, min(_next_ms(cadence, from_ms, ends_ms), ends_ms)
        if to_ms > started_ms and from_ms < until:
            found.append(Round(n, from_ms, min(to_ms, until)))
        from_ms = to_ms
    return tuple(found)


def round_at(rounds: tuple[Round, ...], at_ms: int) -> Round | None:
    """The round that runs at ``at_ms``: before the first one that, after the last one the last."""
    begun = [one for one in rounds if one.from_ms <= at_ms]
    return begun[-1] if begun else rounds[0] if rounds else None


def _next_ms(cadence: str, from_ms: int, ends_ms: int) -> int:
    day = clock.local_day(from_ms)
    if cadence == "weekly":
        return clock.day_start_ms(day + timedelta(days=7 - day.weekday()))
    if cadence == "monthly":
        return clock.day_start_ms(date(day.year + day.month // 12, day.month % 12 + 1, 1))
    return ends_ms


def slot_of(at_ms: int) -> str:
    """In which time slot somebody knocked: morning, afternoon or evening, of a weekday or a weekend.

    Three attempts count as such only in three different slots: who works by day is not at home by day.
    """
    at = datetime.fromtimestamp(at_ms / 1000, clock.SHANGHAI)
    part = "morning" if at.hour < NOON else "afternoon" if at.hour < EVENING else "evening"
    return f"{'weekend' if at.weekday() >= SATURDAY else 'weekday'} {part}"
