"""Makes papers' documents."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.meetings.paper_files import make_files


def make_documents(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of papers."""
    for subject in subjects:
        make_files(session, runtime, community_id, UUID(subject))
