"""Lawful erasure reaches the files of a record: their keys are destroyed, and nothing brings them back."""

from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from backend.attachments.declaring import ERASED, NEVER, STORED
from backend.attachments.examining import thumbnail_id
from backend.attachments.models import Attachment, DeclaredAttachment, Upload
from backend.attachments.parts import drop_parts
from backend.attachments.purging import PURGE
from backend.attachments.service import destroy_keys
from backend.jobs import ledger


def erase_files_of(session: Session, community_id: UUID, record_id: UUID) -> None:
    """Erase what this record alone declares. A file that another record declares as well is that one's, too.

    An id that never came is erased beforehand: bytes that come later are answered as held and not kept. Destroying the
    keys is the erasure; the bytes, which nothing opens any more, are removed by the purge.
    """
    own, other = aliased(DeclaredAttachment), aliased(DeclaredAttachment)
    shared = exists().where(
        other.community_id == community_id, other.attachment_id == own.attachment_id, other.record_id != record_id
    )
    rows = session.scalars(
        select(own).where(own.community_id == community_id, own.record_id == record_id, ~shared)
    ).all()
    for row in rows:
        _erase(session, row)
    if rows:
        ledger.want(session, PURGE, community_id, [""])
    session.execute(
        delete(DeclaredAttachment).where(
            DeclaredAttachment.community_id == community_id, DeclaredAttachment.record_id == record_id
        )
    )


def _erase(session: Session, row: DeclaredAttachment) -> None:
    community_id, upload_id = row.community_id, row.attachment_id
    announced = {"community_id": community_id, "id": upload_id, "kind": "photo", "mime": row.mime}
    announced |= {"sha256": row.sha256, "bytes": row.bytes, "state": ERASED}
    gone = insert(Upload).values(**announced, expires_at=NEVER).on_conflict_do_nothing()
    session.execute(gone)
    upload = session.scalars(
        select(Upload).where(Upload.community_id == community_id, Upload.id == upload_id).with_for_update()
    ).one()
    drop_parts(session, community_id, [upload_id])
    file_id, upload.state, upload.code = upload.file_id, ERASED, None
    upload.received, upload.file_id = 0, None
    session.flush()
    if file_id is not None:
        _erase_content(session, community_id, file_id)


def _erase_content(session: Session, community_id: UUID, file_id: UUID) -> None:
    """Unless other uploads have the same content."""
    others = select(Upload.id).where(
        Upload.community_id == community_id, Upload.file_id == file_id, Upload.state == STORED
    )
    if session.scalar(others.limit(1)) is not None:
        return
    destroy_keys(session, community_id, [file_id, thumbnail_id(file_id)])
    session.execute(
        update(Attachment)
        .where(Attachment.community_id == community_id, Attachment.id == file_id)
        .values(taken_at=None)
    )
