"""Places with those merged into them: the records of a merged place fold under the survivor."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.places.models import Place
from backend.places.queries import grid_at, has_moves

GridHistory = Mapping[UUID, list[tuple[int, UUID | None]]]


@dataclass(frozen=True, slots=True)
class Family:
    """A place to be compiled. ``members``: itself and all merged into it; none when it was itself merged away."""

    place_id: UUID
    members: frozenset[UUID]
    grid_id: UUID | None
    building_id: UUID | None
    merged_into: UUID | None
    grids: tuple[tuple[int, UUID | None], ...]

    def grid_at(self, at_ms: int) -> UUID | None:
        """The grid the place stood in at ``at_ms``."""
        found = self.grids[0][1] if self.grids else self.grid_id
        for since, grid in self.grids:
            if since <= at_ms:
                found = grid
        return found


def load_families(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> list[Family]:
    """The families of ``place_ids``; merged places bring their survivors along, unknown ids are left out."""
    columns = (Place.id, Place.merged_into, Place.grid_id, Place.building_id)
    rows: dict[UUID, tuple[UUID | None, UUID | None, UUID | None]] = {}
    wanted = set(place_ids)
    while wanted - rows.keys():
        missing = list(wanted - rows.keys())
        named = select(*columns).where(Place.community_id == community_id, Place.id == func.any(missing))
        found = session.execute(named).all()
        rows.update((r.id, (r.merged_into, r.grid_id, r.building_id)) for r in found)
        known = {r.id for r in found}
        wanted -= set(missing) - known
        wanted |= {r.merged_into for r in found if r.merged_into is not None}
    if not rows:
        return []
    if not has_moves(session, community_id):
        return [Family(p, frozenset((p,)), grid, building, None, ()) for p, (_, grid, building) in sorted(rows.items())]
    members = _members(session, community_id, {p for p, (merged, _, _) in rows.items() if merged is None})
    grids = grid_at(session, community_id, list(rows))
    return [
        Family(
            place,
            frozenset() if merged is not None else frozenset((place, *members.get(place, ()))),
            grid,
            building,
            _survivor(rows, place) if merged is not None else None,
            tuple(grids.get(place, ())),
        )
        for place, (merged, grid, building) in sorted(rows.items())
    ]


def _members(session: Session, community_id: UUID, survivors: set[UUID]) -> dict[UUID, set[UUID]]:
    """All places merged into each survivor, directly or through others."""
    members: dict[UUID, set[UUID]] = {}
    stands_for = {place: place for place in survivors}
    frontier = set(survivors)
    while frontier:
        merged = session.execute(
            select(Place.id, Place.merged_into).where(
                Place.community_id == community_id, Place.merged_into == func.any(list(frontier))
            )
        ).all()
        frontier = {row.id for row in merged} - stands_for.keys()
        for row in merged:
            survivor = stands_for[row.merged_into]
            stands_for[row.id] = survivor
            members.setdefault(survivor, set()).add(row.id)
    return members


def _survivor(rows: Mapping[UUID, tuple[UUID | None, UUID | None, UUID | None]], place: UUID) -> UUID:
    while (merged := rows[place][0]) is not None and merged in rows:
        place = merged
    return place
