"""Deadlines and dated rules on the clock of Asia/Shanghai (UTC+8, no daylight saving since 1991).

Hours run exactly. Days, and "0" for today, end with the local day. Which days are worked is the caller's matter, and
so is what becomes of a deadline that falls on a holiday.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mobile_contract.rules.definition import DUE, Rule

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHANGHAI_MS = 8 * HOUR_MS
_EPOCH = date(1970, 1, 1).toordinal()


def is_weekday(day: int) -> bool:
    """Whether a day (counted from 1970-01-01, a Thursday) is one from Monday to Friday."""
    return (day + 3) % 7 < 5


def due_at_ms(due: str, effective_ms: int, works: Callable[[int], bool] = is_weekday) -> int:
    """Deadline (epoch ms) of something seen at `effective_ms`: "0" | "<n>h" | "<n>d" | "<n>wd". Raises ValueError.

    "24h" is exact; "0" is 23:59:59.999 of that Shanghai day, "7d" of the seventh day after it and "5wd" of the fifth
    day after it that is worked: `works` says which are, by their number from 1970-01-01.
    """
    if not DUE.fullmatch(due):
        raise ValueError(f"due {due!r} must be 0, 24h, 7d or 5wd")
    if due.endswith("h"):
        return effective_ms + int(due[:-1]) * HOUR_MS
    day = local_day_of(effective_ms)
    if due.endswith("wd"):
        left = int(due[:-2])
        while left:
            day += 1
            left -= works(day)
    else:
        day += int(due.removesuffix("d"))
    return day_end_ms(day)


def local_day_of(at_ms: int) -> int:
    """The Shanghai day that holds an instant, counted from 1970-01-01."""
    return (at_ms + SHANGHAI_MS) // DAY_MS


def day_end_ms(day: int) -> int:
    """The last millisecond of a Shanghai day, counted from 1970-01-01."""
    return (day + 1) * DAY_MS - SHANGHAI_MS - 1


def at_ms(rule: Rule, answers: Mapping[str, Any]) -> int | None:
    """From when (epoch ms, start of a Shanghai day) a dated rule that holds is present; None when undated."""
    if rule.at is None:
        return None
    value = answers.get(rule.at.field)
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if day is None:
        return None
    return (day.toordinal() - _EPOCH + rule.at.days) * DAY_MS - SHANGHAI_MS
