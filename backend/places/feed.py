"""Places as phones see them in the feed."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.places.facts import among
from backend.places.models import Place


class FeedPlace(NamedTuple):
    """A place as the feed sends it; ``scope_id`` is the area of its grid, or of the community above all grids."""

    id: UUID
    rev: int
    scope_id: str
    data: dict[str, Any]


def area_of(community_id: UUID, grid_id: UUID | None) -> str:
    """The feed scope of a place in ``grid_id``."""
    return f"area:{grid_id or community_id}"


def feed_places(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> dict[UUID, FeedPlace]:
    """The wire rows of known places; unknown ones are left out."""
    found = select(Place.__table__).where(Place.community_id == community_id, among(Place.id, place_ids))
    return {row["id"]: _wire(row) for row in session.execute(found).mappings()}


def list_places_after(
    session: Session, community_id: UUID, grid_id: UUID | None, after_id: UUID | None, limit: int
) -> Sequence[FeedPlace]:
    """The next ``limit`` places of a grid (None or the community's id: above all grids) by ascending id."""
    grid_id = None if grid_id == community_id else grid_id
    found = select(Place.__table__).where(Place.community_id == community_id)
    found = found.where(Place.grid_id.is_(None) if grid_id is None else Place.grid_id == grid_id)
    if after_id is not None:
        found = found.where(Place.id > after_id)
    return [_wire(row) for row in session.execute(found.order_by(Place.id).limit(limit)).mappings()]


def _wire(row: Any) -> FeedPlace:
    location = None
    if row["latitude"] is not None:
        location = {
            "lat": row["latitude"],
            "lon": row["longitude"],
            "accuracy_m": row["accuracy_m"],
            "datum": "wgs84",
        }
    data = {
        "kind": row["kind"],
        "parent_id": row["parent_id"],
        "name": row["name"],
        "code": row["field_code"],
        "address_raw": row["address_raw"],
        "location": location,
        "grid_id": row["grid_id"],
        "found_in_field": row["origin"] == "field",
        "merged_into": row["merged_into"],
        "withdrawn": row["withdrawn"],
    }
    return FeedPlace(row["id"], row["rev"], area_of(row["community_id"], row["grid_id"]), data)
