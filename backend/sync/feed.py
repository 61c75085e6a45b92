"""The feed that phones pull: changes are appended by writers and numbered after commit by one sequencer.

A sequence at insert would hand out positions in an order in which they do not become visible, and a reader would pass
over rows that commit late. Here a row has no position until it is committed; then, under one lock a community, the
committed rows get the next positions. A reader that has seen position n has therefore seen every position below.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, literal, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend.bulk import BulkInsert
from backend.db import Database
from backend.sync.models import FeedPosition, SyncChange

#: Rows numbered in one transaction of the sequencer.
BATCH: Final = 5000
LOCK_NOT_AVAILABLE: Final = "55P03"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_NUMBER = text(
    """
    WITH fresh AS (
        SELECT id FROM sync_change WHERE community_id = :community AND pos IS NULL
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
    ), counted AS (SELECT count(*) AS total FROM fresh),
    base AS (
        INSERT INTO feed_position AS f (community_id, last_pos, floor_pos)
        SELECT :community, total, 0 FROM counted WHERE total > 0
        ON CONFLICT (community_id) DO UPDATE SET last_pos = f.last_pos + excluded.last_pos
        RETURNING last_pos
    ), placed AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM fresh)
    UPDATE sync_change AS s SET pos = base.last_pos - counted.total + placed.n
    FROM base, counted, placed
    WHERE s.community_id = :community AND s.pos IS NULL AND s.id = placed.id
    """
)


class Change(NamedTuple):
    """An entity changed in a scope. ``op`` is ``put`` or ``del``; a row that moves is a del there and a put here."""

    scope_id: str
    entity: str
    entity_id: str
    op: Literal["put", "del"]
    rev: int


_CHANGES: Final = BulkInsert(SyncChange, Change._fields, constants=("community_id",), conflict="")


def area_scope(place_id: UUID | str) -> str:
    """The scope of a grid, or of the community's root for what lies above its grids."""
    return f"area:{place_id}"


def forms_scope(community_id: UUID | str) -> str:
    """The scope of a community's forms and rules."""
    return f"forms:{community_id}"


def device_scope(install_id: UUID | str) -> str:
    """The scope of what one installation alone must know."""
    return f"device:{install_id}"


def append_changes(session: Session, community_id: UUID, changes: Iterable[Change]) -> None:
    """Append changes in the writer's transaction; they get their positions after its commit."""
    columns = tuple(zip(*changes, strict=True))
    if columns:
        _CHANGES.run(session, columns, community_id=community_id)


def has_unnumbered(session: Session, community_id: UUID) -> bool:
    """True when committed changes wait for their positions."""
    found = select(literal(1)).where(SyncChange.community_id == community_id, SyncChange.pos.is_(None))
    return session.scalar(found.limit(1)) is not None


def number_changes(db: Database, community_id: UUID) -> int:
    """Give positions to all committed changes of a community; returns how many. Commits for itself.

    Gapless, and in the order of visibility, because of the lock: two sequencers at once would let the second commit
    its higher positions first. When the lock is not free within two seconds, whoever holds it is left to it: what is
    not numbered yet is not seen yet, and nothing is passed over.
    """
    total = 0
    while True:
        try:
            done = _number_batch(db, community_id)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            return total
        total += done
        if done < BATCH:
            return total


def _number_batch(db: Database, community_id: UUID) -> int:
    with db.transaction([community_id]) as session:
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        session.execute(_LOCK, {"key": f"feed:{community_id}"})
        numbered = session.execute(_NUMBER, {"community": community_id, "batch": BATCH})
        return int(numbered.rowcount)  # type: ignore[attr-defined]


def positions(session: Session, community_id: UUID) -> tuple[int, int]:
    """``(last, floor)``: the newest position given, and the one below which changes were pruned."""
    row = session.execute(
        select(FeedPosition.last_pos, FeedPosition.floor_pos).where(FeedPosition.community_id == community_id)
    ).one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


def prune_changes(session: Session, community_id: UUID, before: datetime) -> int:
    """Forget changes older than ``before`` (at least 180 days ago); cursors below them will be reset."""
    old = (
        SyncChange.community_id == community_id,
        SyncChange.pos.is_not(None),
        SyncChange.changed_at < before,
    )
    floor = session.scalar(select(func.max(SyncChange.pos)).where(*old))
    if floor is None:
        return 0
    gone = session.execute(delete(SyncChange).where(SyncChange.community_id == community_id, SyncChange.pos <= floor))
    session.execute(update(FeedPosition).where(FeedPosition.community_id == community_id).values(floor_pos=floor))
    return int(gone.rowcount)  # type: ignore[attr-defined]
