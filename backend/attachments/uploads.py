"""Resumable uploads: announced, received in parts in any number of requests, checked as a whole, kept once.

A part is in the store, sealed, before the row says that it was received, and nothing is answered before the commit: a
store that fails or a process that is killed leaves the upload where it was. Whoever writes holds the row, so two
requests at once cannot both append.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend.attachments import errors
from backend.attachments.declaring import ERASED, RECEIVING, REFUSED, STORED
from backend.attachments.file_store import FileStore, part_name
from backend.attachments.kinds import MOST_BYTES
from backend.attachments.models import DeclaredAttachment, Upload, UploadPart
from backend.attachments.parts import drop_parts
from backend.attachments.service import seal_under_key
from backend.db import new_id
from backend.http.context import Runtime

#: An unfinished upload is kept that long after its last part: a phone may be without a network for weeks.
KEPT_UNFINISHED: Final = timedelta(days=30)
#: Unfinished uploads of one installation.
MOST_UNFINISHED: Final = 500
MOST_UNFINISHED_BYTES: Final = 2 * 1024**3
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class Announced:
    """What a phone says of a file before it sends it. ``mime`` and ``kind`` were checked against each other."""

    id: UUID
    kind: str
    mime: str
    sha256: bytes
    bytes: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an upload is received: the open transaction, whose community, from which installation."""

    session: Session
    runtime: Runtime
    community_id: UUID
    install_id: UUID | None
    account_id: UUID
    now_ms: int


def announce(desk: Desk, said: Announced) -> Upload:
    """The upload of this id, new or as far as it came. The same again is harmless.

    FileTooLarge, DeclaredOtherwise, AttachmentIdReused, UploadQuota, StorageFull, or why it was refused for ever.
    """
    if said.bytes > MOST_BYTES:
        raise errors.FileTooLarge(max_bytes=MOST_BYTES)
    row = _held(desk, said.id)
    declared = _is_declared(desk, said)
    if row is None:
        desk.runtime.part(FileStore).ensure_room()
        _ensure_quota(desk, said.bytes)
        row = _begun(desk, said)
    if (row.sha256, row.bytes) != (said.sha256, said.bytes):
        if not declared or row.state == ERASED:
            raise errors.AttachmentIdReused
        # Other bytes came first under this id; what the record declares counts.
        _begin_anew(desk, row, said)
    if row.state == REFUSED:
        raise errors.REFUSALS[row.code or ""]
    if row.state == RECEIVING and row.expires_at <= _now():
        _begin_anew(desk, row, said)
    return row


def find_upload(desk: Desk, upload_id: UUID, *, to_write: bool = False) -> Upload:
    """UploadUnknown, UploadExpired; when ``to_write``, UploadLocked while another request writes."""
    row = _held(desk, upload_id, wait=not to_write) if to_write else _read(desk, upload_id)
    if row is None:
        raise errors.UploadUnknown
    if row.state == RECEIVING and row.expires_at <= _now():
        raise errors.UploadExpired
    return row


def append(desk: Desk, row: Upload, offset: int, chunk: bytes) -> None:
    """Add bytes at ``offset``, which must be where the upload stands. OffsetMismatch, FileTooLarge, Unavailable."""
    if offset != row.received:
        raise errors.OffsetMismatch(offset=row.received)
    if row.state == REFUSED:
        raise errors.REFUSALS[row.code or ""]
    if offset + len(chunk) > row.bytes:
        raise errors.FileTooLarge(max_bytes=row.bytes)
    if not chunk:
        return
    part_id = new_id()
    sealed = seal_under_key(desk.session, desk.runtime, desk.community_id, part_id, chunk)
    desk.runtime.part(FileStore).put(part_name(desk.community_id, part_id), sealed)
    desk.session.add(
        UploadPart(
            community_id=desk.community_id,
            upload_id=row.id,
            generation=row.generation,
            start=offset,
            part_id=part_id,
        )
    )
    row.received = offset + len(chunk)
    row.expires_at = _now() + KEPT_UNFINISHED
    desk.session.flush()


def terminate(desk: Desk, row: Upload) -> None:
    """Forget an unfinished upload. UploadFinished for a whole one: it is evidence."""
    if row.state in (STORED, ERASED):
        raise errors.UploadFinished
    drop_parts(desk.session, desk.community_id, [row.id], desk.runtime)
    desk.session.delete(row)
    desk.session.flush()


def _read(desk: Desk, upload_id: UUID) -> Upload | None:
    return desk.session.get(Upload, (desk.community_id, upload_id), populate_existing=True)


def _held(desk: Desk, upload_id: UUID, *, wait: bool = True) -> Upload | None:
    """The row, locked until the end of the transaction; UploadLocked at once unless ``wait``."""
    found = select(Upload).where(Upload.community_id == desk.community_id, Upload.id == upload_id)
    try:
        return desk.session.scalars(found.with_for_update(nowait=not wait)).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise errors.UploadLocked from error
        raise


def _is_declared(desk: Desk, said: Announced) -> bool:
    """Whether a record declares the file just so; DeclaredOtherwise when records speak of it, and none of them so."""
    rows = desk.session.execute(
        select(DeclaredAttachment.sha256, DeclaredAttachment.bytes, DeclaredAttachment.mime).where(
            DeclaredAttachment.community_id == desk.community_id, DeclaredAttachment.attachment_id == said.id
        )
    ).all()
    if rows and (said.sha256, said.bytes, said.mime) not in [tuple(row) for row in rows]:
        raise errors.DeclaredOtherwise
    return bool(rows)


def _ensure_quota(desk: Desk, more: int) -> None:
    count, size = desk.session.execute(
        select(func.count(), func.coalesce(func.sum(Upload.bytes), 0)).where(
            Upload.community_id == desk.community_id,
            Upload.install_id == desk.install_id,
            Upload.state == RECEIVING,
            Upload.expires_at > func.now(),
        )
    ).one()
    if count >= MOST_UNFINISHED or int(size) + more > MOST_UNFINISHED_BYTES:
        raise errors.UploadQuota


def _begun(desk: Desk, said: Announced) -> Upload:
    """The new row, or that of whoever announced it in this very moment."""
    row = {
        "community_id": desk.community_id,
        "id": said.id,
        "install_id": desk.install_id,
        "account_id": desk.account_id,
        "kind": said.kind,
        "mime": said.mime,
        "sha256": said.sha256,
        "bytes": said.bytes,
        "state": RECEIVING,
        "expires_at": _now() + KEPT_UNFINISHED,
    }
    desk.session.execute(insert(Upload).values(row).on_conflict_do_nothing())
    made = _held(desk, said.id)
    if made is None:
        raise errors.UploadUnknown
    return made


def _begin_anew(desk: Desk, row: Upload, said: Announced) -> None:
    row.generation, row.received, row.state, row.code, row.file_id = row.generation + 1, 0, RECEIVING, None, None
    row.kind, row.mime, row.sha256, row.bytes = said.kind, said.mime, said.sha256, said.bytes
    row.expires_at = _now() + KEPT_UNFINISHED
    desk.session.flush()


def _now() -> datetime:
    return datetime.now(UTC)
