"""Makes meeting papers, once what was received before the cut-off has been compiled."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.meetings import making
from backend.meetings.errors import CompilePending
from worker.frame import NotYet

#: Seconds until a paper looks again whether the compile jobs before its cut-off have drained.
DRAIN_LOOK_S = 1.0


def make_paper(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of queued papers."""
    for subject in subjects:
        try:
            making.make_paper(session, runtime, community_id, UUID(subject))
        except CompilePending as pending:
            raise NotYet(DRAIN_LOOK_S) from pending
