"""Places with those merged into them: the records of a merged place fold under the survivor."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.places.models import Place
from backend.places.queries import grid_at, has_moves

GridHistory = Sequence[tuple[int, UUID | None]]
"""(from when, grid or None), ascending."""


@dataclass(frozen=True, slots=True)
class Family:
    """A place to be compiled. ``members``: itself and all merged into it; none when it was itself merged away."""

    place_id: UUID
    members: frozenset[UUID]
    grid_id: UUID | None
    building_id: UUID | None
    merged_into: UUID | None
    grids: Mapping[UUID, GridHistory] = field(default_factory=dict)

    def grid_at(self, at_ms: int, member: UUID | None = None) -> UUID | None:
        """The grid that ``member`` (the place itself) stood in at ``at_ms``: what happened there counts there."""
        history = self.grids.get(member or self.place_id)
        if not history:
            return self.grid_id
        found = history[0][1]
        for since, grid in history:
            if since <= at_ms:
                found = grid
        return found


def with_survivors(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> list[UUID]:
    """``place_ids`` and the places into which any of them were merged, sorted: facts about one change both."""
    wanted = set(place_ids)
    merged = select(Place.merged_into).where(
        Place.community_id == community_id, Place.id == func.any(list(wanted)), Place.merged_into.is_not(None)
    )
    return sorted(wanted.union(survivor for survivor in session.scalars(merged) if survivor is not None))


def load_families(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> list[Family]:
    """The families of exactly ``place_ids``; unknown ids are left out."""
    found = select(Place.id, Place.merged_into, Place.grid_id, Place.building_id).where(
        Place.community_id == community_id, Place.id == func.any(list(place_ids))
    )
    rows = session.execute(found.order_by(Place.id)).all()
    if not rows:
        return []
    if not has_moves(session, community_id):
        return [Family(r.id, frozenset((r.id,)), r.grid_id, r.building_id, None) for r in rows]
    members = _members(session, community_id, [r.id for r in rows if r.merged_into is None])
    everywhere = {r.id for r in rows}.union(*members.values())
    grids = grid_at(session, community_id, list(everywhere))
    families = []
    for r in rows:
        here = frozenset((r.id, *members.get(r.id, ()))) if r.merged_into is None else frozenset[UUID]()
        known = {member: grids[member] for member in here if member in grids}
        families.append(Family(r.id, here, r.grid_id, r.building_id, r.merged_into, known))
    return families


def _members(session: Session, community_id: UUID, survivors: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """All places merged into each survivor; a place names its final one, however many merges lie between."""
    merged = select(Place.id, Place.merged_into).where(
        Place.community_id == community_id, Place.merged_into == func.any(list(survivors))
    )
    members: dict[UUID, set[UUID]] = {}
    for row in session.execute(merged):
        members.setdefault(row.merged_into, set()).add(row.id)
    return members
