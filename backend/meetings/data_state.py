"""What a paper's snapshot did not hold yet: printed in every paper, so that nobody takes it for complete."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from backend.inspections.models import WaitingOn
from backend.inspections.waiting import COMPILE
from backend.jobs.models import Job
from backend.meetings.models import Paper
from backend.sync.models import Quarantine


class DataState(NamedTuple):
    """``pending``: places whose new records are not compiled; ``failed``: places whose compilation gave up;
    ``waiting``: records that name something unknown; ``quarantined``: what could not be taken in."""

    pending: int
    failed: int
    waiting: int
    quarantined: int


def compile_jobs(community_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Job.kind == COMPILE, Job.community_id == community_id, Job.done < Job.wanted


def is_due() -> ColumnElement[bool]:
    """Wanted now: a dated re-fold of a later day is not, a failed job that waits for its next attempt is."""
    return or_(Job.run_after <= func.now(), Job.attempts > 0)


def count_undrained(session: Session, community_id: UUID, paper: Paper) -> int:
    """Compile jobs asked for before the paper was, that are still open and not given up."""
    counted = select(func.count()).where(
        *compile_jobs(community_id), is_due(), Job.dead_at.is_(None), Job.requested_at <= paper.requested_at
    )
    return session.scalar(counted) or 0


def read_data_state(session: Session, community_id: UUID) -> DataState:
    """Counts in the running transaction's snapshot."""
    jobs = select(
        func.count().filter(Job.dead_at.is_(None), is_due()), func.count().filter(Job.dead_at.is_not(None))
    ).where(*compile_jobs(community_id))
    pending, failed = session.execute(jobs).one()
    waiting = session.scalar(
        select(func.count(func.distinct(WaitingOn.record_id))).where(WaitingOn.community_id == community_id)
    )
    held = session.scalar(
        select(func.count()).where(Quarantine.community_id == community_id, Quarantine.state == "held")
    )
    return DataState(pending, failed, waiting or 0, held or 0)
