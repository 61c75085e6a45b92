"""Compiles places: hazards and rectification tasks out of all facts of the places that changed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.rectification import compile as compiler


def compile_places(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of places."""
    compiler.compile_places(session, runtime, community_id, [UUID(s) for s in subjects])
