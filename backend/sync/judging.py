"""From records whose frame is right to rows that can be stored, and those whose answers are wrong."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from backend.inspections.archive import KeyRow, RecordRow
from backend.inspections.record_kinds import AcceptedRecord, RecordKind, Reference
from backend.sync.taking import Taking
from mobile_contract.sync.clock import effective_of
from mobile_contract.sync.envelope import GoodRecord
from mobile_contract.sync.outcomes import Problem
from mobile_contract.sync.payload import phone_time

UNKNOWN_TYPE: Final = Problem("/type", "type_unknown")
UNKNOWN_AUTHOR: Final = Problem("/payload/author_id", "author_unknown")


class Judged(NamedTuple):
    """A record that may be stored: its row and key, the places it concerns, what it needs to be known, and its author's
    roles."""

    good: GoodRecord
    kind: RecordKind
    row: RecordRow
    key: KeyRow
    places: Sequence[str]
    references: Sequence[Reference]
    scopes: Sequence[str]

    def accepted(self, install_id: UUID) -> AcceptedRecord:
        """As record kinds see it."""
        row = self.row
        return AcceptedRecord(
            row.id,
            self.good.data,
            self.good.body,
            row.author_id,
            row.actor_role,
            self.scopes,
            install_id,
            row.seq,
            row.effective_ms,
            row.wall_ms,
            row.root_id,
            row.root_op,
        )


class Unfit(NamedTuple):
    """A record that goes to quarantine, with the reasons."""

    good: GoodRecord
    problems: tuple[Problem, ...]


def judge(taking: Taking, records: Sequence[GoodRecord]) -> tuple[list[Judged], list[Unfit]]:
    """Check bodies against their forms, find each record's own time, seal it. Judged ones come sorted by id."""
    taking.learn_authors({record.data["author_id"] for record in records})
    judged: list[Judged] = []
    unfit: list[Unfit] = []
    for record in records:
        kind = taking.kinds.find(record.type)
        problems = (UNKNOWN_TYPE,) if kind is None else problems_of(taking, record, kind)
        if kind is None or problems:
            unfit.append(Unfit(record, tuple(problems)))
        else:
            judged.append(_judged(taking, record, kind))
    judged.sort(key=lambda found: found.good.id)
    return judged, unfit


def problems_of(taking: Taking, record: GoodRecord, kind: RecordKind) -> Sequence[Problem]:
    """What is wrong with the body. A check that fails itself counts as a fault of the record: it is kept, and its
    neighbours are not held up."""
    if record.data["author_id"] not in taking.authors:
        return (UNKNOWN_AUTHOR,)
    if record.data.get("voids"):
        return ()
    try:
        return kind.validate(record.data, taking.form)
    except Exception:
        structlog.get_logger().exception("record_check_failed", record_id=record.id, type=record.type)
        return (Problem("/payload", "record_invalid"),)


def _judged(taking: Taking, record: GoodRecord, kind: RecordKind) -> Judged:
    data = record.data
    row_id = UUID(record.id)
    sealed = taking.sealer.seal(row_id, record.body)
    time = phone_time(data)
    anchors, anchors_text = taking.genuine(record.anchor)
    effective_ms, quality = effective_of(time, anchors)
    author = taking.authors[data["author_id"]]
    root, root_op = root_of(record)
    places = kind.places_of(data)
    row = RecordRow(
        row_id,
        record.type,
        record.schema_version,
        bytes.fromhex(record.sha256),
        sealed.body,
        author.id,
        author.role,
        author.scopes_text,
        int(data["seq"]),
        time.boot_id,
        time.elapsed_ms,
        time.wall_ms,
        anchors_text,
        effective_ms,
        quality.value,
        effective_ms > taking.now_ms,
        UUID(places[0]) if places else None,
        root,
        root_op,
    )
    references = kind.references(data)
    if root is not None:
        references = [*references, Reference("record", str(root))]
    return Judged(
        record, kind, row, KeyRow(row_id, sealed.key_version, sealed.wrapped), places, references, author.scopes
    )


def root_of(record: GoodRecord) -> tuple[UUID | None, str | None]:
    """The record it corrects, and how."""
    for op in ("amends", "voids"):
        root = record.data.get(op)
        if root is not None:
            return UUID(root), op
    return None, None


def digest(raw: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(raw).digest()
