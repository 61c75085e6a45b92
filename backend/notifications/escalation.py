"""Who is to be told what about an open hazard, and when, as a pure function of the hazard and the moment.

Two days before it is due its owner; one day late the grid head, three the two committees, seven the street; every day
of a 重大, until it is struck off, its owner and the safety officer; every seven days after the last word to the
recipient of a referral, while there is no answer, the committee. Days are Shanghai's. Each has a slot, a name that no
other has: told once, however often and however late anybody looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from backend.clock import DAY_MS, local_day
from backend.hazards.lifecycle import CHASE_EVERY_MS, OPEN_STATES
from mobile_contract.rules.definition import Severity

DUE, LATE, WATCH, CHASE, TEST = "due", "late", "watch", "chase", "test"
KINDS: Final = (DUE, LATE, WATCH, CHASE)
#: Who it is for when it is nobody's in particular.
OWNER: Final = "owner"
DAYS_BEFORE: Final = 2
LATE_TO: Final = ((1, "grid_head"), (3, "committee"), (7, "street"))
CHASE_DAYS: Final = CHASE_EVERY_MS // DAY_MS


@dataclass(frozen=True, slots=True)
class Watched:
    """An open hazard, as far as telling people about it goes. ``path`` is its place's."""

    id: UUID
    cycle: int
    severity: str
    state: str
    deadline_ms: int
    path: str
    closer: str
    number: str | None = None
    assignee_id: UUID | None = None
    chased_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to be told: to the holders of ``roles`` at the hazard's place. ``days``: left, late, or waited."""

    kind: str
    slot: str
    roles: tuple[str, ...]
    days: int


def reminders_of(hazard: Watched, now_ms: int) -> Iterator[Reminder]:
    """Everything that is to have been told by ``now_ms``. A day's watch is of that day: missed days are not made up."""
    if hazard.state not in OPEN_STATES:
        return
    today = local_day(now_ms)
    if hazard.severity == Severity.RED:
        slot = f"{WATCH}:{hazard.id}:{hazard.cycle}:{today}"
        yield Reminder(WATCH, slot, (OWNER, "safety_officer"), _days(today, hazard.deadline_ms))
    if hazard.state == "referred":
        yield from _chases(hazard, now_ms)
    else:
        yield from _deadlines(hazard, today)


def _deadlines(hazard: Watched, today: date) -> Iterator[Reminder]:
    left = _days(today, hazard.deadline_ms)
    terms = f"{hazard.id}:{hazard.cycle}:{hazard.deadline_ms}"
    if left <= DAYS_BEFORE:
        yield Reminder(DUE, f"{DUE}:{terms}", (OWNER,), left)
    for late, role in LATE_TO:
        if -left >= late:
            yield Reminder(LATE, f"{LATE}{late}:{terms}", (role,), left)


def _chases(hazard: Watched, now_ms: int) -> Iterator[Reminder]:
    """After several missed weeks the last one only: it says how long there was no answer."""
    if hazard.chased_ms is None:
        return
    times = (now_ms - hazard.chased_ms) // CHASE_EVERY_MS
    if times > 0:
        slot = f"{CHASE}:{hazard.id}:{hazard.chased_ms}:{times}"
        yield Reminder(CHASE, slot, ("committee",), times * CHASE_DAYS)


def _days(today: date, deadline_ms: int) -> int:
    """Days from today to the day of the deadline; negative when it is over."""
    return (local_day(deadline_ms) - today).days
