"""The one clock. Nothing but a simulated community's offset may shift time."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

#: UTC+8 all year: the mainland has had no daylight saving since 1991.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

DAY_MS = 86_400_000

#: The last millisecond of the year 9999 in Shanghai. A phone may name a deadline beyond it; calendars end here.
LATEST_MS = 253_402_271_999_999
_EPOCH = datetime.fromtimestamp(0, SHANGHAI)


def now_ms(offset_ms: int = 0) -> int:
    """Epoch milliseconds of the server, shifted by a simulated community's ``clock_offset_ms``."""
    return time.time_ns() // 1_000_000 + offset_ms


def local_day(at_ms: int) -> date:
    """The Shanghai calendar day that holds the instant ``at_ms``."""
    return _in_shanghai(at_ms).date()


def day_start_ms(day: date) -> int:
    """Epoch milliseconds of 00:00 in Shanghai on ``day``."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)


def utc(at_ms: int) -> datetime:
    """``at_ms`` as an aware UTC datetime."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def iso(at_ms: int | None) -> str | None:
    """``at_ms`` as ISO 8601 with the Shanghai offset, or None."""
    return None if at_ms is None else _in_shanghai(at_ms).isoformat(timespec="milliseconds")


def _in_shanghai(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=min(at_ms, LATEST_MS))
