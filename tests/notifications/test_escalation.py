"""What is to be told of a hazard at a moment, whoever looked before and how often: pure functions."""

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from backend.clock import DAY_MS, day_start_ms
from backend.notifications.escalation import CHASE, DUE, KINDS, LATE, WATCH, Reminder, Watched, reminders_of
from backend.notifications.texts import SENTENCES, text_of

HOUR = 3_600_000
MONDAY = day_start_ms(date(2026, 11, 2))
DEADLINE = MONDAY + 10 * DAY_MS - 1
looks = st.lists(st.integers(0, 40 * 24), min_size=1, max_size=30).map(sorted)


def hazard(state: str = "fixing", severity: str = "orange", **more: object) -> Watched:
    values = {"id": UUID(int=1), "cycle": 1, "deadline_ms": DEADLINE, "path": "a.b", "closer": "grid_head", **more}
    return Watched(state=state, severity=severity, **values)  # type: ignore[arg-type]


def told(watched: Watched, hours: list[int]) -> dict[str, list[Reminder]]:
    """The first reminder of each slot, by kind, of somebody who looks at these hours and remembers slots."""
    taken: set[str] = set()
    found: dict[str, list[Reminder]] = {kind: [] for kind in KINDS}
    for hour in hours:
        for reminder in reminders_of(watched, MONDAY + hour * HOUR):
            if reminder.slot not in taken:
                taken.add(reminder.slot)
                found[reminder.kind].append(reminder)
    return found


@given(looks)
def test_deadlines_any_looks_tell_each_step_once_and_lose_none(hours: list[int]) -> None:
    found = told(hazard(), hours)
    last_day = hours[-1] // 24
    assert len(found[DUE]) == (last_day >= 7)
    assert [r.roles for r in found[LATE]] == [
        (role,) for late, role in ((1, "grid_head"), (3, "committee"), (7, "street")) if last_day >= 9 + late
    ]
    assert found[WATCH] == found[CHASE] == []


@given(looks)
def test_watch_any_looks_is_once_a_day_and_not_made_up(hours: list[int]) -> None:
    found = told(hazard(severity="red"), hours)
    assert len(found[WATCH]) == len({hour // 24 for hour in hours})


@given(looks)
def test_chase_any_looks_is_once_a_week_and_the_last_only_of_missed_ones(hours: list[int]) -> None:
    found = told(hazard("referred", chased_ms=MONDAY), hours)
    weeks = {hour // (7 * 24) for hour in hours} - {0}
    assert [r.days for r in found[CHASE]] == [7 * week for week in sorted(weeks)]
    assert found[DUE] == found[LATE] == []


@given(looks, st.integers(1, 20))
def test_extended_deadline_is_told_of_anew(hours: list[int], days: int) -> None:
    first, second = hazard(), hazard(deadline_ms=DEADLINE + days * DAY_MS)
    slots = {r.slot for h in hours for r in reminders_of(first, MONDAY + h * HOUR)}
    assert not slots & {r.slot for h in hours for r in reminders_of(second, MONDAY + h * HOUR)}


def test_settled_hazards_are_left_alone() -> None:
    for state in ("closed", "void"):
        assert list(reminders_of(hazard(state, severity="red"), DEADLINE + 99 * DAY_MS)) == []


def test_days_are_calendar_days_of_shanghai() -> None:
    assert list(reminders_of(hazard(), DEADLINE - 3 * DAY_MS)) == []
    (due,) = reminders_of(hazard(), MONDAY + 7 * DAY_MS)
    assert due.days == 2
    (_, late) = reminders_of(hazard(), DEADLINE + 1)
    assert (late.kind, late.roles, late.days) == (LATE, ("grid_head",), -1)


def test_texts_speak_both_languages_and_count_right() -> None:
    said = {"number": "福泉-EBC-2026-0001", "severity": "red"}
    assert set(SENTENCES) >= set(KINDS)
    assert "2 天后到期" in text_of(DUE, {**said, "days": 2})["zh"]
    assert "今天到期" in text_of(DUE, {**said, "days": 0})["zh"]
    assert "已逾期 3 天" in text_of(DUE, {**said, "days": -3})["zh"]
    assert "3 days late" in text_of(LATE, {**said, "days": -3})["en"]
    assert all("疑似重大" in text_of(kind, {**said, "days": 7})["zh"] for kind in KINDS)
    gap = text_of(LATE, {**said, "severity": "blue", "days": -1})["zh"]
    assert gap == "服务缺口 福泉-EBC-2026-0001 已逾期 1 天，请督促整改。"
