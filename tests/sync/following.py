"""A phone that follows the feed, and the facts that move it."""

from typing import Any
from uuid import UUID

from backend.places.service import PlaceListeners, record_place_events
from tests.factories.phones import Phone
from tests.sync.conftest import World

View = dict[tuple[str, str], dict[str, Any]]


class Follower:
    """What a phone does with pulls: one view per scope, staged while a snapshot runs."""

    def __init__(self, phone: Phone, *scopes: str) -> None:
        self.phone = phone
        self.cursors: dict[str, str | None] = dict.fromkeys(scopes)
        self.views: dict[str, View] = {scope: {} for scope in scopes}
        self.resets = 0
        self.pages = 0

    def follow(self, **changes: Any) -> None:
        """Pull until nothing is left."""
        asked = self.cursors
        while asked:
            answer = self.phone.pull(asked, **changes)
            self.pages += 1
            asked = {}
            for scope in answer["scopes"]:
                name = scope["id"]
                if scope["reset"]:
                    self.resets += 1
                    self.views[name] = {}
                for change in scope["changes"]:
                    self.apply(name, change)
                self.cursors[name] = scope["cursor"]
                if scope["has_more"]:
                    asked[name] = scope["cursor"]

    def apply(self, scope: str, change: dict[str, Any]) -> None:
        key = (change["entity"], change["id"])
        held = self.views[scope].get(key)
        if held is not None and held["rev"] > change["rev"]:
            return
        if change["op"] == "put":
            self.views[scope][key] = change
        else:
            self.views[scope].pop(key, None)

    def names(self, scope: str) -> set[str]:
        return {change["data"]["name"] for change in self.views[scope].values()}


def record_facts(world: World, *facts: Any) -> None:
    """Facts about places, told to the feed as the application tells them."""
    listeners = world.app.extensions["saolou"].part(PlaceListeners)
    with world.db.transaction([world.community_id]) as session:
        record_place_events(session, world.community_id, list(facts), listeners)


def area(place_id: UUID) -> str:
    return f"area:{place_id}"


def places_in(world: World, grid: UUID) -> set[str]:
    return {str(place) for place, held in world.tree.grid_of.items() if held == grid}
