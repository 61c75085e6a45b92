"""What is to be done about dangerous houses, until when: computed from how they stand, never stored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from backend import clock
from backend.evacuations.lifecycle import GONE
from backend.rectification.presenting import Shape, label, moment

#: Defaults of ours; only the daily look is the domain's.
SERVE_MS: Final = clock.DAY_MS
ANSWER_MS: Final = clock.DAY_MS

DUTIES: Final[Mapping[str, tuple[str, str]]] = {
    "issue": ("签发劝离通知书", "Issue the notice to leave"),
    "serve": ("送达劝离通知书", "Serve the notice to leave"),
    "tell": ("告知住户", "Tell the household"),
    "revisit": ("会同街道、公安二次劝离", "Second visit with street and police"),
    "report": ("拒撤上报", "Report the refusal"),
    "leave": ("督促撤离", "See that the household leaves"),
    "cordon": ("设置警戒封控", "Put up the cordon"),
    "check": ("返住检查", "Look whether people moved back"),
    "close": ("报街道或住建销号", "Closing by the street or a department"),
}


def duties_of(house: Any, households: Iterable[Any], checks: Mapping[date, bool], now_ms: int) -> list[Shape]:
    """What is open about one house (a row of ``evacuation``, its households, its looks by day) at ``now_ms``.

    A day without a look stays on the list as missed; today's look is due by the day's end.
    """
    if house.opened_ms is None or house.stage in ("clear", "closed"):
        return []
    found: list[tuple[str, Any, int, date | None]] = []
    if house.stage == "cleared":
        found.append(("close", None, house.cleared_ms + 3 * clock.DAY_MS, None))
    else:
        found += _duties_to_leave(house, households)
        if house.emptied_ms is not None and house.cordoned_ms is None:
            found.append(("cordon", None, house.emptied_ms + clock.DAY_MS, None))
    found += [("check", None, _end_of(day), day) for day in unchecked_days(house, checks, now_ms)]
    return [_shape(house, *duty, now_ms) for duty in sorted(found, key=lambda duty: (duty[2], duty[0]))]


def _duties_to_leave(house: Any, households: Iterable[Any]) -> list[tuple[str, Any, int, date | None]]:
    if house.notified_ms is None:
        return [("issue", None, house.opened_ms + SERVE_MS, None)]
    found: list[tuple[str, Any, int, date | None]] = []
    if house.served_ms is None:
        found.append(("serve", None, min(house.notified_ms + SERVE_MS, house.deadline_ms), None))
    for household in households:
        if household.state in GONE:
            continue
        who = household.household_id
        if household.told_ms is None:
            found.append(("tell", who, house.notified_ms + SERVE_MS, None))
        if household.state == "refused" and household.revisited_ms is None:
            found.append(("revisit", who, household.answered_ms + ANSWER_MS, None))
        elif household.state == "refused" and household.reported_ms is None:
            found.append(("report", who, household.revisited_ms + ANSWER_MS, None))
        found.append(("leave", who, house.deadline_ms, None))
    return found


def unchecked_days(house: Any, checks: Mapping[date, bool], now_ms: int) -> list[date]:
    """Days from the one after the house was first empty until today, or the day it was no longer dangerous, on which
    nobody looked."""
    if house.check_from_ms is None:
        return []
    last = clock.local_day(now_ms if house.cleared_ms is None else house.cleared_ms)
    first = clock.local_day(house.check_from_ms) + timedelta(days=1)
    return [day for n in range((last - first).days + 1) if (day := first + timedelta(days=n)) not in checks]


def _end_of(day: date) -> int:
    return clock.day_start_ms(day + timedelta(days=1)) - 1


def _shape(house: Any, kind: str, household_id: Any, due_ms: int, day: date | None, now_ms: int) -> Shape:
    return {
        "kind": kind,
        "label": label(DUTIES[kind]),
        "house_id": house.house_id,
        "household_id": household_id,
        "day": day,
        "due": moment(due_ms),
        "overdue": due_ms < now_ms,
    }


def by_urgency(duties: Sequence[Shape]) -> list[Shape]:
    """The most urgent first."""
    return sorted(duties, key=lambda duty: (duty["due"]["ms"], str(duty["house_id"]), duty["kind"]))
