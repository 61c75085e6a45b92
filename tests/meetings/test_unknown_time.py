"""A record without any clock anchor counts from 0 in the order; papers must not print 1970 for it."""

import pytest

from backend.meetings.html import minute
from backend.meetings.listing import short_date


@pytest.mark.parametrize("at_ms", [0, 7 * 86_400_000, 946_655_999_999])
def test_short_date_before_the_year_2000_is_unknown(at_ms: int) -> None:
    assert short_date(at_ms) == "时间不详"


def test_short_date_of_a_read_clock_is_its_day() -> None:
    assert short_date(946_656_000_000) == "2000-01-01"


def test_minute_before_the_year_2000_is_unknown() -> None:
    assert minute("1970-01-01T08:00:00.000+08:00") == "时间不详"
    assert minute("2026-11-22T09:30:12.000+08:00") == "2026-11-22 09:30"
