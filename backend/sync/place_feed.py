"""Places in the feed."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from backend.places.feed import FeedPlace, area_of, feed_places, list_places_after
from backend.places.projection import PlaceChange
from backend.sync.feed import Change, append_changes
from backend.sync.feed_entities import FeedEntity, FeedRow

NAME: Final = "place"


def tell_feed(session: Session, community_id: UUID, changes: Sequence[PlaceChange]) -> None:
    """Places changed: a put where they are, a del where they were. For ``PlaceListeners.on_changed``."""
    rows: list[Change] = []
    for change in changes:
        here = area_of(community_id, change.grid_id)
        before = here if change.is_new else area_of(community_id, change.old_grid_id)
        if before != here:
            rows.append(Change(before, NAME, str(change.place_id), "del", change.rev))
        rows.append(Change(here, NAME, str(change.place_id), "put", change.rev))
    append_changes(session, community_id, rows)


def _load(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    found = feed_places(session, community_id, [UUID(place_id) for place_id in ids])
    return {str(place.id): _row(place) for place in found.values()}


def _after(session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int) -> list[FeedRow]:
    grid_id = UUID(scope_id.partition(":")[2])
    after = None if after_id is None else UUID(after_id)
    return [_row(place) for place in list_places_after(session, community_id, grid_id, after, limit)]


def _row(place: FeedPlace) -> FeedRow:
    return FeedRow(str(place.id), place.rev, place.scope_id, place.data)


PLACE: Final = FeedEntity(NAME, "area", _load, _after)
