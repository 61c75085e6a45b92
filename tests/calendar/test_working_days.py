"""Which days are worked, and where deadlines end: pure functions, for any facts in any order."""

from collections.abc import Sequence
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.calendar import national
from backend.calendar.queries import day_number, day_of
from backend.calendar.working_days import LONGEST_REST, DayFact, WorkingDays
from mobile_contract.rules import due_at_ms
from mobile_contract.rules.deadlines import day_end_ms, local_day_of
from tests.hazards.judging import due_ms

MONDAY = day_number(date(2026, 11, 2))
HOUR, DAY = 3_600_000, 86_400_000
NOON = day_end_ms(MONDAY) - 12 * HOUR
DUES = ["0", "24h", "1d", "3d", "7d", "15d", "30d", "1wd", "5wd", "10wd"]

facts = st.lists(
    st.builds(
        DayFact,
        effective_from_ms=st.integers(-3, 3).map(lambda n: NOON + n * DAY),
        id=st.uuids().map(str),
        day=st.integers(MONDAY, MONDAY + 40),
        works=st.sampled_from([True, False, False, None]),
    ),
    max_size=30,
    unique_by=lambda fact: fact.id,
)


def plain(told: Sequence[DayFact], own: bool) -> list[dict[str, object]]:
    return [
        {"id": f.id, "day": day_of(f.day).isoformat(), "works": f.works, "from": f.effective_from_ms, "own": own}
        for f in told
    ]


@given(facts, facts, st.sampled_from(DUES), st.sampled_from(["red", "orange", "blue"]), st.integers(0, 20 * DAY))
def test_deadline_any_facts_is_what_the_plain_rule_says(
    nation: list[DayFact], own: list[DayFact], due: str, severity: str, later: int
) -> None:
    nation = [fact for fact in nation if fact.works is not None]
    found_ms = NOON + later
    due_to, strict = WorkingDays.of(nation, own).deadline(due, severity, found_ms, found_ms)
    days = plain(nation, False) + plain(own, True)
    assert due_to == due_ms(due, found_ms, days, found_ms, is_red=severity == "red")
    assert strict == due_ms(due, found_ms, days, found_ms)


@given(facts, st.sampled_from(DUES), st.integers(0, 20 * DAY), st.randoms(use_true_random=False))
def test_deadline_facts_in_any_order_is_the_same_and_rolls_forward_only(
    own: list[DayFact], due: str, later: int, rng: Random
) -> None:
    found_ms = NOON + later
    calendar = WorkingDays.of([], own)
    due_to, strict = calendar.deadline(due, "orange", found_ms, found_ms)
    shuffled = rng.sample(own, len(own))
    assert WorkingDays.of([], shuffled).deadline(due, "orange", found_ms, found_ms) == (due_to, strict)
    assert strict <= due_to <= strict + LONGEST_REST * DAY
    assert calendar.deadline(due, "red", found_ms, found_ms) == (strict, strict)
    if due.endswith("d"):
        assert calendar.works(found_ms, local_day_of(due_to))
        between = range(local_day_of(strict), local_day_of(due_to))
        assert not any(calendar.works(found_ms, day) for day in between)
    else:
        assert due_to == strict == due_at_ms(due, found_ms)


@given(facts, st.sampled_from(["1d", "7d", "15d"]), st.integers(0, 10 * DAY), st.integers(0, 10 * DAY))
def test_deadline_found_earlier_is_never_due_later(own: list[DayFact], due: str, one: int, other: int) -> None:
    calendar = WorkingDays.of([], own)
    early, late = sorted((NOON + one, NOON + other))
    known_ms = NOON + 30 * DAY
    assert calendar.deadline(due, "yellow", early, known_ms)[0] <= calendar.deadline(due, "yellow", late, known_ms)[0]


def test_deadline_with_a_calendar_told_later_stays_where_it_was() -> None:
    holiday = DayFact(NOON + DAY, "a", MONDAY + 7, False)
    calendar = WorkingDays.of([holiday])
    assert calendar.deadline("7d", "orange", NOON, NOON)[0] == day_end_ms(MONDAY + 7)
    assert calendar.deadline("6d", "orange", NOON + DAY, NOON + DAY)[0] == day_end_ms(MONDAY + 8)


def test_own_word_comes_before_the_nations_until_it_is_taken_back() -> None:
    nation = [DayFact(0, "n", MONDAY, False)]
    own = [DayFact(1, "a", MONDAY, True), DayFact(5, "b", MONDAY, None)]
    calendar = WorkingDays.of(nation, own)
    assert [calendar.works(at, MONDAY) for at in (0, 1, 4, 5)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("found", "due", "severity", "expected"),
    [
        (date(2026, 9, 24), "7d", "orange", date(2026, 10, 8)),  # ends on the first day of the National Day holiday
        (date(2026, 9, 24), "7d", "red", date(2026, 10, 1)),
        (date(2026, 9, 13), "7d", "yellow", date(2026, 9, 20)),  # a Sunday that is worked
        (date(2026, 2, 7), "7d", "blue", date(2026, 2, 14)),  # the Saturday before the Spring Festival is worked
        (date(2026, 2, 8), "7d", "blue", date(2026, 2, 24)),
        (date(2026, 9, 30), "3wd", "orange", date(2026, 10, 10)),  # 8, 9, and Saturday the 10th
        (date(2026, 11, 21), "0", "orange", date(2026, 11, 21)),  # at once is at once, on a Saturday too
    ],
)
def test_deadline_by_the_nations_calendar_of_2026(found: date, due: str, severity: str, expected: date) -> None:
    days = [(n, special) for n, special in enumerate(national.special_days(2026))]
    calendar = WorkingDays.of([DayFact(0, str(n), day_number(d.day), d.works) for n, d in days])
    found_ms = day_end_ms(day_number(found)) - 12 * HOUR
    assert calendar.deadline(due, severity, found_ms, found_ms)[0] == day_end_ms(day_number(expected))


def test_know_no_year_without_a_notice_and_do_not_guess() -> None:
    known = national.known_years()
    assert {2024, 2025, 2026} <= set(known)
    assert national.special_days(max(known) + 1) == []
    for year in known[-3:]:
        assert any(not special.works for special in national.special_days(year))
        assert all(special.day.year == year and special.name for special in national.special_days(year))


def test_longest_rest_is_not_reached_by_any_known_year() -> None:
    special = [day for year in national.known_years() for day in national.special_days(year)]
    calendar = WorkingDays.of([DayFact(0, str(n), day_number(d.day), d.works) for n, d in enumerate(special)])
    first, last = day_number(special[0].day), day_number(special[-1].day)
    assert max(calendar.roll(0, day) - day for day in range(first, last)) < 15
