"""Which parts of the feed an account may follow."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.http.context import Actor
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.sync.feed import area_scope, device_scope, forms_scope

PULL = "sync.pull"


def allowed_scopes(session: Session, actor: Actor, community_id: UUID) -> tuple[str, ...]:
    """The scopes of an account in its active community: areas first, then forms, then its own installation's.

    An area is a grid. Whoever is bound to something smaller (a micro grid, a building) follows its grid; whoever is
    bound to nothing follows the community's own area as well, in which lies what no grid holds.
    """
    held = actor.active_memberships(PULL)
    scopes: list[str] = []
    if held:
        if any(membership.place_id is None for membership in held):
            scopes.append(area_scope(community_id))
            grids = _grids(session, community_id, ())
        else:
            grids = _grids(session, community_id, tuple(m.path for m in held if m.path is not None))
            grids |= _grids_around(session, community_id, {m.place_id for m in held if m.place_id})
            if any(membership.place_id == community_id for membership in held):
                scopes.append(area_scope(community_id))
        scopes += sorted(map(area_scope, grids))
        scopes.append(forms_scope(community_id))
    if actor.install_id is not None:
        scopes.append(device_scope(actor.install_id))
    return tuple(scopes)


def _grids(session: Session, community_id: UUID, paths: tuple[str, ...]) -> set[UUID]:
    found = select(Place.id).where(
        Place.community_id == community_id, Place.kind == "grid", Place.merged_into.is_(None), in_scope(paths)
    )
    return set(session.scalars(found))


def _grids_around(session: Session, community_id: UUID, place_ids: set[UUID]) -> set[UUID]:
    found = select(Place.grid_id).where(Place.community_id == community_id, Place.id.in_(place_ids))
    return {grid_id for grid_id in session.scalars(found) if grid_id is not None}
