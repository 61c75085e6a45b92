"""Which days are worked, as a pure function of facts, and what that makes of a deadline.

Monday to Friday are worked unless a fact says otherwise. Facts are the national days (holidays, and weekend days worked
in their stead: 调休) and the community's own changes. Each has the time from which it counts, so that what was found
earlier keeps its deadline; of several on one day the latest counts, and the community's own before the nation's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from mobile_contract.rules import due_at_ms
from mobile_contract.rules.deadlines import day_end_ms, is_weekday, local_day_of
from mobile_contract.rules.definition import Severity

#: Nobody rests longer: a calendar that says so is wrong, and a deadline must still end somewhere.
LONGEST_REST = 60


@dataclass(frozen=True, slots=True, order=True)
class DayFact:
    """From ``effective_from_ms`` on, ``day`` (counted from 1970-01-01) is worked, or is not.

    ``works`` None takes the community's own word back: the nation's holds again.
    """

    effective_from_ms: int
    id: str
    day: int
    works: bool | None


@dataclass(slots=True)
class WorkingDays:
    """A community's calendar out of all facts about it, in whatever order they are given."""

    _national: dict[int, list[DayFact]] = field(default_factory=dict)
    _own: dict[int, list[DayFact]] = field(default_factory=dict)

    @classmethod
    def of(cls, national: Iterable[DayFact], own: Iterable[DayFact] = ()) -> "WorkingDays":
        return cls(by_day(national), by_day(own))

    def works(self, at_ms: int, day: int) -> bool:
        """Whether ``day`` is worked, as known at ``at_ms``."""
        for facts in (self._own, self._national):
            for fact in reversed(facts.get(day, ())):
                if fact.effective_from_ms <= at_ms:
                    if fact.works is None:
                        break
                    return fact.works
        return is_weekday(day)

    def roll(self, at_ms: int, day: int) -> int:
        """``day``, or the first one after it that is worked."""
        for later in range(day, day + LONGEST_REST):
            if self.works(at_ms, later):
                return later
        return day

    def deadline(self, due: str, severity: str, from_ms: int, at_ms: int) -> tuple[int, int]:
        """The deadline of something found at ``from_ms`` by the calendar known at ``at_ms``, and what it would be were
        it red.

        One that is counted in days and ends on a day of rest ends with the next working day, unless the finding is red.
        What is due at once (``0``) or within hours waits for nobody's rest.
        """
        strict_ms = due_at_ms(due, from_ms, partial(self.works, at_ms))
        if not due.endswith("d") or severity == Severity.RED:
            return strict_ms, strict_ms
        return day_end_ms(self.roll(at_ms, local_day_of(strict_ms))), strict_ms


def by_day(facts: Iterable[DayFact]) -> dict[int, list[DayFact]]:
    """Facts by day, each day's in the order in which they count."""
    found: dict[int, list[DayFact]] = {}
    for fact in sorted(facts):
        found.setdefault(fact.day, []).append(fact)
    return found
