"""How far a long job has come, told beside its own transaction: readers see it while the work still runs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.db import Database
from backend.jobs.models import Job, JobProgress


@dataclass(frozen=True, slots=True)
class Progress:
    """Says how far one subject's job has come. Each word is a short transaction of its own."""

    db: Database
    community_id: UUID
    kind: str
    subject: str

    def say(self, stage: str, done: int = 0, total: int | None = None) -> None:
        """``done`` of ``total`` in ``stage``; a total of None is not known yet."""
        said = {"stage": stage, "done": done, "total": total, "at": func.now()}
        with self.db.transaction([self.community_id]) as session:
            told = insert(JobProgress).values(
                community_id=self.community_id, kind=self.kind, subject=self.subject, **said
            )
            session.execute(told.on_conflict_do_update(index_elements=["community_id", "kind", "subject"], set_=said))


def find_progress(session: Session, community_id: UUID, kind: str, subject: str) -> dict[str, Any] | None:
    """``{"stage", "done", "total", "state"}`` of a job; None when it was never wanted.

    ``state``: waiting, running, done or failed (given up after too many attempts).
    """
    job = session.get(Job, (kind, community_id, subject))
    if job is None:
        return None
    told = session.get(JobProgress, (community_id, kind, subject))
    if job.done >= job.wanted:
        state = "done"
    elif job.dead_at is not None:
        state = "failed"
    else:
        state = "waiting" if job.token is None else "running"
    return {
        "state": state,
        "stage": told.stage if told else None,
        "done": told.done if told else 0,
        "total": told.total if told else None,
    }
