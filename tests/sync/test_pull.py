"""Pull: scopes, snapshot, changes, reset, deletions, and what came of quarantined records."""

from collections.abc import Callable

import pytest

from backend.db import new_id
from tests.factories.phones import Phone
from tests.factories.places import moved, registered
from tests.sync.conftest import World
from tests.sync.following import Follower, area, places_in, record_facts


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
    assert (foreign.status_code, foreign.json["code"]) == (403, "permission_denied")
