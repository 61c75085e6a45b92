"""Lawful erasure: the key is destroyed, so that nothing opens the bytes any more, in backups neither once they expire.

Id, hash and time remain: a resend is a duplicate, reconcile counts the record as held, and a numbered hazard that
rested on it does not vanish but becomes void.
"""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.inspections.archive import places_of_families
from backend.inspections.models import Record, RecordKey, WaitingOn
from backend.inspections.waiting import COMPILE
from backend.jobs import ledger


class RecordNotFound(NotFound):
    pass


add_messages(
    {"record_not_found": ("没有这条记录，或无权查看。", "There is no such record, or it is not yours to see.")}
)


def erase_record(
    session: Session,
    community_id: UUID,
    record_id: UUID,
    actor_id: UUID | None,
    reason: str,
    *,
    at_ms: int | None = None,
) -> bool:
    """Erase a record's contents for good; False when they were erased before. RecordNotFound.

    ``reason`` is the legal ground, without personal data: it goes into the audit trail. Its places are compiled anew.
    """
    row = session.execute(
        select(Record.sealed).where(Record.community_id == community_id, Record.id == record_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise RecordNotFound
    if row[0] is None:
        return False
    session.execute(delete(RecordKey).where(RecordKey.community_id == community_id, RecordKey.record_id == record_id))
    session.execute(
        update(Record)
        .where(Record.community_id == community_id, Record.id == record_id)
        .values(sealed=None, erased_at=func.now())
    )
    session.execute(delete(WaitingOn).where(WaitingOn.community_id == community_id, WaitingOn.record_id == record_id))
    audit(
        session,
        community_id,
        "record_erased",
        f"record:{record_id}",
        account_id=actor_id,
        at_ms=at_ms,
        reason=reason,
    )
    places = places_of_families(session, community_id, {record_id})
    ledger.want(session, COMPILE, community_id, map(str, places))
    return True
