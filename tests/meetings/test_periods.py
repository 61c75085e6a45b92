"""Periods and their numbers, as pure functions."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import day_start_ms
from backend.meetings.periods import KINDS, UnknownPeriodKind, period_at, period_from, period_of

DAYS = st.dates(date(1999, 1, 1), date(2150, 12, 31))


@given(day=DAYS)
def test_numbers_weeks_from_monday_like_iso(day: date) -> None:
    period = period_of("weekly", day)
    assert (period.year, period.issue) == day.isocalendar()[:2]
    assert period.first.isoweekday() == 1
    assert period.first <= day <= period.last == period.first + timedelta(days=6)


@given(kind=st.sampled_from(KINDS), day=DAYS, starts_on=st.integers(1, 7))
def test_covers_every_day_once_with_numbers_that_never_repeat(kind: str, day: date, starts_on: int) -> None:
    period = period_of(kind, day, starts_on)
    assert period.first <= day < period.after
    before, following = period.previous(), period_of(kind, period.after, starts_on)
    assert before.after == period.first
    assert following.first == period.after
    assert following.previous() == period
    numbers = [(p.year, p.issue) for p in (before, period, following)]
    assert numbers == sorted(set(numbers))
    assert period_from(kind, period.start_ms) == period
    for at_ms in (period.start_ms, period.end_ms - 1):
        assert period_at(kind, at_ms, starts_on) == period
    assert period_at(kind, period.end_ms, starts_on) == following


@pytest.mark.parametrize(
    "kind, day, number, slot",
    [
        ("weekly", date(2026, 11, 18), "〔2026〕第47期", "2026-W47"),
        ("weekly", date(2027, 1, 3), "〔2026〕第53期", "2026-W53"),
        ("weekly", date(2027, 1, 4), "〔2027〕第01期", "2027-W01"),
        ("monthly", date(2026, 12, 31), "〔2026〕第12期", "2026-12"),
        ("annual", date(2026, 7, 1), "〔2026〕第01期", "2026"),
    ],
)
def test_prints_number_and_slot(kind: str, day: date, number: str, slot: str) -> None:
    period = period_of(kind, day)
    assert (period.number, period.slot) == (number, slot)


def test_starts_a_week_at_midnight_in_shanghai() -> None:
    assert period_of("weekly", date(2026, 11, 18)).start_ms == day_start_ms(date(2026, 11, 16)) == 1_794_758_400_000


def test_refuses_an_unknown_kind() -> None:
    with pytest.raises(UnknownPeriodKind):
        period_of("daily", date(2026, 1, 1))
