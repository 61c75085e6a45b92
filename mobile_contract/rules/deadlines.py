"""Deadlines and dated rules on the clock of Asia/Shanghai (UTC+8, no daylight saving since 1991).

Hours run exactly. Days, and "0" for today, end with the local day. Holidays are the caller's matter.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mobile_contract.rules.definition import DUE, Rule

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHANGHAI_MS = 8 * HOUR_MS
_EPOCH = date(1970, 1, 1).toordinal()


def due_at_ms(due: str, effective_ms: int) -> int:
    """Deadline (epoch ms) of something seen at `effective_ms`: "0" | "<n>h" | "<n>d". Raises ValueError.

    "24h" is exact; "0" is 23:59:59.999 of that Shanghai day and "7d" of the seventh day after it.
    """
    if not DUE.fullmatch(due):
        raise ValueError(f"due {due!r} must be 0, 24h or 7d")
    if due.endswith("h"):
        return effective_ms + int(due[:-1]) * HOUR_MS
    days = int(due.removesuffix("d"))
    local_day = (effective_ms + SHANGHAI_MS) // DAY_MS
    return (local_day + days + 1) * DAY_MS - SHANGHAI_MS - 1


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
