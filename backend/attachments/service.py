"""Keeping a file: what it is is told by its first bytes, what it is called by its hash."""

import hashlib
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.attachments.errors import AttachmentKindUnknown
from backend.attachments.file_store import FileStore
from backend.attachments.models import Attachment
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealed
from backend.inspections.models import RecordKey

#: Of one upload.
MOST_BYTES: Final = 20 * 1024 * 1024
NS_ATTACHMENT: Final = UUID("0b0d8f5e-8d2d-5e0c-9f4a-51c7a1a3c2d7")
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


def kind_of(raw: bytes) -> str:
    """The MIME type by magic bytes; AttachmentKindUnknown."""
    for magic, mime in _MAGIC:
        if raw.startswith(magic):
            return mime
    raise AttachmentKindUnknown


def keep_attachment(
    session: Session, runtime: Runtime, community_id: UUID, raw: bytes, *, account_id: UUID, now_ms: int
) -> Attachment:
    """Seal and store a file; the same bytes sent again are the same attachment. AttachmentKindUnknown.

    Whoever stores first gives the key: the row is made before the file, in a transaction that others wait for, and the
    file is on the disk before the commit.
    """
    mime, digest = kind_of(raw), hashlib.sha256(raw).digest()
    file_id = uuid5(NS_ATTACHMENT, f"{community_id}|{digest.hex()}")
    values = {"sha256": digest, "mime": mime, "bytes": len(raw), "stored_ms": now_ms, "stored_by": account_id}
    added = insert(Attachment).values(community_id=community_id, id=file_id, **values).on_conflict_do_nothing()
    if session.execute(added.returning(Attachment.id)).first() is not None:
        sealed = runtime.part(Keyring).sealer(session, community_id).seal(file_id, raw)
        session.execute(
            insert(RecordKey).values(
                community_id=community_id, record_id=file_id, key_version=sealed.key_version, wrapped=sealed.wrapped
            )
        )
        runtime.part(FileStore).put(community_id, digest, sealed.body)
    return session.get_one(Attachment, (community_id, file_id))


def find_attachment(session: Session, runtime: Runtime, community_id: UUID, sha256: bytes) -> tuple[str, bytes] | None:
    """MIME type and bytes of a stored file; None when it is not here (yet), or was lawfully erased."""
    row = session.execute(
        select(Attachment.id, Attachment.mime, RecordKey.key_version, RecordKey.wrapped)
        .join(RecordKey, (RecordKey.community_id == Attachment.community_id) & (RecordKey.record_id == Attachment.id))
        .where(Attachment.community_id == community_id, Attachment.sha256 == sha256)
    ).one_or_none()
    sealed = None if row is None else runtime.part(FileStore).find(community_id, sha256)
    if row is None or sealed is None:
        return None
    sealer = runtime.part(Keyring).sealer(session, community_id)
    return row.mime, sealer.open(row.id, Sealed(sealed, row.key_version, row.wrapped))
