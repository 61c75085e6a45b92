"""P1: everything a phone created is stored or quarantined byte for byte, and only what is kept is acknowledged.

Each test runs the same check against the server as it is and against a server with a seeded bug, which it must catch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

import backend.sync.intake as intake
import backend.sync.push as push_module
from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from backend.sync.intake import Results
from backend.sync.storing import Stored
from mobile_contract.sync.outcomes import PushResult, RecordOutcome
from tests.factories.phones import Phone
from tests.sync.conftest import Bell, World
from tests.sync.kept import check_kept


def run_phones(world: World, seed: int) -> None:
    """Two phones, one the clone of the other, push good, bad and repeated records in batches of any size."""
    rng = Random(seed)
    first = world.phone()
    clone = Phone(first.client, first.account, install_id=first.install_id)
    created, results = list[dict[str, Any]](), list[dict[str, Any]]()
    for phone in (first, clone):
        outbox = []
        for _ in range(12):
            answers = {"place": "moon"} if rng.random() < 0.25 else None
            changes = {} if answers is None else {"answers": answers}
            outbox.append(phone.visit(rng.choice(world.tree.households), **changes))
        created += outbox
        waiting = outbox + rng.choices(outbox, k=4)
        rng.shuffle(waiting)
        while waiting:
            batch, waiting = waiting[:5], waiting[5:]
            results += phone.push(*batch)
    check_kept(world.db, world.community_id, created, results)
    assert {record["id"] for record in created} == {result["id"] for result in results}


@pytest.mark.parametrize("seed", range(3))
def test_push_everything_created_is_held(world: World, seed: int) -> None:
    run_phones(world, seed)


class ForgetfulDatabase(Database):
    """Seeded bug: every third transaction is answered and then rolled back."""

    turns = 0

    @contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[Session]:
        with super().transaction(*args, **kwargs) as session:
            yield session
            ForgetfulDatabase.turns += 1
            if ForgetfulDatabase.turns % 3 == 0:
                session.rollback()


@pytest.fixture
def forgetful(settings: Settings, bell: Bell) -> Iterator[Flask]:
    database = ForgetfulDatabase(settings.database_url)
    yield create_app(settings, database, bell)
    database.dispose()


def test_check_kept_catches_an_answer_before_the_commit(world: World, forgetful: Flask) -> None:
    phone = world.phone()
    phone.client = forgetful.test_client()
    created = [phone.visit(home) for home in world.tree.households * 2]
    results = [result for record in created for result in phone.push(record)]
    with pytest.raises(AssertionError, match="acknowledged and not held"):
        check_kept(world.db, world.community_id, created, results)


def drop_refused(taking: Any, refused: Any, results: Results) -> None:
    """Seeded bug: what is not right is answered and thrown away."""
    for item in refused:
        results.by_position[item.position] = PushResult(str(item.record_id), RecordOutcome.QUARANTINED)


def by_counter(store: Callable[..., Stored]) -> Callable[..., Stored]:
    """Seeded bug: a record whose (installation, counter) is known counts as a duplicate."""
    seen: dict[tuple[Any, int], Any] = {}

    def store_by_counter(taking: Any, records: Any) -> Stored:
        fresh = [r for r in records if seen.setdefault((taking.install_id, r.row.seq), r.row.id) == r.row.id]
        stored = store(taking, fresh)
        stored.again += [record for record in records if record not in fresh]
        return stored

    return store_by_counter


def by_trust(results: Results, stored: Stored, *_: Any) -> None:
    """Seeded bug: whatever was sent is answered as stored, whether it was read back or not."""
    for record in [*stored.new, *stored.again, *stored.unkept]:
        results.by_position[record.good.position] = PushResult(record.good.id, RecordOutcome.STORED)


def test_run_phones_catches_a_server_that_drops_what_it_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "hold_refused", drop_refused)
    monkeypatch.setattr(push_module, "hold_refused", drop_refused)
    with pytest.raises(AssertionError, match="acknowledged and not held"):
        run_phones(world, 0)


def test_run_phones_catches_a_server_that_knows_records_by_their_counter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "store", by_counter(intake.store))
    monkeypatch.setattr(intake, "consider", lambda taking, copies: ({}, set()))
    monkeypatch.setattr(intake, "_tell", _tell_duplicates(intake._tell))
    with pytest.raises(AssertionError, match="acknowledged and not held"):
        run_phones(world, 0)


def _tell_duplicates(tell: Any) -> Callable[[Results, Stored, Any], None]:
    def told(results: Results, stored: Stored, *others: Any) -> None:
        for record in stored.again:
            results.by_position[record.good.position] = PushResult(record.good.id, RecordOutcome.DUPLICATE)
        stored.again = []
        tell(results, stored, *others)

    return told


def test_push_record_not_read_back_is_not_acknowledged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is not there when it is read back, whatever the reason, stays on the phone."""
    import backend.sync.storing as storing

    store_records = storing.store_records
    monkeypatch.setattr(storing, "store_records", lambda s, c, p, i, rows, f: store_records(s, c, p, i, rows[1:], f))
    phone = world.phone()
    records = sorted((phone.visit(home) for home in world.tree.households[:3]), key=lambda r: r["id"])
    results = phone.push(*records)
    assert [result["status"] for result in results] == ["retry", "stored", "stored"]
    check_kept(world.db, world.community_id, records, results)
    monkeypatch.setattr(intake, "_tell", by_trust)
    records = sorted((phone.visit(home) for home in world.tree.households[:3]), key=lambda r: r["id"])
    results = phone.push(*records)
    with pytest.raises(AssertionError, match="acknowledged and not held"):
        check_kept(world.db, world.community_id, records, results)
