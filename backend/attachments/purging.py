"""Forgetting what was never finished: expired uploads, and parts that no upload knows."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend import clock
from backend.attachments.declaring import RECEIVING, REFUSED, STORED
from backend.attachments.earlier import DECLARE
from backend.attachments.file_store import FileStore, content_name, part_id_of, thumbnail_name
from backend.attachments.models import Attachment, Upload, UploadPart
from backend.attachments.parts import delete_parts, drop_parts
from backend.attachments.uploads import KEPT_UNFINISHED
from backend.db import after_commit
from backend.http.context import Runtime
from backend.inspections.models import RecordKey
from backend.jobs import ledger
from backend.logs import log

#: The daily job.
PURGE: Final = "purge_uploads"
#: A part is in the store a moment before its row is committed.
_YOUNG: Final = timedelta(days=1)


def want_daily(session: Session, community_id: UUID) -> None:
    """Ask for the daily purge, and once in a community's life for what earlier records declare."""
    if ledger.take_slot(session, community_id, f"uploads:{datetime.now(clock.SHANGHAI):%Y-%m-%d}"):
        ledger.want(session, PURGE, community_id, [""])
    if ledger.take_slot(session, community_id, "declared:1"):
        ledger.want(session, DECLARE, community_id, [""])


def purge_uploads(session: Session, runtime: Runtime, community_id: UUID) -> None:
    """Unfinished uploads whose time is over are forgotten: the phone announces the file again and begins anew.

    Refused ones stay, without their bytes, so that the phone is told again why. Unavailable.
    """
    expired = select(Upload.id).where(Upload.community_id == community_id, Upload.expires_at <= func.now())
    for state in (RECEIVING, REFUSED):
        ids = session.scalars(expired.where(Upload.state == state).with_for_update(skip_locked=True)).all()
        drop_parts(session, community_id, ids, runtime)
        if state == RECEIVING and ids:
            session.execute(delete(Upload).where(Upload.community_id == community_id, Upload.id.in_(ids)))
    _remove_erased(session, runtime, community_id)
    stored = dict(runtime.part(FileStore).listed(community_id))
    _remove_lost_parts(session, runtime, community_id, stored)
    _ask_again(session, community_id, stored)


def _remove_lost_parts(session: Session, runtime: Runtime, community_id: UUID, stored: dict[str, datetime]) -> None:
    """Of requests that were rolled back after the store had taken their bytes."""
    known = set(map(str, session.scalars(select(UploadPart.part_id).where(UploadPart.community_id == community_id))))
    before = datetime.now(UTC) - _YOUNG
    parts = [(part_id_of(name), stored_at) for name, stored_at in stored.items()]
    lost = [part for part, stored_at in parts if part is not None and part not in known and stored_at < before]
    if lost:
        after_commit(session, lambda: delete_parts(runtime, community_id, lost))


def _ask_again(session: Session, community_id: UUID, stored: dict[str, datetime]) -> None:
    """Content that the store lost (a disk, a restore without its files): phones are asked to bring it again."""
    held = session.execute(
        select(Attachment.id, Attachment.sha256)
        .join(RecordKey, (RecordKey.community_id == Attachment.community_id) & (RecordKey.record_id == Attachment.id))
        .where(Attachment.community_id == community_id)
    )
    lost = [row.id for row in held if content_name(community_id, row.sha256) not in stored]
    if lost:
        log.error("stored_files_missing", community_id=str(community_id), files=len(lost))
        session.execute(
            update(Upload)
            .where(Upload.community_id == community_id, Upload.file_id.in_(lost), Upload.state == STORED)
            .values(
                state=RECEIVING,
                received=0,
                generation=0,
                file_id=None,
                expires_at=func.now() + KEPT_UNFINISHED,
            )
        )


def _remove_erased(session: Session, runtime: Runtime, community_id: UUID) -> None:
    """Content whose key was destroyed: nothing opens it, so nobody needs it. Stored anew it would have a key."""
    erased = (
        select(Attachment)
        .outerjoin(
            RecordKey, (RecordKey.community_id == Attachment.community_id) & (RecordKey.record_id == Attachment.id)
        )
        .where(Attachment.community_id == community_id, RecordKey.record_id.is_(None))
        .with_for_update(of=Attachment, skip_locked=True)
    )
    for row in session.scalars(erased).all():
        if session.get(RecordKey, (community_id, row.id), populate_existing=True) is not None:
            continue  # stored anew a moment ago
        runtime.part(FileStore).delete((content_name(community_id, row.sha256), thumbnail_name(community_id, row.id)))
