"""Histories for papers' tests: projections as plain values, and the way to put them into the tables as they are."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.hazards.models import Hazard, LedgerNumber, Observation, Transition
from backend.inspections.models import Visit
from backend.places.models import Place

OPEN = {"registered", "assigned", "fixing", "review", "referred"}


@dataclass
class Door:
    """A place as figures see it. ``merged_into``/``building`` are doors of the same history."""

    kind: str = "household"
    registered_ms: int = 0
    withdrawn: bool = False
    merged_into: "Door | None" = None
    building: "Door | None" = None
    name: str = "501室"
    id: UUID = field(default_factory=uuid4)


@dataclass
class Call:
    """A visit to ``door``; ``filled``: further doors at which it filled a form."""

    door: Door
    at_ms: int
    outcome: str = "done"
    form: str = "ebike_charging"
    results: dict[str, dict[str, str]] = field(default_factory=dict)
    filled: list[Door] = field(default_factory=list)
    id: UUID = field(default_factory=uuid4)


@dataclass
class Life:
    """A hazard: the states it went through, each with its time and cycle."""

    door: Door
    moves: list[tuple[str, int, int]]
    severity: str = "orange"
    form: str = "ebike_charging"
    deadline_ms: int = 0
    is_gap: bool = False
    rules: tuple[str, ...] = ("EBC-02",)
    seq: int = field(default_factory=count(1).__next__)
    id: UUID = field(default_factory=uuid4)

    @property
    def number(self) -> str:
        return f"福泉-EBC-2026-{self.seq:04d}"

    def state_at(self, at_ms: int) -> str | None:
        """The state just before ``at_ms``; None when it was not known yet."""
        before = [state for state, moved_ms, _ in self.moves if moved_ms < at_ms]
        return before[-1] if before else None

    def cycle_at(self, at_ms: int) -> int:
        return max(cycle for _, moved_ms, cycle in self.moves if moved_ms < at_ms)


@dataclass
class History:
    doors: list[Door] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)


def write_history(session: Session, community_id: UUID, history: History) -> None:
    """Insert the history's rows; the transaction must see the community."""
    for table, rows in (
        (Place, [_place(d) for d in history.doors]),
        (Visit, [_visit(c) for c in history.calls]),
        (Observation, [_observation(c, d) for c in history.calls for d in _observed(c)]),
        (Hazard, [_hazard(life) for life in history.lives]),
        (LedgerNumber, [_number(life) for life in history.lives]),
        (Transition, [row for life in history.lives for row in _transitions(life)]),
    ):
        if rows:
            session.execute(insert(table), [{"community_id": community_id, **row} for row in rows])


def _place(door: Door) -> dict[str, Any]:
    return {
        "id": door.id,
        "kind": door.kind,
        "path": door.id.hex,
        "building_id": door.building.id if door.building else None,
        "name": door.name,
        "name_pinyin": door.name,
        "field_code": door.id.hex[:10],
        "address": {},
        "origin": "registered",
        "registered_ms": door.registered_ms,
        "merged_into": door.merged_into.id if door.merged_into else None,
        "withdrawn": door.withdrawn,
        "rev": 1,
    }


def _visit(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "place_id": call.door.id,
        "record_id": call.id,
        "effective_ms": call.at_ms,
        "outcome": call.outcome,
        "author_id": uuid4(),
        "forms": [call.form] if call.outcome == "done" else [],
        "time_quality": "anchored",
    }


def _observed(call: Call) -> list[Door]:
    return [call.door, *call.filled] if call.outcome == "done" else []


def _observation(call: Call, door: Door) -> dict[str, Any]:
    return {
        "visit_id": call.id,
        "place_id": door.id,
        "form": call.form,
        "rule_version": 1,
        "effective_ms": call.at_ms,
        "results": call.results,
    }


def _hazard(life: Life) -> dict[str, Any]:
    state, last_ms, cycle = life.moves[-1]
    return {
        "id": life.id,
        "place_id": life.door.id,
        "form": life.form,
        "chain": life.rules[0],
        "locus": life.id.hex,
        "rules": list(life.rules),
        "rule_version": 1,
        "severity": life.severity,
        "service_gap": life.is_gap,
        "state": state,
        "cycle": cycle,
        "registered_ms": life.moves[0][1],
        "deadline_ms": life.deadline_ms,
        "last_present_ms": life.moves[0][1],
        "closed_ms": last_ms if state == "closed" else None,
        "contradicted": False,
    }


def _number(life: Life) -> dict[str, Any]:
    return {
        "hazard_id": life.id,
        "number": life.number,
        "form": life.form,
        "year": 2026,
        "seq": life.seq,
        "place_id": life.door.id,
        "chain": life.rules[0],
        "locus": life.id.hex,
    }


def _transitions(life: Life) -> list[dict[str, Any]]:
    rows, before = [], None
    for n, (state, at_ms, cycle) in enumerate(life.moves, 1):
        rows.append(
            {
                "hazard_id": life.id,
                "n": n,
                "cycle": cycle,
                "step": state,
                "from_state": before,
                "to_state": state,
                "effective_ms": at_ms,
                "severity": life.severity,
                "form": life.form,
                "service_gap": life.is_gap,
                "cause": "step",
                "cause_id": life.id,
            }
        )
        before = state
    return rows
