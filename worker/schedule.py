"""What the clock brings to a community: papers, reminders, messages to send, places whose hazards depend on
the day, an old feed to forget."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.attachments.purging import want_daily
from backend.db import after_commit
from backend.hazards.dated import want_due_folds
from backend.http.context import Runtime
from backend.identity.models import Community
from backend.identity.trail import find_head
from backend.jobs import ledger
from backend.ledger.exports import forget_exports
from backend.logs import log
from backend.meetings import service
from backend.notifications.delivering import want_due_deliveries
from backend.notifications.reminding import due_reminders
from backend.privacy.retention import want_by_clock
from backend.sync.feed import prune_changes
from worker.compile import number

#: A phone that was away longer than this starts from a fresh snapshot.
TOMBSTONES_KEPT = timedelta(days=180)


def run_schedule(session: Session, runtime: Runtime, community_id: UUID, _subjects: Sequence[str]) -> None:
    """A community's minute. Whatever is due is asked for as a job of its own, under a key that bears no repetition."""
    offset = select(Community.clock_offset_ms).where(Community.community_id == community_id)
    now_ms = clock.now_ms(session.scalars(offset).one())
    if want_due_folds(session, community_id, now_ms):
        after_commit(session, lambda: runtime.doorbell.ring("compile", community_id))
    service.due_papers(session, runtime, community_id, now_ms)
    for kind in want_by_clock(session, community_id, now_ms):
        after_commit(session, partial(runtime.doorbell.ring, kind, community_id))
    # What the office wrote is numbered by the next pull; at night nobody pulls, and the lag would look like trouble.
    after_commit(session, lambda: number(runtime, community_id))
    due_reminders(session, community_id, now_ms)
    want_due_deliveries(session, runtime, community_id)
    want_daily(session, community_id)
    if ledger.take_slot(session, community_id, f"prune:{datetime.now(clock.SHANGHAI):%G-W%V}"):
        forget_exports(session, community_id, now_ms)
        prune_changes(session, community_id, datetime.now(UTC) - TOMBSTONES_KEPT)
    if ledger.take_slot(session, community_id, f"audit_head:{clock.local_day(now_ms)}"):
        log_head(session, community_id)


def log_head(session: Session, community_id: UUID) -> None:
    """Logs are kept elsewhere: the chain's last link in them proves what the audit trail held that day."""
    head = find_head(session, community_id)
    if head is not None:
        log.info("audit_head", community_id=str(community_id), n=head.n, hash=head.hash)
