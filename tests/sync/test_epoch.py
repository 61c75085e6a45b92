"""The server's epoch changes when its history may have, and only then."""

import pytest
from sqlalchemy import text

from backend.db import Database
from backend.settings import Settings
from backend.sync.epoch import bump_epoch, manual_counter, note_safe_through, server_facts
from tests.conftest import DatabaseMaker
from tests.sync.conftest import World


def epoch_of(db: Database) -> str:
    with db.transaction() as session:
        return server_facts(session).epoch


def test_epoch_is_stable_across_processes(db: Database, settings: Settings) -> None:
    other = Database(settings.database_url)
    assert epoch_of(db) == epoch_of(other)
    other.dispose()


def test_epoch_differs_in_a_database_copied_beside_its_source(db: Database, databases: DatabaseMaker) -> None:
    copy = Database(databases.make())
    assert epoch_of(db) != epoch_of(copy)
    copy.dispose()


def test_epoch_changes_when_it_is_bumped_in_a_running_process(db: Database) -> None:
    before = epoch_of(db)
    with db.transaction() as session:
        bump_epoch(session)
        bump_epoch(session)
        assert manual_counter(session) >= 2
    assert epoch_of(db) != before


@pytest.mark.parametrize("column", ["s.system_identifier", "c.timeline_id", "d.oid", "'sync_change'::regclass::oid"])
def test_epoch_depends_on_each_of_its_facts(db: Database, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    import backend.sync.epoch as epoch

    before = epoch_of(db)
    changed = epoch._FACTS.text.replace(column, f"({column})::text || 'x'", 1)
    monkeypatch.setattr(epoch, "_FACTS", text(changed))
    assert epoch_of(db) != before


def test_safe_through_is_told_in_every_answer_and_shifted_with_the_clock(world: World) -> None:
    from tests.factories.identity import make_account, make_community
    from tests.factories.phones import Phone

    with world.db.transaction() as session:
        note_safe_through(session, 1_794_998_200_000)
    phone = world.phone()
    assert phone.call("push", phone.envelope([])).json["safe_through_ms"] == 1_794_998_200_000
    assert phone.pull({})["safe_through_ms"] == 1_794_998_200_000
    assert phone.reconcile()["safe_through_ms"] == 1_794_998_200_000
    past = make_community(world.db, clock_offset_ms=-1000)
    simulated = Phone(world.app.test_client(), make_account(world.db, past))
    assert simulated.pull({})["safe_through_ms"] == 1_794_998_199_000
    with world.db.transaction() as session:
        note_safe_through(session, 0)
