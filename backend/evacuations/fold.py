"""The fold: how a house stands is a pure function of the set of facts about it, whatever order they arrived in.

Facts withdrawn are left out; the others are put into order-key order and walked once. What does not apply is kept with
its reason.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from backend import clock
from backend.evacuations.lifecycle import CORRECTS, DANGEROUS, FACT_KINDS, GONE
from mobile_contract.sync.ordering import OrderKey

MayTake = Callable[[str | None, str], bool]
"""(role, permission) → whether that role may."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something done about the house. ``notice_issued`` and ``notice_served`` come from the register of notices."""

    id: str
    key: OrderKey
    kind: str
    actor_id: str
    role: str | None
    household_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Household:
    """A household of the case; ``listed_id`` is the fact that says who lives there, ``last_id`` the last about it."""

    listed_id: str
    last_id: str
    persons: int = 0
    state: str = "listed"
    told_ms: int | None = None
    answered_ms: int | None = None
    revisited_ms: int | None = None
    reported_ms: int | None = None
    left_ms: int | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A household left (撤离) or came back (返住), in whichever case."""

    household_id: str
    kind: str
    at_ms: int
    fact_id: str


@dataclass(slots=True)
class House:
    """The house after the walk: its open or last case. ``checks``: day → (moved back, when, fact).

    Of all cases are ``moves``, ``outcomes`` and ``emptiness``: since when every household was gone, or was not.
    """

    cycle: int = 0
    is_open: bool = False
    grade: str | None = None
    appraisal_id: str | None = None
    opened_ms: int | None = None
    notice_id: str | None = None
    notified_ms: int | None = None
    served_ms: int | None = None
    deadline_ms: int | None = None
    emptied_ms: int | None = None
    check_from_ms: int | None = None
    cordoned_ms: int | None = None
    cleared_ms: int | None = None
    closed_ms: int | None = None
    households: dict[str, Household] = field(default_factory=dict)
    checks: dict[date, tuple[bool, int, str]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    outcomes: dict[str, str | None] = field(default_factory=dict)
    emptiness: list[tuple[OrderKey, bool]] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """What follows from what was done."""
        if not self.is_open:
            return "clear" if self.closed_ms is None else "closed"
        if self.cleared_ms is not None:
            return "cleared"
        if self.emptied_ms is not None:
            return "emptied"
        if self.served_ms is not None:
            return "served"
        return "appraised" if self.notified_ms is None else "notified"


def fold_house(facts: Iterable[Fact], may_take: MayTake) -> House:
    """Walk the facts of one house."""
    house = House()
    by_id = {fact.id: fact for fact in facts}
    gone = _withdrawn(by_id, may_take, house)
    for fact in sorted(by_id.values(), key=lambda fact: fact.key):
        if fact.kind == "withdrawn":
            continue
        reason = "withdrawn" if fact.id in gone else _refusal(house, fact, may_take)
        house.outcomes[fact.id] = reason
        if reason is None:
            _EFFECTS[fact.kind](house, fact)
            _look_whether_empty(house, fact)
    return house


def _withdrawn(by_id: Mapping[str, Fact], may_take: MayTake, house: House) -> set[str]:
    """Facts that were withdrawn: by whoever recorded them, or by one who may correct others."""
    gone = set()
    for fact in by_id.values():
        if fact.kind != "withdrawn":
            continue
        target = by_id.get(str(fact.body.get("fact_id")).lower())
        if target is None or target.kind not in FACT_KINDS or target.kind == "withdrawn":
            house.outcomes[fact.id] = "fact_unknown"
        elif target.actor_id != fact.actor_id and not may_take(fact.role, CORRECTS):
            house.outcomes[fact.id] = "not_own"
        else:
            house.outcomes[fact.id] = None
            gone.add(target.id)
    return gone


def _refusal(house: House, fact: Fact, may_take: MayTake) -> str | None:
    """The reason (a key of ``NOT_APPLIED``) why a fact does not apply; None when it does."""
    if fact.kind not in _EFFECTS:
        return "kind_unknown"
    kind = FACT_KINDS.get(fact.kind)
    if kind is not None and not may_take(fact.role, kind.permission):
        return "not_permitted"
    if fact.kind == "appraised":
        return None
    if not house.is_open:
        return "no_case"
    if fact.kind == "closed":
        is_over = house.cleared_ms is not None or fact.body.get("ending") == "demolished"
        return None if is_over else "still_dangerous"
    if kind is None or not kind.of_household or fact.kind == "listed":
        return None
    household = house.households.get(str(fact.household_id))
    return "household_unlisted" if household is None else _refusal_of_household(household, fact.kind)


def _refusal_of_household(household: Household, kind: str) -> str | None:
    is_gone = household.state in GONE
    if kind == "returned":
        return None if is_gone else "not_left"
    if is_gone:
        return "household_gone"
    if kind in ("agreed", "refused") and household.told_ms is None:
        return "not_told"
    if kind in ("revisited", "reported") and household.state != "refused":
        return "not_refused"
    return "not_revisited" if kind == "reported" and household.revisited_ms is None else None


def _appraised(house: House, fact: Fact) -> None:
    at_ms, grade = fact.key.effective_ms, str(fact.body["grade"])
    if grade in DANGEROUS and not house.is_open:
        anew = House(cycle=house.cycle + 1, is_open=True, opened_ms=at_ms, moves=house.moves, outcomes=house.outcomes)
        anew.emptiness = [*house.emptiness, (fact.key, False)]
        for each in fields(House):
            setattr(house, each.name, getattr(anew, each.name))
    if house.is_open:
        house.cleared_ms = None if grade in DANGEROUS else at_ms
    house.grade, house.appraisal_id = grade, fact.id


def _notice_issued(house: House, fact: Fact) -> None:
    house.notice_id, house.deadline_ms = fact.id, int(fact.body["deadline_ms"])
    house.notified_ms = house.notified_ms or fact.key.effective_ms


def _notice_served(house: House, fact: Fact) -> None:
    house.served_ms = house.served_ms or fact.key.effective_ms
    household = house.households.get(str(fact.household_id))
    if household is not None and household.state == "listed":
        _told(house, fact)


def _listed(house: House, fact: Fact) -> None:
    """Said again, it corrects how many live there; who left stays away, and where nobody lives nobody need leave."""
    household = house.households.setdefault(str(fact.household_id), Household(fact.id, fact.id))
    household.listed_id = household.last_id = fact.id
    household.persons = int(fact.body.get("persons", 0))
    if not household.persons and household.state != "left":
        household.state = "vacant"
    elif household.persons and household.state == "vacant":
        household.state = "listed"


def _told(house: House, fact: Fact) -> None:
    household = _household(house, fact)
    household.state, household.told_ms = "told", fact.key.effective_ms


def _answered(house: House, fact: Fact) -> None:
    household = _household(house, fact)
    if fact.kind == "refused" and household.state != "refused":
        household.revisited_ms = household.reported_ms = None
    household.state, household.answered_ms = fact.kind, fact.key.effective_ms


def _revisited(house: House, fact: Fact) -> None:
    _household(house, fact).revisited_ms = fact.key.effective_ms


def _reported(house: House, fact: Fact) -> None:
    _household(house, fact).reported_ms = fact.key.effective_ms


def _left(house: House, fact: Fact) -> None:
    household = _household(house, fact)
    household.state, household.left_ms = "left", fact.key.effective_ms
    household.destination = fact.body.get("destination")
    house.moves.append(Move(str(fact.household_id), "left", fact.key.effective_ms, fact.id))


def _returned(house: House, fact: Fact) -> None:
    _came_back(house, fact, str(fact.household_id))


def _came_back(house: House, fact: Fact, household_id: str) -> None:
    household = house.households[household_id]
    household.state, household.left_ms, household.destination = "returned", None, None
    household.last_id = fact.id
    house.moves.append(Move(household_id, "returned", fact.key.effective_ms, fact.id))


def _cordoned(house: House, fact: Fact) -> None:
    house.cordoned_ms = house.cordoned_ms or fact.key.effective_ms


def _checked(house: House, fact: Fact) -> None:
    """The last look of a day counts; whoever was found back has moved back."""
    back = [str(household_id).lower() for household_id in fact.body.get("returned") or ()]
    day = clock.local_day(fact.key.effective_ms)
    house.checks[day] = (bool(back), fact.key.effective_ms, fact.id)
    for household_id in back:
        household = house.households.get(household_id)
        if household is not None and household.state in GONE:
            _came_back(house, fact, household_id)


def _closed(house: House, fact: Fact) -> None:
    house.is_open, house.closed_ms = False, fact.key.effective_ms


def _household(house: House, fact: Fact) -> Household:
    household = house.households[str(fact.household_id)]
    household.last_id = fact.id
    return household


def _look_whether_empty(house: House, fact: Fact) -> None:
    """A house is empty when households are listed and every one of them is gone."""
    is_empty = bool(house.households) and all(h.state in GONE for h in house.households.values())
    if house.emptiness and house.emptiness[-1][1] != is_empty:
        house.emptiness.append((fact.key, is_empty))
    if not is_empty:
        house.emptied_ms = None
    elif house.emptied_ms is None:
        house.emptied_ms = fact.key.effective_ms
        house.check_from_ms = house.check_from_ms or fact.key.effective_ms


_EFFECTS: Mapping[str, Callable[[House, Fact], None]] = {
    "appraised": _appraised,
    "notice_issued": _notice_issued,
    "notice_served": _notice_served,
    "listed": _listed,
    "told": _told,
    "agreed": _answered,
    "refused": _answered,
    "revisited": _revisited,
    "reported": _reported,
    "left": _left,
    "returned": _returned,
    "cordoned": _cordoned,
    "checked": _checked,
    "closed": _closed,
}
