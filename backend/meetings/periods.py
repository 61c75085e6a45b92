"""The periods papers are made for, as pure functions on the Shanghai calendar, and the number each period bears.

A paper's number (year, issue) is a function of its period, so asking twice for one period can never make two papers:

- weekly: seven days from the community's first weekday. A week belongs to the year that holds its fourth day, and its
  issue is the ordinal of that fourth day's week in the year. For weeks from Monday this is ISO 8601: 2026-12-28 to
  2027-01-03 is issue 53 of 2026;
- monthly: from the community's day of the month (1–28) to the day before it in the next, issue 1–12. It bears the
  month in which it begins, or from the 16th on the one in which it ends: most of its days lie there;
- annual: a calendar year, issue 1.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from backend.clock import day_start_ms, local_day
from backend.errors import InvalidInput

KINDS = ("weekly", "monthly", "annual")
MONDAY = 1
#: Of a month: every month has it.
LAST_FIRST_DAY = 28
#: A period that begins after this day of a month is the next month's.
MIDDLE = 15


class UnknownPeriodKind(InvalidInput):
    """``kind`` is none of weekly, monthly, annual."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``first`` up to, not including, ``after``; ``year`` and ``issue`` are its number."""

    kind: str
    first: date
    after: date
    year: int
    issue: int

    @property
    def last(self) -> date:
        """The last day inside the period."""
        return self.after - timedelta(days=1)

    @property
    def start_ms(self) -> int:
        """Epoch milliseconds of the first instant inside."""
        return day_start_ms(self.first)

    @property
    def end_ms(self) -> int:
        """Epoch milliseconds of the first instant after."""
        return day_start_ms(self.after)

    @property
    def number(self) -> str:
        """As printed: ``〔2026〕第47期``."""
        return f"〔{self.year}〕第{self.issue:02d}期"

    @property
    def slot(self) -> str:
        """A name that no other period of the kind has: ``2026-W47``, ``2026-11``, ``2026``."""
        return {
            "weekly": f"{self.year}-W{self.issue:02d}",
            "monthly": f"{self.year}-{self.issue:02d}",
            "annual": str(self.year),
        }[self.kind]

    def previous(self) -> "Period":
        """The period of the same kind that ends where this one starts."""
        return period_of(self.kind, self.first - timedelta(days=1), start_of(self.kind, self.first))

    def following(self) -> "Period":
        """The period of the same kind that starts where this one ends."""
        return period_of(self.kind, self.after, start_of(self.kind, self.first))


def start_of(kind: str, first: date) -> int:
    """The ``starts_on`` of a period of ``kind`` that begins on ``first``."""
    return {"weekly": first.isoweekday(), "monthly": min(first.day, LAST_FIRST_DAY)}.get(kind, 1)


def period_of(kind: str, day: date, starts_on: int = MONDAY) -> Period:
    """The period of ``kind`` that holds ``day``.

    ``starts_on`` is the ISO weekday (1–7) on which weeks begin, or the day of the month (1–28) on which months do.
    Raises UnknownPeriodKind.
    """
    if kind == "weekly":
        first = day - timedelta(days=(day.isoweekday() - starts_on) % 7)
        fourth = first + timedelta(days=3)
        issue = (fourth.timetuple().tm_yday - 1) // 7 + 1
        return Period(kind, first, first + timedelta(days=7), fourth.year, issue)
    if kind == "monthly":
        first = day.replace(day=starts_on)
        if first > day:
            first = (first.replace(day=1) - timedelta(days=1)).replace(day=starts_on)
        after = (first.replace(day=1) + timedelta(days=31)).replace(day=starts_on)
        named = first if starts_on <= MIDDLE else after
        return Period(kind, first, after, named.year, named.month)
    if kind == "annual":
        return Period(kind, date(day.year, 1, 1), date(day.year + 1, 1, 1), day.year, 1)
    raise UnknownPeriodKind(kind=kind)


def period_at(kind: str, at_ms: int, starts_on: int = MONDAY) -> Period:
    """The period of ``kind`` that holds the instant ``at_ms``."""
    return period_of(kind, local_day(at_ms), starts_on)


def period_from(kind: str, start_ms: int) -> Period:
    """The period of ``kind`` that starts at ``start_ms``, whatever day periods begin on today."""
    first = local_day(start_ms)
    return period_of(kind, first, start_of(kind, first))
