"""Who of the year's people is where on which day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from backend import clock
from backend.demo.community import Person
from backend.year.community import YEAR, Codes, YearCommunity, grid_of
from backend.year.diary import Diary

_MORNING, _WORK_S = 9, 8 * 3600


@dataclass
class Field:
    """The year's places and people, for those who plan what happens. One seed gives one plan."""

    diary: Diary
    community: YearCommunity
    codes: Codes

    def __post_init__(self) -> None:
        self._turn = count()

    def pair(self, code: str) -> list[Person]:
        """The two grid workers of a place's grid; they take turns at writing."""
        workers = self.community.of("grid_worker", grid_of(code))
        return workers if next(self._turn) % 2 else workers[::-1]

    def one(self, role: str, code: str) -> Person:
        """Whoever has a role at a place."""
        of_grid = self.community.of(role, grid_of(code))
        return (of_grid or self.community.of(role))[0]

    def at(self, day: date) -> datetime:
        """Some moment of a working day, to the second."""
        start = datetime(day.year, day.month, day.day, _MORNING, tzinfo=clock.SHANGHAI)
        return start + timedelta(seconds=self.diary.rng.randrange(_WORK_S))

    def days(self, first: date, last: date, number: int) -> list[date]:
        """``number`` different days of a stretch, in order."""
        every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return sorted(self.diary.rng.sample(every, number))

    def some(self, codes: Sequence[str], number: int) -> list[str]:
        """``number`` of the places, in any order."""
        return self.diary.rng.sample(list(codes), number)


def day(month: int, day_of_month: int) -> date:
    """A day of the year that is played."""
    return date(YEAR, month, day_of_month)
