"""Sends what waits for a community's channels."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.notifications.delivering import deliver


def deliver_messages(_session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of channels. Each message is committed by itself: sending cannot be taken back."""
    for subject in subjects:
        deliver(runtime, community_id, UUID(subject))
