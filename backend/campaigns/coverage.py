"""How a door stands in a round: a fold over its visits in order-key order. Pure; the order of arrival plays no part.

Source: domain, coverage. Only ``done``, ``vacant`` and ``not_applicable`` are terminal; 无人应答 never is.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Final

from backend.campaigns.rounds import slot_of
from backend.hazards.facts import VisitFact

#: A door that is finished with. Everything else is still to be visited.
TERMINAL: Final = ("done", "vacant", "not_applicable")
#: Nobody was met, or whoever was met turned the visitor away: tried, not finished.
TRIED: Final = ("no_answer", "refused", "wrong_address")
#: Attempts in so many different time slots hand a door to the grid head.
SLOTS_FOR_HEAD: Final = 3

#: State → (zh, en), in the order in which a statement lists them.
STATES: Final = {
    "done": ("已查", "inspected"),
    "vacant": ("空置", "vacant"),
    "not_applicable": ("不适用", "not applicable"),
    "not_visited": ("未走访", "not visited"),
    "partial": ("部分表单未完成", "some forms missing"),
    "vacant_unconfirmed": ("空置待证实（须两名见证或物业确认）", "vacant, unconfirmed"),
    "no_answer": ("无人应答", "no answer"),
    "refused": ("拒访", "refused"),
    "wrong_address": ("地址不符", "wrong address"),
}


@dataclass(slots=True)
class Standing:
    """How a door stands; ``visit`` is the one that says so."""

    forms_left: set[str]
    state: str = "not_visited"
    attempts: int = 0
    slots: set[str] = field(default_factory=set)
    visit: VisitFact | None = None


def stand(visits: Iterable[VisitFact], door: Set[str], forms: Set[str]) -> Standing:
    """Fold the visits of a round. ``door``: ids of the place and those merged into it; ``forms`` are due there.

    Once all forms are done the door is done for good. 空置 and 不适用 hold until somebody is met there after all.
    """
    found = Standing(set(forms))
    for visit in sorted(visits, key=lambda visit: visit.key):
        if visit.outcome == "done":
            got = {block.form for block in visit.blocks if block.place_id in door} & forms
            if not got:
                continue
            found.forms_left -= got
            found.state, found.visit = ("partial" if found.forms_left else "done"), visit
            if not found.forms_left:
                break
        elif visit.place_id in door:
            _not_inspected(found, visit)
    return found


def _not_inspected(found: Standing, visit: VisitFact) -> None:
    state = visit.outcome
    if state in TRIED:
        found.attempts += 1
        if visit.time_quality == "anchored":
            found.slots.add(slot_of(visit.effective_ms))
        if found.state in TERMINAL and state != "refused":
            return
    elif state == "vacant" and not visit.witnessed:
        if found.state in TERMINAL:
            return
        state = "vacant_unconfirmed"
    found.state, found.visit = state, visit


def last_contact_ms(visits: Iterable[VisitFact], door: Set[str]) -> int | None:
    """When the people of a door were last asked for their time, whatever for."""
    met = [v.effective_ms for v in visits if v.place_id in door and v.outcome in ("done", "refused")]
    return max(met, default=None)
