"""Pull: scopes, snapshot, changes, reset, deletions, and what came of quarantined records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.db import new_id
from backend.places.service import PlaceListeners, record_place_events
from backend.sync.epoch import bump_epoch
from backend.sync.feed import number_changes, prune_changes
from tests.factories.phones import Phone
from tests.factories.places import moved, registered
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


def test_pull_without_scopes_tells_which_are_allowed(make_world: Callable[..., World]) -> None:
    world = make_world(grids=2)
    everybody = world.phone()
    one_grid = world.phone(world.account("grid_worker", world.tree.grids[1]))
    in_building = world.phone(world.account("grid_worker", world.tree.buildings[0]))
    viewer = world.phone(world.account("viewer"))
    forms = f"forms:{world.community_id}"
    grids = [area(grid) for grid in world.tree.grids]

    def allowed(phone: Phone) -> list[str]:
        return list(phone.pull({})["allowed_scopes"])

    assert set(allowed(everybody)) == {
        area(world.community_id),
        *grids,
        forms,
        f"device:{everybody.install_id}",
    }
    assert allowed(one_grid) == [grids[1], forms, f"device:{one_grid.install_id}"]
    assert allowed(in_building) == [grids[0], forms, f"device:{in_building.install_id}"]
    assert allowed(viewer) == [f"device:{viewer.install_id}"]


def test_pull_scope_that_is_not_allowed_is_not_answered(make_world: Callable[..., World]) -> None:
    world = make_world(grids=2)
    phone = world.phone(world.account("grid_worker", world.tree.grids[0]))
    answer = phone.pull({area(world.tree.grids[1]): None, area(world.tree.grids[0]): None})
    assert [scope["id"] for scope in answer["scopes"]] == [area(world.tree.grids[0])]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_pull_snapshot_in_pages_gives_the_whole_area(world: World, limit: int) -> None:
    scope = area(world.tree.grids[0])
    follower = Follower(world.phone(), scope)
    follower.follow(limit=limit)
    assert {key[1] for key in follower.views[scope]} == places_in(world, world.tree.grids[0])
    place = follower.views[scope]["place", str(world.home)]["data"]
    assert place["kind"] == "household"
    assert place["grid_id"] == str(world.tree.grids[0])
    assert place["location"] is None


def test_pull_after_the_snapshot_gives_changes_only(world: World) -> None:
    scope = area(world.tree.grids[0])
    follower = Follower(world.phone(), scope)
    follower.follow()
    door = new_id()
    record_facts(world, registered(door, "household", "901室", world.tree.units[0]))
    answer = follower.phone.pull(follower.cursors)
    assert [change["id"] for change in answer["scopes"][0]["changes"]] == [str(door)]
    assert not answer["scopes"][0]["reset"]
    follower.follow()
    assert "901室" in follower.names(scope)
    idle = follower.phone.pull(follower.cursors)["scopes"][0]
    assert (idle["changes"], idle["has_more"], idle["reset"]) == ([], False, False)


def test_pull_changes_made_while_a_snapshot_runs_are_not_missed(world: World) -> None:
    scope = area(world.tree.grids[0])
    phone = world.phone()
    follower = Follower(phone, scope)
    step = 0
    asked: dict[str, str | None] = {scope: None}
    while asked:
        answer = phone.pull(asked, limit=2)["scopes"][0]
        for change in answer["changes"]:
            follower.apply(scope, change)
        step += 1
        if step <= 4:
            name = f"新{step}室"
            record_facts(world, registered(new_id(), "household", name, world.tree.units[0]))
        asked = {scope: answer["cursor"]} if answer["has_more"] else {}
    assert {f"新{n}室" for n in range(1, 5)} <= follower.names(scope)


def test_pull_row_that_moves_leaves_one_area_and_enters_the_other(make_world: Callable[..., World]) -> None:
    world = make_world(grids=2, buildings=1)
    here, there = (area(grid) for grid in world.tree.grids)
    follower = Follower(world.phone(), here, there)
    follower.follow()
    building = world.tree.buildings[0]
    assert ("place", str(building)) in follower.views[here]
    record_facts(world, moved(building, world.tree.grids[1], 10))
    follower.follow()
    assert ("place", str(building)) not in follower.views[here]
    assert ("place", str(building)) in follower.views[there]


def test_pull_limit_counts_over_all_scopes_in_the_order_asked(make_world: Callable[..., World]) -> None:
    world = make_world(grids=2)
    first, second = (area(grid) for grid in world.tree.grids)
    answer = world.phone().pull({second: None, first: None}, limit=5)
    assert [scope["id"] for scope in answer["scopes"]] == [second, first]
    assert [len(scope["changes"]) for scope in answer["scopes"]] == [5, 0]
    assert [scope["has_more"] for scope in answer["scopes"]] == [True, True]


def test_pull_row_changed_twice_within_a_page_comes_once(world: World) -> None:
    scope = area(world.tree.grids[0])
    follower = Follower(world.phone(), scope)
    follower.follow()
    door = new_id()
    record_facts(world, registered(door, "household", "901室", world.tree.units[0]))
    record_facts(world, registered(door, "household", "902室", world.tree.units[0], 20))
    changes = follower.phone.pull(follower.cursors)["scopes"][0]["changes"]
    assert [(change["id"], change["data"]["name"]) for change in changes] == [(str(door), "902室")]


def check_reset(world: World, follower: Follower, scope: str, **changes: Any) -> None:
    """The next pull starts a fresh snapshot, and ends with the whole area."""
    follower.follow(**changes)
    assert follower.resets == 1
    assert {key[1] for key in follower.views[scope]} == places_in(world, world.tree.grids[0])


@pytest.fixture
def followed(world: World) -> tuple[World, Follower, str]:
    scope = area(world.tree.grids[0])
    follower = Follower(world.phone(), scope)
    follower.follow()
    assert follower.resets == 0
    return world, follower, scope


def test_pull_of_another_epoch_resets(followed: tuple[World, Follower, str]) -> None:
    world, follower, scope = followed
    before = follower.phone.pull({})["server_epoch"]
    with world.db.transaction() as session:
        bump_epoch(session)
    assert follower.phone.pull({})["server_epoch"] != before
    check_reset(world, follower, scope)


def test_pull_that_tells_an_old_epoch_resets(followed: tuple[World, Follower, str]) -> None:
    _, follower, _ = followed
    answer = follower.phone.pull(follower.cursors, server_epoch="eold")["scopes"][0]
    assert answer["reset"]
    now = follower.phone.pull({})["server_epoch"]
    assert not follower.phone.pull(follower.cursors, server_epoch=now)["scopes"][0]["reset"]


def test_pull_below_the_floor_resets(followed: tuple[World, Follower, str]) -> None:
    world, follower, scope = followed
    record_facts(world, registered(new_id(), "household", "901室", world.tree.units[0]))
    number_changes(world.db, world.community_id)
    with world.db.transaction([world.community_id]) as session:
        prune_changes(session, world.community_id, datetime.now(UTC) + timedelta(days=1))
    follower.follow()
    assert follower.resets == 1
    assert "901室" in follower.names(scope)


def test_pull_ahead_of_the_feed_resets(followed: tuple[World, Follower, str]) -> None:
    from backend.sync.cursors import read_cursor

    world, follower, scope = followed
    cursor = read_cursor(follower.cursors[scope] or "")
    assert cursor is not None
    follower.cursors[scope] = cursor._replace(pos=cursor.pos + 10_000).text()
    check_reset(world, follower, scope)


def test_pull_of_a_raised_schema_resets_and_a_lower_one_does_not(followed: tuple[World, Follower, str]) -> None:
    world, follower, scope = followed
    assert not follower.phone.pull(follower.cursors, schema_version=0)["scopes"][0]["reset"]
    check_reset(world, follower, scope, schema_version=2)
    follower.follow(schema_version=2)
    assert follower.resets == 1


@pytest.mark.parametrize("cursor", ["nonsense", "", "AAAA", "WzFd", "é", "e30"])
def test_pull_cursor_that_was_never_given_resets(followed: tuple[World, Follower, str], cursor: str) -> None:
    world, follower, scope = followed
    follower.cursors[scope] = cursor
    check_reset(world, follower, scope)


def test_pull_cursor_of_another_scope_resets(make_world: Callable[..., World]) -> None:
    world = make_world(grids=2)
    first, second = (area(grid) for grid in world.tree.grids)
    follower = Follower(world.phone(), first)
    follower.follow()
    answer = follower.phone.pull({second: follower.cursors[first]})["scopes"][0]
    assert answer["reset"]


def test_pull_old_protocol_is_told_to_update(world: World) -> None:
    phone = world.phone()
    body = {"install_id": str(phone.install_id), "schema_version": 1, "scopes": []}
    answer = phone.call("pull", body, **{"X-Protocol": "0"})
    assert (answer.status_code, answer.json["code"]) == (426, "protocol_too_old")
    pushed = phone.call("push", phone.envelope([phone.visit(world.home)]), **{"X-Protocol": "0"})
    assert pushed.status_code == 200


@pytest.mark.parametrize("path", ["pull", "reconcile", "clock"])
def test_sync_wrong_envelope_is_422(world: World, path: str) -> None:
    answer = world.phone().call(path, {"install_id": 7})
    assert (answer.status_code, answer.json["code"]) == (422, "envelope_invalid")
    assert "/install_id" in [error["pointer"] for error in answer.json["errors"]]


def test_sync_of_several_communities_must_name_one(world: World) -> None:
    from tests.factories.identity import give_role, make_community

    account = world.account()
    give_role(world.db, account, make_community(world.db), "grid_worker")
    phone = world.phone(account)
    body = {"install_id": str(phone.install_id), "schema_version": 1, "scopes": []}
    answer = phone.call("pull", body)
    assert (answer.status_code, answer.json["code"]) == (422, "community_required")
    named = phone.pull({}, community_id=str(world.community_id))
    assert area(world.community_id) in named["allowed_scopes"]
    foreign = phone.call("pull", {**body, "community_id": str(make_community(world.db))})
    assert foreign.status_code == 422


def test_reconcile_sorts_ids(world: World) -> None:
    phone = world.phone()
    good, bad = phone.visit(world.home), phone.visit(world.home, answers={"place": "moon"})
    phone.push(good, bad)
    unknown = str(new_id())
    answer = phone.reconcile(good["id"], bad["id"], unknown, attachments=(unknown,))
    assert answer["missing"] == [unknown]
    assert answer["quarantined"] == [bad["id"]]
    assert answer["missing_attachments"] == [unknown]
    assert answer["server_epoch"] == phone.pull({})["server_epoch"]


def test_clock_answers_a_genuine_anchor(world: World) -> None:
    from backend.sync.taking import anchor_key
    from mobile_contract.sync.clock import Anchor, is_genuine
    from tests.factories.identity import SECRET_KEY

    phone = world.phone()
    anchor = phone.take_anchor()
    assert anchor["elapsed_ms"] == phone.elapsed_ms
    assert is_genuine(anchor_key(SECRET_KEY), Anchor.from_wire(str(phone.install_id), anchor))


def test_clock_of_a_simulated_community_is_shifted(world: World, app: Any) -> None:
    from tests.factories.identity import make_account, make_community

    year = 365 * 86_400_000
    past = make_community(world.db, clock_offset_ms=-year)
    phone = Phone(app.test_client(), make_account(world.db, past))
    now = world.phone().take_anchor()["server_ms"]
    assert abs(phone.take_anchor()["server_ms"] - (now - year)) < 60_000
