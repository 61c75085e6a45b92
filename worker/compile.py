"""Compiles places: hazards and rectification tasks out of all facts of the places that changed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.db import after_commit
from backend.http.context import Runtime
from backend.logs import log
from backend.rectification import compile as compiler
from backend.sync.feed import number_changes


def compile_places(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """``subjects`` are ids of places. What changed is numbered at once, so that a pull finds it done."""
    compiler.compile_places(session, runtime, community_id, subjects)
    after_commit(session, lambda: number(runtime, community_id))


def number(runtime: Runtime, community_id: UUID) -> None:
    """Give positions in the feed; when that fails the next pull does it."""
    try:
        number_changes(runtime.db, community_id)
    except DBAPIError:
        log.warning("feed_not_numbered", community_id=str(community_id), exc_info=True)
