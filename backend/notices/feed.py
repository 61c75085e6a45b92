"""Notices that wait to be served, in the feed of the grid they are to be served in. No name travels."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from backend.http.context import Runtime
from backend.notices.models import Notice, NoticeService
from backend.notices.wording import KINDS
from backend.places.models import Place
from backend.places.projection import PlaceChange
from backend.sync.feed import Change, append_changes, area_scope
from backend.sync.feed_entities import FeedEntity, FeedRow

NAME: Final = "notice"
Newer = aliased(Notice, name="newer")


def tell_notice(session: Session, _: Runtime, community_id: UUID, notice: Notice) -> None:
    """A notice was issued or served; one that it replaces is no longer to be served. For ``NoticeListeners``."""
    changed = [notice.id] if notice.replaces is None else [notice.id, notice.replaces]
    rows = session.execute(_select(community_id).where(Notice.id.in_(changed)))
    append_changes(
        session,
        community_id,
        [Change(area_scope(r.grid_id or community_id), NAME, str(r.id), "put", r.rev) for r in rows],
    )


def notices_moved(session: Session, community_id: UUID, changes: Sequence[PlaceChange]) -> None:
    """Doors moved to another grid: so does what is to be served there. For ``PlaceListeners.on_changed``."""
    moved = {c.place_id: c for c in changes if not c.is_new and c.grid_id != c.old_grid_id}
    if not moved:
        return
    rows = session.execute(_select(community_id).where(_waits(), Notice.place_id.in_(moved))).all()
    told = []
    for row in rows:
        change = moved[row.place_id]
        before, here = (area_scope(grid or community_id) for grid in (change.old_grid_id, change.grid_id))
        told += [
            Change(before, NAME, str(row.id), "del", row.rev),
            Change(here, NAME, str(row.id), "put", row.rev),
        ]
    append_changes(session, community_id, told)


def _served() -> ColumnElement[bool]:
    return exists().where(NoticeService.community_id == Notice.community_id, NoticeService.notice_id == Notice.id)


def _waits() -> ColumnElement[bool]:
    return and_(~_served(), Newer.id.is_(None))


def _select(community_id: UUID) -> Select[Any]:
    """Revisions count what happened to a notice: issued, replaced, every service."""
    services = (
        select(func.count())
        .where(NoticeService.community_id == Notice.community_id, NoticeService.notice_id == Notice.id)
        .correlate(Notice)
        .scalar_subquery()
    )
    replaced = func.count(Newer.id).over(partition_by=Notice.id)
    return (
        select(
            *(Notice.id, Notice.kind, Notice.number, Notice.place_id, Notice.deadline_ms, Notice.issued_ms),
            *(Place.name.label("place_name"), Place.grid_id, (1 + services + replaced).label("rev")),
        )
        .join(Place, and_(Place.community_id == Notice.community_id, Place.id == Notice.place_id))
        .outerjoin(Newer, and_(Newer.community_id == Notice.community_id, Newer.replaces == Notice.id))
        .where(Notice.community_id == community_id)
    )


def _load(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    wanted = Notice.id == func.any([UUID(notice_id) for notice_id in ids])
    return {
        str(row.id): _row(community_id, row) for row in session.execute(_select(community_id).where(_waits(), wanted))
    }


def _after(session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int) -> list[FeedRow]:
    area = UUID(scope_id.partition(":")[2])
    here = Place.grid_id.is_(None) if area == community_id else Place.grid_id == area
    found = _select(community_id).where(_waits(), here)
    if after_id is not None:
        found = found.where(Notice.id > UUID(after_id))
    return [_row(community_id, row) for row in session.execute(found.order_by(Notice.id).limit(limit))]


def _row(community_id: UUID, row: Row[Any]) -> FeedRow:
    data = {
        "kind": row.kind,
        "title": KINDS[row.kind].title,
        "number": row.number,
        "place_id": row.place_id,
        "place_name": row.place_name,
        "issued_ms": row.issued_ms,
        "deadline_ms": row.deadline_ms,
    }
    return FeedRow(str(row.id), row.rev, area_scope(row.grid_id or community_id), data)


NOTICE: Final = FeedEntity(NAME, "area", _load, _after)
