"""Rounds and time slots by Shanghai's calendar."""

from datetime import date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend import clock
from backend.campaigns.rounds import CADENCES, round_at, rounds_of, slot_of


def ms(day: date) -> int:
    return clock.day_start_ms(day)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


def test_cut_period_by_month_gives_calendar_months() -> None:
    found = rounds_of("monthly", ms(date(2026, 11, 20)), ms(date(2027, 2, 1)), 0, None)
    assert [(r.n, clock.local_day(r.from_ms), clock.local_day(r.to_ms)) for r in found] == [
        (1, date(2026, 11, 20), date(2026, 12, 1)),
        (2, date(2026, 12, 1), date(2027, 1, 1)),
        (3, date(2027, 1, 1), date(2027, 2, 1)),
    ]


def test_cut_period_by_week_gives_weeks_from_monday() -> None:
    found = rounds_of("weekly", ms(date(2026, 11, 20)), ms(date(2026, 11, 28)), 0, None)
    assert [clock.local_day(r.from_ms) for r in found] == [date(2026, 11, 20), date(2026, 11, 23)]


@given(
    st.sampled_from(CADENCES),
    st.integers(0, 800),
    st.integers(1, 400),
    st.integers(-10, 500),
    st.none() | st.integers(0, 500),
)
def test_cut_period_anyhow_leaves_no_gap(cadence: str, first: int, days: int, started: int, ended: int | None) -> None:
    """Rounds follow each other without gap or overlap, from the one that runs at the start to the end."""
    starts = ms(date(2026, 1, 1)) + first * clock.DAY_MS
    ends, started_ms = starts + days * clock.DAY_MS, starts + started * clock.DAY_MS
    ended_ms = None if ended is None else max(started_ms, starts) + ended * clock.DAY_MS
    found = rounds_of(cadence, starts, ends, started_ms, ended_ms)
    assert all(one.from_ms < one.to_ms for one in found)
    assert all(one.to_ms == other.from_ms and one.n + 1 == other.n for one, other in pairwise(found))
    if found:
        assert found[-1].to_ms == min(ends, ends if ended_ms is None else ended_ms)
        assert found[0].from_ms <= max(started_ms, starts)
        now = round_at(found, found[-1].to_ms)
        assert now == found[-1]
        assert round_at(found, found[0].from_ms - 1) == found[0]


def test_knock_at_different_hours_and_days_is_in_different_slots() -> None:
    times = ["2026-11-20T09:00", "2026-11-20T12:00", "2026-11-20T18:00", "2026-11-21T09:00", "2026-11-22T12:30"]
    assert len({slot_of(at(time)) for time in times}) == 5
    assert slot_of(at("2026-11-19T11:59")) == slot_of(at("2026-11-20T00:00")) == "weekday morning"
    assert slot_of(at("2026-11-22T19:00")) == "weekend evening"
