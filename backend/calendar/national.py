"""The nation's holidays as this release knows them: what ``chinesecalendar`` holds of the State Council's notices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import chinese_calendar
from chinese_calendar.constants import Holiday


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that is worked, or is not, whatever weekday it is."""

    day: date
    works: bool
    name: str


def known_years() -> list[int]:
    """The years of which the library has the notice; of any other it knows nothing and must not be asked."""
    return sorted({day.year for day in chinese_calendar.holidays})


def special_days(year: int) -> list[SpecialDay]:
    """A known year's holidays and the weekend days worked in their stead, in order; empty for any other year."""
    return sorted(_special_days(year), key=lambda special: special.day)


def _special_days(year: int) -> Iterator[SpecialDay]:
    for day, name in chinese_calendar.holidays.items():
        if day.year == year:
            yield SpecialDay(day, False, _chinese(name))
    for day, name in chinese_calendar.workdays.items():
        if day.year == year:
            yield SpecialDay(day, True, f"{_chinese(name)}调休上班")


def _chinese(name: str) -> str:
    return next((str(holiday.chinese) for holiday in Holiday if holiday.value == name), name)
