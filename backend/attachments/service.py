"""Keeping a file: what it is is told by its own bytes, what it is called by its hash."""

import hashlib
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.attachments.file_store import FileStore, content_name
from backend.attachments.kinds import kind_of
from backend.attachments.models import Attachment
from backend.db import after_commit
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealed
from backend.inspections.models import RecordKey
from backend.jobs import ledger

NS_ATTACHMENT: Final = UUID("0b0d8f5e-8d2d-5e0c-9f4a-51c7a1a3c2d7")
#: The worker's job that looks at new files.
EXAMINE: Final = "photo"


def keep_attachment(
    session: Session, runtime: Runtime, community_id: UUID, raw: bytes, *, account_id: UUID, now_ms: int
) -> Attachment:
    """Seal and store a file; the same bytes sent again are the same attachment. AttachmentKindUnknown, ImageTooLarge.

    Whoever stores first gives the key: the row is made before the file, in a transaction that others wait for, and the
    file is in the store before the commit. What was erased, or lost from the store, is stored anew under a new key.
    """
    mime, digest = kind_of(raw), hashlib.sha256(raw).digest()
    file_id = uuid5(NS_ATTACHMENT, f"{community_id}|{digest.hex()}")
    values = {"sha256": digest, "mime": mime, "bytes": len(raw), "stored_ms": now_ms, "stored_by": account_id}
    added = insert(Attachment).values(community_id=community_id, id=file_id, **values).on_conflict_do_nothing()
    is_new = session.execute(added.returning(Attachment.id)).first() is not None
    if is_new or not _is_held(session, runtime, community_id, file_id, digest):
        name = content_name(community_id, digest)
        runtime.part(FileStore).put(name, seal_under_key(session, runtime, community_id, file_id, raw))
        ledger.want(session, EXAMINE, community_id, [str(file_id)])
        after_commit(session, lambda: runtime.doorbell.ring(EXAMINE, community_id))
    return session.get_one(Attachment, (community_id, file_id))


def seal_under_key(session: Session, runtime: Runtime, community_id: UUID, row_id: UUID, raw: bytes) -> bytes:
    """``raw`` sealed under a fresh key that is kept as the ``record_key`` of ``row_id``."""
    sealed = runtime.part(Keyring).sealer(session, community_id).seal(row_id, raw)
    key = {"key_version": sealed.key_version, "wrapped": sealed.wrapped}
    kept = insert(RecordKey).values(community_id=community_id, record_id=row_id, **key)
    session.execute(kept.on_conflict_do_update(index_elements=[RecordKey.community_id, RecordKey.record_id], set_=key))
    return sealed.body


def open_under_key(
    session: Session, runtime: Runtime, community_id: UUID, row_id: UUID, sealed: bytes | None
) -> bytes | None:
    """What :func:`seal_under_key` sealed; None when the key was destroyed or there are no bytes."""
    key = session.get(RecordKey, (community_id, row_id), populate_existing=True)
    if key is None or sealed is None:
        return None
    sealer = runtime.part(Keyring).sealer(session, community_id)
    return sealer.open(row_id, Sealed(sealed, key.key_version, key.wrapped))


def destroy_keys(session: Session, community_id: UUID, row_ids: list[UUID]) -> None:
    """Nothing opens the bytes sealed under these ids any more."""
    session.execute(delete(RecordKey).where(RecordKey.community_id == community_id, RecordKey.record_id.in_(row_ids)))


def find_attachment(session: Session, runtime: Runtime, community_id: UUID, sha256: bytes) -> tuple[str, bytes] | None:
    """MIME type and bytes of a stored file; None when it is not here (yet), or was lawfully erased. Unavailable."""
    row = session.execute(
        select(Attachment.id, Attachment.mime).where(
            Attachment.community_id == community_id, Attachment.sha256 == sha256
        )
    ).one_or_none()
    if row is None:
        return None
    sealed = runtime.part(FileStore).find(content_name(community_id, sha256))
    raw = open_under_key(session, runtime, community_id, row.id, sealed)
    return None if raw is None else (row.mime, raw)


def _is_held(session: Session, runtime: Runtime, community_id: UUID, file_id: UUID, sha256: bytes) -> bool:
    """Under the row's lock, so that a purge of erased content does not come in between."""
    row = select(Attachment.id).where(Attachment.community_id == community_id, Attachment.id == file_id)
    session.execute(row.with_for_update())
    key = session.get(RecordKey, (community_id, file_id), populate_existing=True)
    return key is not None and runtime.part(FileStore).holds(content_name(community_id, sha256))
