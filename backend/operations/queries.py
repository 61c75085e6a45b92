"""What an operator wants to know of a running installation, in counts and never in rows."""

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from backend.db import set_access
from backend.jobs.ledger import communities
from backend.jobs.models import Job
from backend.notifications.models import Delivery
from backend.sync.models import Quarantine, SyncChange

#: Tables whose growth an operator plans for.
COUNTED_TABLES = ("record", "visit", "observation", "hazard", "task_step", "sync_change", "audit_event")


@dataclass(frozen=True, slots=True)
class JobState:
    """Jobs of one kind. ``oldest_s``: how long the one that waits longest has been ready."""

    kind: str
    open: int
    dead: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class FeedLag:
    """Changes that no phone can see yet: committed, and not yet given a position."""

    rows: int
    oldest_s: float


def list_job_states(session: Session) -> list[JobState]:
    """Every kind of which a job is open or dead. Jobs for later are not open yet."""
    ready = (Job.dead_at.is_(None)) & (Job.run_after <= func.now())
    since = func.min(func.greatest(Job.run_after, Job.requested_at)).filter(ready)
    found = (
        select(
            Job.kind,
            func.count().filter(ready),
            func.count().filter(Job.dead_at.is_not(None)),
            func.coalesce(func.extract("epoch", func.now() - since), 0),
        )
        .where(Job.done < Job.wanted)
        .group_by(Job.kind)
        .order_by(Job.kind)
    )
    return [JobState(kind, opened, dead, float(oldest)) for kind, opened, dead, oldest in session.execute(found)]


def see_all(session: Session) -> None:
    """Let this transaction count rows of every community (row level security shows none otherwise)."""
    set_access(session, communities(session))


def count_quarantined(session: Session) -> int:
    """Records held in quarantine that nobody has resolved; after :func:`see_all`."""
    return session.scalar(select(func.count()).select_from(Quarantine).where(Quarantine.state == "held")) or 0


def count_dead_deliveries(session: Session) -> int:
    """Reminders that a channel refused ten times; after :func:`see_all`."""
    return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "dead")) or 0


def get_feed_lag(session: Session) -> FeedLag:
    """After :func:`see_all`."""
    age = func.coalesce(func.extract("epoch", func.now() - func.min(SyncChange.changed_at)), 0)
    rows, oldest = session.execute(select(func.count(), age).where(SyncChange.pos.is_(None))).one()
    return FeedLag(rows, float(oldest))


def estimate_rows(session: Session) -> dict[str, int]:
    """Rows by table, as PostgreSQL's statistics have them: no scan, a few per cent wrong."""
    sql = (
        "SELECT relname, greatest(reltuples, 0)::bigint AS rows FROM pg_class"
        " WHERE relname = ANY(:names) AND relkind = 'r'"
    )
    return {row.relname: row.rows for row in session.execute(text(sql), {"names": list(COUNTED_TABLES)})}
