"""When a phone must begin anew: another epoch, a cursor too old, ahead, of another scope or never given."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.db import new_id
from backend.sync.cursors import read_cursor
from backend.sync.epoch import bump_epoch
from backend.sync.feed import number_changes, prune_changes
from tests.factories.places import registered
from tests.sync.conftest import World
from tests.sync.following import Follower, area, places_in, record_facts


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
