"""The sealed rows that may name a person: records, console steps, issued work orders and notices, how notices were
served, what was done about dangerous houses, quarantined bodies.

Each kind of row is one ``Source``: how to find rows nobody has looked at yet, how to open them, and how to put a body
without its persons in the place of the sealed one (under a fresh key: the old key is destroyed).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, insert, null, select, update
from sqlalchemy.orm import Session

from backend.evacuations.models import EvacuationFact
from backend.identity.keys import Sealed, Sealer
from backend.inspections.models import Record, RecordKey
from backend.notices.models import Notice, NoticeService
from backend.privacy.models import PersonMention
from backend.rectification.models import IssuedOrder, TaskStep
from backend.sync.models import Quarantine

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """``columns``: id, sealed bytes, place, time (epoch ms or None), type, in this order."""

    name: str
    table: Any
    columns: tuple[Any, ...]
    is_open: ColumnElement[bool]
    read: Callable[[bytes], Body]
    has_persons: ColumnElement[bool]
    """True for rows from which persons were not yet taken out."""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An opened row; ``body`` is empty for bytes that nobody can read."""

    source: str
    id: UUID
    place_id: UUID | None
    at_ms: int | None
    type: str
    body: Body


def _read(raw: bytes) -> Body:
    body: Body = orjson.loads(raw)
    return body


def _read_quarantined(raw: bytes) -> Body:
    """The payload of a readable record; of anything else all text, as prose."""
    try:
        record = orjson.loads(raw)
        payload = orjson.loads(record["payload"])
        if isinstance(payload, dict):
            return payload
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    return {"note": raw.decode("utf-8", "replace")}


_ERASED_MS: Final = func.extract("epoch", Quarantine.received_at) * 1000
RECORD: Final = Source(
    "record",
    Record,
    (Record.id, Record.sealed, Record.place_id, Record.effective_ms, Record.type),
    Record.sealed.is_not(None),
    _read,
    Record.erased_at.is_(None),
)
STEP: Final = Source(
    "step",
    TaskStep,
    (TaskStep.id, TaskStep.sealed, TaskStep.place_id, TaskStep.effective_ms, TaskStep.kind),
    and_(TaskStep.from_record.is_(False), TaskStep.sealed.is_not(None)),
    _read,
    TaskStep.id.is_not(None),
)
ORDER: Final = Source(
    "order",
    IssuedOrder,
    (IssuedOrder.id, IssuedOrder.snapshot, IssuedOrder.building_id, IssuedOrder.issued_ms, IssuedOrder.number),
    IssuedOrder.snapshot != b"",
    _read,
    IssuedOrder.id.is_not(None),
)
QUARANTINE: Final = Source(
    "quarantine",
    Quarantine,
    (Quarantine.id, Quarantine.sealed, null(), _ERASED_MS, Quarantine.code),
    Quarantine.sealed.is_not(None),
    _read_quarantined,
    Quarantine.sealed.is_not(None),
)
NOTICE: Final = Source(
    "notice",
    Notice,
    (Notice.id, Notice.snapshot, Notice.place_id, Notice.issued_ms, Notice.number),
    Notice.id.is_not(None),
    _read,
    Notice.id.is_not(None),
)
SERVICE: Final = Source(
    "notice_service",
    NoticeService,
    (NoticeService.id, NoticeService.body, NoticeService.household_id, NoticeService.served_ms, NoticeService.mode),
    NoticeService.id.is_not(None),
    _read,
    NoticeService.id.is_not(None),
)
EVACUATION: Final = Source(
    "evacuation",
    EvacuationFact,
    (
        EvacuationFact.id,
        EvacuationFact.sealed,
        func.coalesce(EvacuationFact.household_id, EvacuationFact.house_id),
        EvacuationFact.effective_ms,
        EvacuationFact.kind,
    ),
    EvacuationFact.id.is_not(None),
    _read,
    EvacuationFact.id.is_not(None),
)
SOURCES: Final[Mapping[str, Source]] = {
    s.name: s for s in (RECORD, STEP, ORDER, NOTICE, SERVICE, EVACUATION, QUARANTINE)
}


def unseen(session: Session, community_id: UUID, source: Source, limit: int) -> list[UUID]:
    """Up to ``limit`` rows that nobody has looked at."""
    row_id = source.columns[0]
    looked_at = exists().where(
        PersonMention.community_id == community_id,
        PersonMention.source == source.name,
        PersonMention.source_id == row_id,
    )
    found = select(row_id).where(source.table.community_id == community_id, source.is_open, ~looked_at)
    return list(session.scalars(found.limit(limit)))


def open_rows(
    session: Session, sealer: Sealer, community_id: UUID, source: Source, ids: Collection[UUID], *, lock: bool = False
) -> list[OpenRow]:
    """The rows of ``ids`` that can be opened, by id."""
    found: Select[Any] = (
        select(*source.columns)
        .where(source.table.community_id == community_id, source.columns[0] == func.any(list(ids)), source.is_open)
        .order_by(source.columns[0])
    )
    rows: Sequence[Row[Any]] = session.execute(found.with_for_update() if lock else found).all()
    keys = select(RecordKey.record_id, RecordKey.key_version, RecordKey.wrapped).where(
        RecordKey.community_id == community_id, RecordKey.record_id == func.any([row[0] for row in rows])
    )
    key_of = {row[0]: (row[1], row[2]) for row in session.execute(keys)}
    opened = []
    for row in rows:
        row_id, sealed, place_id, at_ms, kind = tuple(row)
        if row_id in key_of:
            body = source.read(sealer.open(row_id, Sealed(sealed, *key_of[row_id])))
            opened.append(OpenRow(source.name, row_id, place_id, None if at_ms is None else int(at_ms), kind, body))
    return opened


def reseal(session: Session, sealer: Sealer, community_id: UUID, source: Source, row_id: UUID, body: Body) -> None:
    """Destroy the row's key and seal ``body`` in the stead of what it opened."""
    session.execute(delete(RecordKey).where(RecordKey.community_id == community_id, RecordKey.record_id == row_id))
    sealed = sealer.seal(row_id, orjson.dumps(body))
    key = {"record_id": row_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
    session.execute(insert(RecordKey).values(community_id=community_id, **key))
    values: dict[Any, Any] = {source.columns[1]: sealed.body}
    if source is RECORD:
        values[Record.erased_at] = func.now()
    session.execute(
        update(source.table)
        .where(source.table.community_id == community_id, source.columns[0] == row_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )
