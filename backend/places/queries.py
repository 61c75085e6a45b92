"""Reads of the registry."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from backend.places.models import Place, PlaceEvent


def has_moves(session: Session, community_id: UUID) -> bool:
    """Whether any place of the community was ever moved or merged."""
    moved = exists().where(
        PlaceEvent.community_id == community_id,
        PlaceEvent.kind.in_(("moved", "merged")),
    )
    return bool(session.scalar(select(moved)))


def list_grids(
    session: Session, community_id: UUID, place_ids: Sequence[UUID]
) -> dict[UUID, UUID | None]:
    """The grid in which each known place is now (None: above all grids)."""
    found = select(Place.id, Place.grid_id).where(
        Place.community_id == community_id, Place.id.in_(place_ids)
    )
    return {place_id: grid_id for place_id, grid_id in session.execute(found)}
