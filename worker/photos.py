"""Looks at new photos, forgets uploads that were never finished, learns what earlier records declared."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.attachments.earlier import declare_next
from backend.attachments.examining import examine
from backend.attachments.purging import purge_uploads
from backend.http.context import Runtime


def examine_photos(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of stored files."""
    examine(session, runtime, community_id, subjects)


def purge(session: Session, runtime: Runtime, community_id: UUID, _subjects: Sequence[str]) -> None:
    """The daily tidying of one community."""
    purge_uploads(session, runtime, community_id)


def declare_earlier(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` say after which record to go on."""
    for subject in subjects:
        declare_next(session, runtime, community_id, subject)
