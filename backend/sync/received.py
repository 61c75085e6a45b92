"""What was received, in the audit trail: each taking-in with a digest over its records, so that a record that somebody
changed, removed or slipped in past the application does not agree with the trail.
"""

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.identity.audit import audit
from backend.sync.taking import Taking

RECEIVED: Final = "records_received"
SHOWN: Final = 20

#: Ids and hashes outlive the erasure of what they stand for, so the digest of a push holds for ever. A push that was
#: sent again with further records has several events: their counts must add up, and the digest of none is compared.
_DISAGREEING: Final = text(
    """
    WITH told AS (
        SELECT subject, count(*) AS events, sum((details ->> 'records')::int) AS records,
            min(details ->> 'digest') AS digest
        FROM audit_event WHERE community_id = :community AND action = :received GROUP BY subject
    ), held AS (
        SELECT 'push:' || push_id AS subject, count(*) AS records,
            encode(sha256(string_agg(uuid_send(id) || sha256, ''::bytea ORDER BY id)), 'hex') AS digest
        FROM record WHERE community_id = :community GROUP BY push_id
    )
    SELECT coalesce(told.subject, held.subject) FROM told FULL JOIN held ON held.subject = told.subject
    WHERE told.records IS DISTINCT FROM held.records OR (told.events = 1 AND told.digest <> held.digest)
    ORDER BY 1 LIMIT :shown
    """
)
_CHANGED_STEPS: Final = text(
    """
    SELECT event.subject FROM audit_event event
    LEFT JOIN task_step step ON step.community_id = event.community_id AND 'step:' || step.id = event.subject
    WHERE event.community_id = :community AND event.action = 'step_taken'
        AND encode(sha256(step.sealed), 'hex') IS DISTINCT FROM event.details ->> 'sha256'
        AND NOT EXISTS (
            SELECT FROM audit_event erased
            WHERE erased.community_id = :community AND erased.action = 'person_erased'
                AND erased.subject = event.subject
        )
    ORDER BY 1 LIMIT :shown
    """
)


def note_received(taking: Taking, records: Iterable[tuple[UUID, bytes]]) -> None:
    """One event for the records (id and SHA-256 of the payload) that this taking-in stored, if there are any."""
    stored = sorted(records)
    if not stored:
        return
    audit(
        taking.session,
        taking.community_id,
        RECEIVED,
        f"push:{taking.push_id}",
        account_id=taking.account_id,
        at_ms=taking.now_ms,
        install_id=str(taking.install_id),
        records=len(stored),
        digest=hashlib.sha256(b"".join(record_id.bytes + sha256 for record_id, sha256 in stored)).hexdigest(),
    )


def unlike_the_trail(session: Session, community_id: UUID) -> list[str]:
    """Pushes and steps (``push:<id>``, ``step:<id>``) that are not what the trail says was written; some, if many."""
    values = {"community": community_id, "received": RECEIVED, "shown": SHOWN}
    pushes = session.execute(_DISAGREEING, values).scalars().all()
    steps = session.execute(_CHANGED_STEPS, values).scalars().all()
    return [*pushes, *steps]
