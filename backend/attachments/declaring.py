"""What records say belongs to them, and what of it is here. Records never wait for files, nor files for records."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.attachments.models import Attachment, DeclaredAttachment, Upload

RECEIVING: Final = "receiving"
STORED: Final = "stored"
REFUSED: Final = "refused"
ERASED: Final = "erased"
#: Declared, and nothing of it came; or what came is not what was declared.
AWAITED: Final = "awaited"
#: When a row expires that does not.
NEVER: Final = datetime.max.replace(tzinfo=UTC)
STATES: Final = (AWAITED, RECEIVING, STORED, REFUSED, ERASED)


@dataclass(frozen=True, slots=True)
class FileState:
    """An attachment as far as it is known. ``sha256``, ``mime`` and ``bytes`` are as declared, else as stored."""

    id: UUID
    state: str
    sha256: bytes
    mime: str
    bytes: int
    received: int
    code: str | None = None
    file_id: UUID | None = None


def declare(
    session: Session,
    community_id: UUID,
    declared: Iterable[tuple[UUID, UUID | None, Iterable[Mapping[str, Any]]]],
) -> None:
    """Write down ``(record id, place id, attachments as in its payload)``; again is harmless."""
    rows = [
        {
            "community_id": community_id,
            "attachment_id": UUID(item["id"]),
            "record_id": record_id,
            "place_id": place_id,
            "sha256": bytes.fromhex(item["sha256"]),
            "bytes": int(item["bytes"]),
            "mime": item["mime"],
        }
        for record_id, place_id, items in declared
        for item in items
    ]
    if rows:
        session.connection().execute(insert(DeclaredAttachment).on_conflict_do_nothing(), rows)


def keep_as_stored(session: Session, row: Attachment) -> None:
    """What the office stores at once is an upload that is finished: known under its own id like a phone's."""
    known = {"community_id": row.community_id, "id": row.id, "account_id": row.stored_by, "kind": "photo"}
    known |= {"mime": row.mime, "sha256": row.sha256, "bytes": row.bytes, "received": row.bytes}
    stored = {"state": STORED, "file_id": row.id}
    kept = insert(Upload).values(**known, **stored, expires_at=NEVER)
    session.execute(kept.on_conflict_do_update(index_elements=[Upload.community_id, Upload.id], set_=stored))


def states_of(session: Session, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, FileState]:
    """How each known attachment stands: declared by a record, announced by a phone, or stored by the office.

    An id that is not in the answer was never heard of.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    known = {row.id: _as_announced(row) for row in session.scalars(_of(Upload, Upload.id, community_id, wanted))}
    found = dict(known)
    declared = _of(DeclaredAttachment, DeclaredAttachment.attachment_id, community_id, wanted)
    for row in session.scalars(declared.order_by(DeclaredAttachment.record_id)):
        found[row.attachment_id] = _as_declared(row, known.get(row.attachment_id), found.get(row.attachment_id))
    return found


def missing_of(known: Mapping[UUID, FileState], ids: Iterable[UUID]) -> set[UUID]:
    """Those of ``ids`` that a phone must still bring: not here, and not refused for ever."""
    return {id_ for id_ in ids if id_ not in known or known[id_].state in (AWAITED, RECEIVING)}


def _of(table: Any, column: Any, community_id: UUID, wanted: list[UUID]) -> Any:
    return select(table).where(table.community_id == community_id, column == func.any(wanted))


def _as_announced(row: Upload) -> FileState:
    return FileState(row.id, row.state, row.sha256, row.mime, row.bytes, row.received, row.code, row.file_id)


def _as_declared(row: DeclaredAttachment, known: FileState | None, found: FileState | None) -> FileState:
    """A record's word counts: other bytes that came under its id are not what it declared.

    ``found`` is the answer by the records looked at before: a file that one of them declared so is theirs.
    """
    if known is not None and (known.state == ERASED or known.sha256 == row.sha256):
        return known
    if found is not None and found is not known:
        return found
    return FileState(row.attachment_id, AWAITED, row.sha256, row.mime, row.bytes, 0)
