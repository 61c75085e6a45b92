"""Taking records in, in one transaction: archive, facts, waiting, compile jobs, quarantine, and a result for each."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from backend.attachments.declaring import declare, missing_of, states_of
from backend.inspections import waiting
from backend.inspections.archive import places_of_families
from backend.inspections.models import Record
from backend.inspections.record_kinds import Reference
from backend.jobs import ledger
from backend.places.facts import hold_places
from backend.sync.judging import Judged, judge
from backend.sync.quarantine import ACCEPTED, ERASED, Refused, accept_held, hold, refused_good
from backend.sync.received import note_received
from backend.sync.resends import Standing, consider
from backend.sync.storing import Stored, keep_facts, store
from backend.sync.taking import Taking
from mobile_contract.sync.envelope import GoodRecord
from mobile_contract.sync.outcomes import Problem, PushResult, RecordOutcome, TimeQuality

REUSED = (Problem("/id", "id_reused"),)
POISON = (Problem("/payload", "record_invalid"),)


@dataclass(slots=True)
class Results:
    """Results by position of the record in the request."""

    by_position: dict[int, PushResult] = field(default_factory=dict)

    def in_order(self) -> list[PushResult]:
        """One result per record, in the order of the request."""
        return [self.by_position[position] for position in sorted(self.by_position)]


def take_in(taking: Taking, records: Sequence[GoodRecord], refused: Sequence[Refused], results: Results) -> None:
    """Take records in and hold the refused ones. Everything is in this transaction; nothing is committed here."""
    judged, unfit = judge(taking, records)
    stored = store(taking, judged)
    refused = [*refused, *(refused_good(u.good, u.problems) for u in unfit)]
    places = _make_known(taking, stored)
    standing, moved = consider(taking, stored.again)
    missing = _missing(taking, [*stored.new, *stored.again])
    ledger.want(taking.session, waiting.COMPILE, taking.community_id, {*places, *(str(place) for place in moved)})
    refused += [refused_good(record.good, REUSED) for record in stored.reused]
    refused += [refused_good(record.good, POISON) for record in stored.poison]
    named = [(r.row.id, r.row.sha256) for r in stored.new]
    accept_held(taking.session, taking.community_id, named)
    note_received(taking, named)
    _tell(results, stored, standing, missing)
    hold_refused(taking, refused, results)


def _make_known(taking: Taking, stored: Stored) -> set[str]:
    """Keep the new records' facts, wake who waited for them, note what they wait for; the places to compile."""
    session, community_id = taking.session, taking.community_id
    if not stored.new:
        return set()
    named: dict[str, set[str]] = {"record": set(), "form": set(), "place": set()}
    for record in stored.new:
        for ref_type, ref_id in record.references:
            named[ref_type].add(ref_id)
    roots, forms = named["record"], named["form"]
    unknown = _unknown(taking, roots, forms)
    waiting.lock(session, community_id, alone=bool(unknown))
    if unknown:
        taking.forget_unknown_forms()
        unknown = _unknown(taking, roots, forms)
    known = keep_facts(taking, stored)
    declare(session, community_id, ((r.row.id, r.row.place_id, _attachments(r)) for r in stored.new))
    unknown |= _unknown_places(taking, named["place"])
    if unknown:
        _note_waiting(taking, stored.new, unknown)
    woken = waiting.settle(session, community_id, {"record": (record.good.id for record in stored.new)})
    if known:
        woken |= waiting.settle(session, community_id, {"place": (reference.id for reference in known)})
    corrections = {record.row.id for record in stored.new if record.row.root_id is not None}
    woken |= places_of_families(session, community_id, corrections)
    return {place for record in stored.new for place in record.places} | {str(place) for place in woken}


def _unknown(taking: Taking, roots: Collection[str], forms: Collection[str]) -> set[Reference]:
    missing = waiting.unknown_records(taking.session, taking.community_id, roots)
    found = {Reference("record", root) for root in missing}
    for name in forms:
        code, _, version = name.rpartition("/")
        if taking.form(code, int(version)) is None:
            found.add(Reference("form", name))
    return found


def _unknown_places(taking: Taking, places: Collection[str]) -> set[Reference]:
    missing = waiting.unknown_places(taking.session, taking.community_id, places)
    if missing:
        hold_places(taking.session, taking.community_id)
        missing = waiting.unknown_places(taking.session, taking.community_id, missing)
    return {Reference("place", place) for place in missing}


def _note_waiting(taking: Taking, records: Iterable[Judged], unknown: set[Reference]) -> None:
    needed = {record.row.id: unknown.intersection(record.references) for record in records}
    waiting.wait(
        taking.session,
        taking.community_id,
        {record_id: references for record_id, references in needed.items() if references},
        {record.row.id: record.row.place_id for record in records},
    )


def _tell(results: Results, stored: Stored, standing: dict[UUID, Standing], missing: Collection[UUID]) -> None:
    for record in stored.new:
        found = standing.get(record.row.id)
        results.by_position[record.good.position] = PushResult(
            record.good.id,
            RecordOutcome.STORED,
            found.effective_ms if found else record.row.effective_ms,
            found.quality if found else TimeQuality(record.row.time_quality),
            missing_attachments=_still_missing(record, missing),
        )
    for record in stored.again:
        found = standing.get(record.row.id)
        if found is None:
            stored.unkept.append(record)
            continue
        results.by_position[record.good.position] = PushResult(
            record.good.id,
            RecordOutcome.DUPLICATE,
            found.effective_ms,
            found.quality,
            missing_attachments=() if found.erased else _still_missing(record, missing),
        )
    for record in stored.unkept:
        results.by_position[record.good.position] = PushResult(record.good.id, RecordOutcome.RETRY)


def _attachments(record: Judged) -> Sequence[dict[str, Any]]:
    return record.good.data.get("attachments") or ()


def _missing(taking: Taking, records: Sequence[Judged]) -> set[UUID]:
    """Of all attachments that these records declare, those whose bytes are still to come."""
    ids = {UUID(item["id"]) for record in records for item in _attachments(record)}
    return missing_of(states_of(taking.session, taking.community_id, ids), ids)


def _still_missing(record: Judged, missing: Collection[UUID]) -> tuple[str, ...]:
    return tuple(item["id"].lower() for item in _attachments(record) if UUID(item["id"]) in missing)


def without_stored(taking: Taking, refused: Sequence[Refused], results: Results) -> list[Refused]:
    """Those of ``refused`` that are not in the archive. A resend is harmless whoever makes it: it changes nothing, not
    even the record's time, and is answered ``duplicate``."""
    named = [item.record_id for item in refused if item.record_id is not None]
    if not named:
        return list(refused)
    rows = taking.session.execute(
        select(Record.id, Record.sha256, Record.effective_ms, Record.time_quality).where(
            Record.community_id == taking.community_id, Record.id == func.any(named)
        )
    )
    held = {(row.id, row.sha256): row for row in rows}
    left: list[Refused] = []
    for item in refused:
        row = None if item.record_id is None else held.get((item.record_id, item.sha256))
        if row is None:
            left.append(item)
            continue
        results.by_position[item.position] = PushResult(
            str(row.id), RecordOutcome.DUPLICATE, row.effective_ms, TimeQuality(row.time_quality)
        )
    return left


def hold_refused(taking: Taking, refused: Sequence[Refused], results: Results) -> None:
    """Keep refused records; bytes that are in the archive, or were accepted or erased meanwhile, are duplicates."""
    refused = without_stored(taking, refused, results)
    for item, row in zip(refused, hold(taking, refused), strict=True):
        record_id = None if item.record_id is None else str(item.record_id)
        if row.state in (ACCEPTED, ERASED):
            results.by_position[item.position] = PushResult(record_id, RecordOutcome.DUPLICATE)
        else:
            results.by_position[item.position] = PushResult(
                record_id, RecordOutcome.QUARANTINED, quarantine_id=str(row.id), errors=item.problems
            )
