"""The one clock. Nothing but a simulated community's offset may shift time."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

#: UTC+8 all year: the mainland has had no daylight saving since 1991.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

DAY_MS = 86_400_000


def now_ms(offset_ms: int = 0) -> int:
    """Epoch milliseconds of the server, shifted by a simulated community's ``clock_offset_ms``."""
    return time.time_ns() // 1_000_000 + offset_ms


def local_day(at_ms: int) -> date:
    """The Shanghai calendar day that holds the instant ``at_ms``."""
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).date()


def day_start_ms(day: date) -> int:
    """Epoch milliseconds of 00:00 in Shanghai on ``day``."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)


def utc(at_ms: int) -> datetime:
    """``at_ms`` as an aware UTC datetime."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def iso(at_ms: int | None) -> str | None:
    """``at_ms`` as ISO 8601 with the Shanghai offset, or None."""
    return (
        None
        if at_ms is None
        else datetime.fromtimestamp(at_ms / 1000, SHANGHAI).isoformat(timespec="milliseconds")
    )
