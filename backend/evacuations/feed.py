"""Dangerous houses in the feed of their grid, with what daily looks need. No name travels."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from backend.evacuations.models import Evacuation
from backend.evacuations.projecting import ENTITY
from backend.evacuations.queries import households_by_house, list_checks
from backend.places.models import Place
from backend.sync.feed import area_scope
from backend.sync.feed_entities import FeedEntity, FeedRow


def _select(community_id: UUID) -> Select[Any]:
    return (
        select(*Evacuation.__table__.columns, Place.name.label("place_name"))
        .join(Place, and_(Place.community_id == Evacuation.community_id, Place.id == Evacuation.house_id))
        .where(Evacuation.community_id == community_id)
    )


def _load(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    wanted = Evacuation.house_id == func.any([UUID(house_id) for house_id in ids])
    return {row.id: row for row in _rows(session, community_id, _select(community_id).where(wanted))}


def _after(session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int) -> list[FeedRow]:
    area = UUID(scope_id.partition(":")[2])
    found = _select(community_id).where(
        Evacuation.grid_id.is_(None) if area == community_id else Evacuation.grid_id == area
    )
    if after_id is not None:
        found = found.where(Evacuation.house_id > UUID(after_id))
    return _rows(session, community_id, found.order_by(Evacuation.house_id).limit(limit))


def _rows(session: Session, community_id: UUID, found: Select[Any]) -> list[FeedRow]:
    rows = session.execute(found).all()
    ids = [row.house_id for row in rows]
    if not ids:
        return []
    households = households_by_house(session, community_id, ids)
    checks = list_checks(session, community_id, ids)
    return [
        FeedRow(
            str(row.house_id),
            row.rev,
            area_scope(row.grid_id or community_id),
            _wire(row, households.get(row.house_id, []), max(checks.get(row.house_id, {}), default=None)),
        )
        for row in rows
    ]


def _wire(row: Row[Any], households: Sequence[Any], last_day: Any) -> dict[str, Any]:
    return {
        "place_id": row.house_id,
        "place_name": row.place_name,
        "stage": row.stage,
        "grade": row.grade,
        "notice_id": row.notice_id,
        "deadline_ms": row.deadline_ms,
        "check_from_ms": row.check_from_ms,
        "checked_on": None if last_day is None else last_day.isoformat(),
        "households": [{"place_id": h.household_id, "state": h.state} for h in households],
    }


EVACUATION: Final = FeedEntity(ENTITY, "area", _load, _after)
