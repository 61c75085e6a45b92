"""Two communities never meet: row level security binds every query of the archive, the feed and the quarantine."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from backend.inspections.models import Record
from backend.sync.models import Quarantine
from tests.factories.identity import give_role
from tests.sync.conftest import World
from tests.sync.kept import archived

TABLES = ("record", "record_key", "record_place", "waiting_on", "quarantine", "sync_change", "feed_position")


def test_push_same_record_to_two_communities_is_two_records(make_world: Callable[..., World]) -> None:
    first, second = make_world(), make_world()
    account = first.account()
    give_role(first.db, account, second.community_id, "grid_worker")
    phone = first.phone(account)
    record = phone.visit(first.home)
    here = phone.push(record, community_id=str(first.community_id))[0]
    there = phone.push(record, community_id=str(second.community_id))[0]
    assert (here["status"], there["status"]) == ("stored", "stored")
    for world in (first, second):
        assert archived(world.db, world.community_id) == {record["id"]: record["payload"].encode()}


def test_query_without_a_community_sees_nothing(world: World) -> None:
    phone = world.phone()
    phone.push(phone.visit(world.home), phone.visit(world.home, answers={"place": "moon"}))
    with world.db.transaction() as session:
        assert session.scalars(select(Record.id)).all() == []
        assert session.scalars(select(Quarantine.id)).all() == []


def test_write_into_another_community_is_refused(make_world: Callable[..., World]) -> None:
    first, second = make_world(), make_world()
    with pytest.raises(DBAPIError, match="row-level security"), first.db.transaction([first.community_id]) as session:
        session.execute(
            text("INSERT INTO feed_position (community_id, last_pos, floor_pos) VALUES (:c, 0, 0)"),
            {"c": second.community_id},
        )


@pytest.mark.parametrize("table", TABLES)
def test_table_is_guarded_even_against_its_owner(owner: Engine, table: str) -> None:
    with owner.connect() as connection:
        row = connection.execute(
            text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = :t"), {"t": table}
        ).one()
    assert tuple(row) == (True, True)


def test_office_of_another_community_finds_no_record(make_world: Callable[..., World]) -> None:
    first, second = make_world(), make_world()
    phone = first.phone()
    record = phone.visit(first.home)
    phone.push(record)
    stranger = second.office()
    assert stranger.client.get(f"/api/v1/records/{record['id']}", headers=stranger.headers).status_code == 404
