"""Lawful erasure of a record together with all quarantined copies of it."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.attachments.erasure import erase_files_of
from backend.inspections.erasure import RecordNotFound
from backend.inspections.erasure import erase_record as erase_archived
from backend.inspections.models import RecordKey
from backend.sync.models import Quarantine
from backend.sync.quarantine import ERASED


def erase_record(
    session: Session,
    community_id: UUID,
    record_id: UUID,
    actor_id: UUID | None,
    reason: str,
    *,
    at_ms: int | None = None,
) -> bool:
    """Erase what the archive and the quarantine hold under ``record_id``, and the files that it alone declares; False
    when nothing was left to erase.

    RecordNotFound when neither ever held it.
    """
    copies = copies_of(session, community_id, record_id)
    fresh = erase_copies(session, community_id, copies)
    erase_files_of(session, community_id, record_id)
    try:
        return erase_archived(session, community_id, record_id, actor_id, reason, at_ms=at_ms) or fresh
    except RecordNotFound:
        if not copies:
            raise
        return fresh


def copies_of(session: Session, community_id: UUID, record_id: UUID) -> list[UUID]:
    """Quarantined bytes that came under this record id."""
    return list(
        session.scalars(
            select(Quarantine.id).where(Quarantine.community_id == community_id, Quarantine.record_id == record_id)
        )
    )


def erase_copies(session: Session, community_id: UUID, ids: list[UUID]) -> bool:
    """Erase quarantined bytes for good; False when nothing was left of them."""
    session.execute(
        delete(RecordKey).where(RecordKey.community_id == community_id, RecordKey.record_id == func.any(ids))
    )
    erased = session.execute(
        update(Quarantine)
        .where(Quarantine.community_id == community_id, Quarantine.id == func.any(ids))
        .where(Quarantine.state != ERASED)
        .values(sealed=None, state=ERASED, resolved_at=func.now())
        .returning(Quarantine.id)
    ).all()
    return bool(erased)
