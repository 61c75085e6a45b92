"""The sealed archive: storing records as they came, and opening them again.

Records are immutable. What may follow later is told by :mod:`backend.inspections.resends` (anchors) and
:mod:`backend.inspections.erasure`.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.bulk import BulkInsert
from backend.identity.keys import Sealed, Sealer
from backend.inspections.models import Record, RecordKey, RecordPlace
from mobile_contract.sync.ordering import Revision, order_key


class RecordRow(NamedTuple):
    """A record to be stored, in the order of the insert's columns; ``anchors`` is JSON text,
    ``actor_scopes`` an array's text."""

    id: UUID
    type: str
    schema_version: int
    sha256: bytes
    sealed: bytes
    author_id: UUID
    actor_role: str | None
    actor_scopes: str
    seq: int
    boot_id: str
    elapsed_ms: int
    wall_ms: int
    anchors: str
    effective_ms: int
    time_quality: str
    in_future: bool
    place_id: UUID | None
    root_id: UUID | None
    root_op: str | None


class KeyRow(NamedTuple):
    """The wrapped key of a sealed row."""

    record_id: UUID
    key_version: int
    wrapped: bytes


class Held(NamedTuple):
    """What the archive holds under an id: ``sha256`` None for nothing at all."""

    sha256: bytes | None


_RECORDS: Final = BulkInsert(
    Record, RecordRow._fields, constants=("community_id", "push_id", "install_id", "repaired_from")
)
_KEYS: Final = BulkInsert(RecordKey, KeyRow._fields, constants=("community_id",))
_PLACES: Final = BulkInsert(RecordPlace, ("record_id", "place_id"), constants=("community_id",))


# Joined row by row with what was sent, so that for a plain push nothing but "no difference" travels back. The
# transaction's own time stamp tells this push from an earlier request with the same push_id.
_READ_BACK: Final = """
    SELECT sent.id, held.sha256
    FROM unnest(%(ids)b::uuid[], %(hashes)b::bytea[]) AS sent (id, sha256)
    LEFT JOIN record held ON held.community_id = %(community)b AND held.id = sent.id
    WHERE held.id IS NULL OR held.sha256 <> sent.sha256
       OR NOT (held.push_id = %(push)b AND held.received_at = now())
"""


def store_records(
    session: Session,
    community_id: UUID,
    push_id: UUID,
    install_id: UUID,
    rows: Sequence[RecordRow],
    repaired_from: UUID | None = None,
) -> None:
    """Store what is not here yet, in the order given (by id, so that two pushes cannot deadlock)."""
    if rows:
        _RECORDS.run(
            session,
            tuple(zip(*rows, strict=True)),
            community_id=community_id,
            push_id=push_id,
            install_id=install_id,
            repaired_from=repaired_from,
        )


def read_back(session: Session, community_id: UUID, push_id: UUID, rows: Sequence[RecordRow]) -> dict[UUID, Held]:
    """What the archive holds under the ids of ``rows`` that is *not* this push's own new row with these bytes.

    An id that is not in the answer was stored by this very transaction, byte for byte: the only ground for telling a
    phone ``stored``.
    """
    if not rows:
        return {}
    found = session.connection().exec_driver_sql(
        _READ_BACK,
        {
            "ids": [row.id for row in rows],
            "hashes": [row.sha256 for row in rows],
            "community": community_id,
            "push": push_id,
        },
    )
    return {row[0]: Held(row[1]) for row in found}


def store_keys(session: Session, community_id: UUID, keys: Sequence[KeyRow]) -> None:
    """Store the wrapped keys of rows that were sealed."""
    if keys:
        _KEYS.run(session, tuple(zip(*keys, strict=True)), community_id=community_id)


def store_places(session: Session, community_id: UUID, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Store ``(record_id, place_id)`` for the places a record names beside its main one."""
    if pairs:
        _PLACES.run(session, tuple(zip(*pairs, strict=True)), community_id=community_id)


def unstore_records(session: Session, community_id: UUID, ids: Sequence[UUID]) -> None:
    """Take back what this very transaction stored and now cannot keep."""
    for table, column in (
        (RecordPlace, RecordPlace.record_id),
        (RecordKey, RecordKey.record_id),
        (Record, Record.id),
    ):
        session.execute(delete(table).where(table.community_id == community_id, column == func.any(list(ids))))


class ArchivedRecord(NamedTuple):
    """A record out of the archive. ``payload`` is None once it was lawfully erased."""

    id: UUID
    type: str
    author_id: UUID
    actor_scopes: Sequence[str]
    install_id: UUID
    seq: int
    effective_ms: int
    time_quality: str
    wall_ms: int
    place_id: UUID | None
    root_id: UUID | None
    root_op: str | None
    schema_version: int
    payload: dict[str, Any] | None


_SHOWN: Final = (
    Record.id,
    Record.type,
    Record.author_id,
    Record.actor_scopes,
    Record.install_id,
    Record.seq,
    Record.effective_ms,
    Record.time_quality,
    Record.wall_ms,
    Record.place_id,
    Record.root_id,
    Record.root_op,
    Record.schema_version,
    Record.sealed,
)


def revision_of(record: ArchivedRecord, *, may_supervise: bool) -> Revision:
    """A record as far as amending is concerned. An erased one goes on counting: what it corrected must not return.

    ``may_supervise``: the author's roles allow it to correct others' records (``backend.inspections.supervising``).
    """
    root = None if record.root_id is None else str(record.root_id)
    reason = "erased" if record.payload is None else record.payload.get("reason")
    return Revision(
        order_key(record.effective_ms, record.install_id, record.seq, record.id),
        record.type,
        str(record.author_id),
        amends=root if record.root_op == "amends" else None,
        voids=root if record.root_op == "voids" else None,
        reason=reason,
        may_supervise=may_supervise,
    )


def load_records(session: Session, sealer: Sealer, community_id: UUID, ids: Collection[UUID]) -> list[ArchivedRecord]:
    """The records of ``ids`` that exist, opened, by id."""
    wanted = list(ids)
    rows = session.execute(
        select(*_SHOWN).where(Record.community_id == community_id, Record.id == func.any(wanted)).order_by(Record.id)
    )
    # Not a join: the planner would at times read all keys there are.
    keys = session.execute(
        select(RecordKey.record_id, RecordKey.key_version, RecordKey.wrapped).where(
            RecordKey.community_id == community_id, RecordKey.record_id == func.any(wanted)
        )
    )
    key_of = {record_id: (version, wrapped) for record_id, version, wrapped in keys}
    return [_opened(sealer, row, key_of.get(row[0])) for row in rows]


def load_places_records(
    session: Session,
    sealer: Sealer,
    community_id: UUID,
    place_ids: Collection[UUID],
    types: Iterable[str] = ("visit",),
) -> list[ArchivedRecord]:
    """Every record that has a say about ``place_ids``, opened: those that name one of the places, and the
    whole family (root and corrections) of each of them, wherever its other members may be."""
    return load_records(session, sealer, community_id, families(session, community_id, place_ids, types))


def families(session: Session, community_id: UUID, place_ids: Collection[UUID], types: Iterable[str]) -> set[UUID]:
    """Ids of the records that name one of ``place_ids``, with their roots and all corrections of those."""
    wanted = list(place_ids)
    of_type = Record.type.in_(list(types))
    named = select(Record.id, Record.root_id).where(Record.community_id == community_id, of_type)
    beside = select(RecordPlace.record_id).where(
        RecordPlace.community_id == community_id, RecordPlace.place_id == func.any(wanted)
    )
    rows = list(session.execute(named.where(Record.place_id == func.any(wanted))))
    further = session.scalars(beside).all()
    if further:
        rows += session.execute(named.where(Record.id == func.any(list(further))))
    found = {row[0] for row in rows}
    roots = {row[1] or row[0] for row in rows}
    corrections = session.scalars(
        select(Record.id).where(Record.community_id == community_id, Record.root_id == func.any(list(roots)))
    )
    return found | roots | set(corrections)


def places_of_families(session: Session, community_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Every place named by the records of ``ids``, by their roots, and by all corrections of those."""
    if not ids:
        return set()
    here = Record.community_id == community_id
    own = session.execute(select(Record.id, Record.root_id).where(here, Record.id == func.any(list(ids))))
    roots = {row[1] or row[0] for row in own} | set(ids)
    rows = session.execute(
        select(Record.id, Record.place_id).where(
            here, (Record.id == func.any(list(roots))) | (Record.root_id == func.any(list(roots)))
        )
    ).all()
    beside = session.scalars(
        select(RecordPlace.place_id).where(
            RecordPlace.community_id == community_id, RecordPlace.record_id == func.any([r[0] for r in rows])
        )
    )
    return {row[1] for row in rows if row[1] is not None} | set(beside)


def _opened(sealer: Sealer, row: Any, key: tuple[int, bytes] | None) -> ArchivedRecord:
    payload = None
    if row.sealed is not None and key is not None:
        payload = orjson.loads(sealer.open(row.id, Sealed(row.sealed, *key)))
    return ArchivedRecord._make((*row[:13], payload))
