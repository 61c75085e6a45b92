"""Personal data by the clock: the index of who is named where is kept up, what is over its time is erased."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.db import after_commit
from backend.http.context import Runtime
from backend.identity.models import Community
from backend.inspections.waiting import COMPILE
from backend.jobs import ledger
from backend.logs import log
from backend.privacy import retention
from backend.privacy.mentions import BATCH, JOB, index_unseen


def index_persons(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """A batch; wanted again while there may be more."""
    if index_unseen(session, runtime, community_id) >= BATCH:
        ledger.want(session, JOB, community_id, subjects)


def erase_due(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """A batch of what is over its time; wanted again while there may be more."""
    offset = select(Community.clock_offset_ms).where(Community.community_id == community_id)
    erased = retention.erase_due(session, runtime, community_id, clock.now_ms(session.scalars(offset).one()))
    if erased:
        log.info("retention_erased", community_id=str(community_id), rows=erased)
        after_commit(session, lambda: runtime.doorbell.ring(COMPILE, community_id))
        ledger.want(session, retention.JOB, community_id, subjects)
