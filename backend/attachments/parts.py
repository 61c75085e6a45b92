"""The parts of uploads: read together, and forgotten."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.attachments.file_store import FileStore, Unavailable, part_name
from backend.attachments.models import Upload, UploadPart
from backend.attachments.service import destroy_keys, open_under_key
from backend.db import after_commit
from backend.http.context import Runtime


def read_whole(session: Session, runtime: Runtime, row: Upload) -> bytes | None:
    """The bytes of an upload in their order; None when the store lost a part (as after a restore). Unavailable."""
    parts = session.scalars(
        select(UploadPart.part_id)
        .where(UploadPart.community_id == row.community_id, UploadPart.upload_id == row.id)
        .where(UploadPart.generation == row.generation)
        .order_by(UploadPart.start)
    )
    store, whole = runtime.part(FileStore), bytearray()
    for part_id in parts:
        sealed = store.find(part_name(row.community_id, part_id))
        raw = open_under_key(session, runtime, row.community_id, part_id, sealed)
        if raw is None:
            return None
        whole += raw
    return bytes(whole)


def drop_parts(
    session: Session, community_id: UUID, upload_ids: Sequence[UUID], runtime: Runtime | None = None
) -> None:
    """Destroy the parts' keys now. The bytes, which nothing opens any more, go with the next purge, or with a
    ``runtime`` at once after the commit."""
    parts = session.scalars(
        delete(UploadPart)
        .where(UploadPart.community_id == community_id, UploadPart.upload_id.in_(list(upload_ids)))
        .returning(UploadPart.part_id)
    ).all()
    if not parts:
        return
    destroy_keys(session, community_id, list(parts))
    if runtime is not None:
        after_commit(session, lambda: delete_parts(runtime, community_id, parts))


def delete_parts(runtime: Runtime, community_id: UUID, parts: Sequence[UUID | str]) -> None:
    """Best effort: what the store cannot delete now the daily purge finds again."""
    with suppress(Unavailable):
        runtime.part(FileStore).delete(part_name(community_id, part) for part in parts)
