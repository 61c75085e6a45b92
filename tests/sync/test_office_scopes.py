"""The office sees no further than its place: payloads, and what stands at no known place."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories.identity import give_role
from tests.sync.conftest import World
from tests.sync.test_quarantine_office import get, post, wrong_visit


def payload_for(world: World, reader: Any, record: dict[str, Any]) -> Any:
    answer = get(reader, f"records/{record['id']}", reason="verify")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json["payload"]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(grids=2)


def test_payload_opens_to_who_may_correct_at_its_own_place_only(world: World) -> None:
    phone = world.phone()
    here, elsewhere = world.tree.grids[:2]
    record = phone.visit(world.home)
    assert phone.push(record)[0]["status"] == "stored"
    head = world.account("grid_head", elsewhere)
    give_role(world.db, head, world.community_id, "grid_worker", here)
    assert payload_for(world, world.phone(head), record) is None
    assert payload_for(world, world.phone(world.account("grid_head", here)), record) == record["payload"]


def test_quarantine_is_closed_to_roles_over_a_part_of_the_community(world: World) -> None:
    _, quarantine_id = wrong_visit(world, world.phone())
    officer = world.account("safety_officer", world.tree.grids[1])
    give_role(world.db, officer, world.community_id, "grid_worker")
    reader = world.phone(officer)
    for path in ("quarantine", f"quarantine/{quarantine_id}", "waiting"):
        assert get(reader, path).status_code == 403, path
    assert post(reader, f"quarantine/{quarantine_id}/requeue").status_code == 403
