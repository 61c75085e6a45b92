"""Compares what the server holds with what the phones created: P1, P2 and the existence half of P3."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from mobile_contract.conformance.faults import Fault
from mobile_contract.conformance.notebook import MadeRecord
from mobile_contract.conformance.oracle import HazardKey, expected_hazards, key_of_task
from mobile_contract.conformance.phone import Phone
from mobile_contract.conformance.syncing import pull_all, reconcile
from mobile_contract.conformance.view import View

SHOWN = 5


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check. `ok` is None when the server does not offer what the check needs."""

    promise: str
    name: str
    ok: bool | None
    detail: str


def _some(items: Iterable[object]) -> str:
    listed = sorted(map(str, items))
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")


def _result(promise: str, name: str, wrong: Iterable[object], fine: str) -> CheckResult:
    listed = list(wrong)
    return CheckResult(promise, name, not listed, f"{len(listed)}: {_some(listed)}" if listed else fine)


def all_records(phones: Sequence[Phone]) -> dict[str, MadeRecord]:
    """Every record any phone made, once; what clones learned about it is put together."""
    found: dict[str, MadeRecord] = {}
    for phone in phones:
        for record in phone.notebook.records.values():
            known = found.get(record.id)
            found[record.id] = record if known is None else _merged(known, record)
    return found


def _merged(one: MadeRecord, other: MadeRecord) -> MadeRecord:
    kept, spare = (one, other) if one.status is not None else (other, one)
    times = [ms for ms in (one.effective_ms, other.effective_ms) if ms is not None]
    kept.effective_ms = min(times) if times else None
    for anchor in (spare.anchor, *spare.extra_anchors):
        if anchor is not None and anchor != kept.anchor and anchor not in kept.extra_anchors:
            kept.extra_anchors.append(anchor)
    return kept


def check_nothing_lost(phones: Sequence[Phone]) -> list[CheckResult]:
    """P1: created = stored ∪ quarantined, asked of the server record by record."""
    records = all_records(phones)
    waiting = [record_id for phone in phones for record_id in phone.outbox]
    missing: set[str] = set()
    quarantined: set[str] = set()
    for phone in phones:
        answer = reconcile(phone, list(phone.notebook.records.values()))
        missing |= answer["missing"]
        quarantined |= answer["quarantined"]
    poison = {record.id for record in records.values() if record.fate == "quarantined"}
    return [
        _result("P1", "outboxes are empty", waiting, f"{len(records)} records acknowledged"),
        _result("P1", "every record is on the server", missing, f"{len(records)} records found"),
        _result("P1", "bad records are in quarantine", poison - quarantined, f"{len(poison)} quarantined"),
        _result("P1", "good records are not in quarantine", quarantined - poison, "none"),
    ]


def check_bytes(phones: Sequence[Phone], office: "Office", rng: Random, sample: int = 50) -> CheckResult:
    """P1: the archive holds the exact bytes, for a sample (needs `GET /api/v1/records/{id}`)."""
    good = sorted(
        (record for record in all_records(phones).values() if record.fate == "stored"),
        key=lambda record: record.id,
    )
    wrong = []
    for record in rng.sample(good, min(sample, len(good))):
        answer = office.get(f"/api/v1/records/{record.id}")
        if answer is None:
            return CheckResult("P1", "archived bytes are the created ones", None, "not offered by this server")
        if answer.get("sha256") != hashlib.sha256(record.payload.encode()).hexdigest():
            wrong.append(record.id)
    return _result("P1", "archived bytes are the created ones", wrong, f"{min(sample, len(good))} compared")


class Office:
    """Read access to the office API through one phone's log-in."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone

    def get(self, path: str) -> dict[str, Any] | None:
        """The answer's object, or None when there is no such route or it is not allowed."""
        reply = self.phone.fetch(path)
        return reply.body if reply.status == 200 and isinstance(reply.body, dict) else None

    def summary(self) -> dict[str, Any] | None:
        """`{"records","quarantined","by_type"}` of the community, if offered."""
        return self.get("/api/v1/sync/summary")


def check_nothing_doubled(
    phones: Sequence[Phone], view: View, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> list[CheckResult]:
    """P2: as many records as were created, one task a hazard."""
    keys = Counter(key_of_task(task) for task in view.entities("task").values())
    doubled = [key for key, count in keys.items() if count > 1]
    found = [_result("P2", "one task for each hazard", doubled, f"{len(keys)} tasks")]
    if before is None or after is None:
        return [*found, CheckResult("P2", "records are counted once", None, "not offered by this server")]
    fates = Counter(record.fate for record in all_records(phones).values())
    for name, fate in (("records", "stored"), ("quarantined", "quarantined")):
        grown = int(after[name]) - int(before[name])
        detail = f"{fates[fate]} created, the server has {grown} more"
        ok = grown == fates[fate] or (name == "quarantined" and _has_scraps(phones) and grown > fates[fate])
        found.append(CheckResult("P2", f"{name} are counted once", ok, detail))
    return found


def _has_scraps(phones: Sequence[Phone]) -> bool:
    """True when quarantine may rightly hold more than the bad records: bodies that arrived broken and
    hold no legible record, and a clone's copy of a bad record under another anchor."""
    scraps = {Fault.CUT.value, Fault.DROPPED.value, Fault.CLONE.value}
    return any(not scraps.isdisjoint(phone.luck.counts) for phone in phones)


def check_hazards(phones: Sequence[Phone], view: View) -> list[CheckResult]:
    """P3: the tasks are those, and only those, that the visits in force give, whatever came when."""
    expected = visible(expected_hazards(all_records(phones).values()), view)
    live = {key_of_task(task) for task in view.entities("task").values() if task["state"] != "void"}
    return [
        _result("P3", "every observed hazard is a task", expected - live, f"{len(expected)} hazards"),
        _result("P3", "no task without an observation", _unexpected(phones, live), "none"),
    ]


def _unexpected(phones: Sequence[Phone], live: set[HazardKey]) -> set[HazardKey]:
    """Tasks at places of our visits that no visit in force explains."""
    records = all_records(phones)
    ever = expected_hazards(records.values())
    visited = {key.place_id for key in ever}
    return {key for key in live if key.place_id in visited and key not in ever} if ever else set()


def visible(keys: set[HazardKey], view: View) -> set[HazardKey]:
    """Those whose place is in the view; the scope of a log-in may be smaller than the community."""
    places = view.entities("place")
    return {key for key in keys if key.place_id in places}


def settle(
    observers: Sequence[Phone], is_ready: Callable[[View], bool], patience_s: float, pause_s: float = 0.5
) -> View:
    """Pull until `is_ready` and nothing changes any more, or patience ends; what the observers see together."""
    deadline = time.monotonic() + patience_s
    last: dict[Any, Any] | None = None
    quiet = 0
    while True:
        view = View()
        for observer in observers:
            pull_all(observer)
            view.rows.update(observer.view.rows)
        tasks = view.entities("task")
        quiet = quiet + 1 if tasks == last else 0
        last = tasks
        if (quiet >= 3 and is_ready(view)) or time.monotonic() > deadline:
            return view
        time.sleep(pause_s)
