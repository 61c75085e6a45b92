"""Writes exports of the ledger."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.ledger import exports


def make_exports(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of exports."""
    for subject in subjects:
        exports.make_export(session, runtime, community_id, UUID(subject))
