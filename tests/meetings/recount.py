"""An independent recount: every figure of a paper from raw rows in plain Python, without a query."""

from collections import defaultdict
from uuid import UUID

from backend.meetings.periods import Period
from tests.factories.meetings import OPEN, Call, Door, History, Life

FINISHED = {"done", "vacant", "not_applicable"}
KINDS = {"building", "household", "premises"}

Recount = dict[str, list[UUID]]


def recount(history: History, period: Period, as_of_ms: int) -> Recount:
    """Figure key → ids of what it counts, sub-figures included."""
    counted: Recount = defaultdict(list)
    for life in history.lives:
        _count_life(counted, life, period, as_of_ms)
    for door in history.doors:
        if door.kind in KINDS and door.registered_ms < period.end_ms and not door.merged_into and not door.withdrawn:
            _put(counted, "registered", door.id, door.kind)
    _count_doors(counted, [c for c in history.calls if period.start_ms <= c.at_ms < period.end_ms])
    return counted


def _put(counted: Recount, key: str, row_id: UUID, *parts: str) -> None:
    counted[key].append(row_id)
    for part in parts:
        counted[f"{key}.{part}"].append(row_id)
    if len(parts) == 2:
        counted[f"{key}.{parts[0]}.{parts[1]}"].append(row_id)


def _count_life(counted: Recount, life: Life, period: Period, as_of_ms: int) -> None:
    before = None
    parts = () if life.is_gap else (life.form, life.severity)
    for state, at_ms, cycle in life.moves:
        if period.start_ms <= at_ms < period.end_ms:
            key = _change(before, state, cycle)
            if key and not life.is_gap:
                _put(counted, key, life.id, *parts)
            elif key in ("new", "closed"):
                _put(counted, f"gap_{key}", life.id)
        before = state
    stood_open = life.state_at(period.end_ms) in OPEN
    if life.is_gap:
        if stood_open:
            _put(counted, "gap_open_end", life.id)
        return
    if life.state_at(period.start_ms) in OPEN:
        _put(counted, "open_start", life.id, *parts)
    if stood_open:
        _put(counted, "open_end", life.id, *parts)
        if life.deadline_ms < as_of_ms and life.cycle_at(period.end_ms) == life.moves[-1][2]:
            _put(counted, "overdue", life.id, *parts)


def _change(before: str | None, after: str, cycle: int) -> str | None:
    if before not in OPEN:
        return ("new" if cycle == 1 else "rebound") if after in OPEN else None
    if after in ("closed", "void"):
        return after
    if after == "referred" and before != "referred":
        return "referred"
    return "answered" if (before, after) == ("referred", "review") else None


def _count_doors(counted: Recount, calls: list[Call]) -> None:
    seen: dict[UUID, list[tuple[int, int, str, str]]] = defaultdict(list)
    doors: dict[UUID, Door] = {}
    last: dict[tuple[UUID, str], Call] = {}
    for call in sorted(calls, key=lambda c: (c.at_ms, str(c.id))):
        _put(counted, "visits", call.id)
        for door, outcome in [(call.door, call.outcome)] + [(d, "done") for d in call.filled if call.outcome == "done"]:
            stays = door.merged_into or door
            doors[stays.id] = stays
            rank = 2 if outcome == "done" else 1 if outcome in FINISHED else 0
            seen[stays.id].append((rank, call.at_ms, str(call.id), outcome))
            if outcome == "done":
                last[door.id, call.form] = call
    for door_id, outcomes in seen.items():
        kind, outcome = doors[door_id].kind, max(outcomes)[3]
        if kind not in KINDS or doors[door_id].withdrawn:
            continue
        _put(counted, "visited", door_id, kind)
        if outcome in FINISHED:
            _put(counted, "completed", door_id, kind)
        named = {"done": "reached", "no_answer": "not_met", "refused": "refused", "wrong_address": "wrong_address"}
        if outcome in named:
            _put(counted, named[outcome], door_id, kind)
    for call in last.values():
        for chain, loci in call.results.items():
            for said in loci.values():
                if said == "unknown" and chain != "EBC-09":
                    _put(counted, "unverified", call.id, call.form)
