"""Rotation: every record key under the new community key, everything still opens, retired keys are destroyed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, func, insert, select, text, update

from backend.app import make_runtime
from backend.commands.guarding import rotate
from backend.db import Database
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealed
from backend.identity.models import CommunityKey
from backend.inspections import rotation
from backend.inspections.models import RecordKey
from backend.inspections.rotation import destroy_retired_keys, rewrap_keys
from backend.settings import Settings
from tests.factories.identity import make_community

PLAIN = "石小满 13800138000".encode()


@pytest.fixture
def runtime(settings: Settings, db: Database) -> Runtime:
    return make_runtime(settings, db)


def seal_some(runtime: Runtime, community_id: UUID, count: int = 3) -> dict[UUID, bytes]:
    bodies = {}
    with runtime.db.transaction([community_id]) as session:
        sealer = runtime.part(Keyring).sealer(session, community_id)
        for _ in range(count):
            row_id = uuid4()
            sealed = sealer.seal(row_id, PLAIN)
            bodies[row_id] = sealed.body
            key = {"record_id": row_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
            session.execute(insert(RecordKey).values(community_id=community_id, **key))
    return bodies


def opened(runtime: Runtime, community_id: UUID, bodies: dict[UUID, bytes]) -> set[bytes]:
    with runtime.db.transaction([community_id]) as session:
        sealer = runtime.part(Keyring).sealer(session, community_id)
        keys = session.scalars(select(RecordKey)).all()
        return {sealer.open(k.record_id, Sealed(bodies[k.record_id], k.key_version, k.wrapped)) for k in keys}


def versions(runtime: Runtime, community_id: UUID) -> tuple[set[int], set[int]]:
    with runtime.db.transaction([community_id]) as session:
        held = set(session.scalars(select(CommunityKey.version)))
        return held, set(session.scalars(select(RecordKey.key_version)))


def age_keys(runtime: Runtime, community_id: UUID) -> None:
    with runtime.db.transaction([community_id]) as session:
        aged = func.now() - text("interval '2 days'")
        session.execute(update(CommunityKey).values(created_at=aged).execution_options(synchronize_session=False))


def test_rotate_wraps_every_key_anew_and_everything_opens(runtime: Runtime, db: Database) -> None:
    community_id, other = make_community(db), make_community(db)
    bodies, theirs = seal_some(runtime, community_id), seal_some(runtime, other)
    assert rotate(runtime, community_id) == (2, 3, 0)
    assert versions(runtime, community_id) == ({1, 2}, {2})
    assert opened(runtime, community_id, bodies) == {PLAIN}
    assert versions(runtime, other) == ({1}, {1})
    assert opened(runtime, other, theirs) == {PLAIN}


def test_retired_key_is_destroyed_a_day_later_and_no_key_in_use_ever(runtime: Runtime, db: Database) -> None:
    community_id = make_community(db)
    bodies = seal_some(runtime, community_id)
    rotate(runtime, community_id)
    age_keys(runtime, community_id)
    assert rotate(runtime, community_id) == (3, 3, 1)
    assert versions(runtime, community_id)[0] == {2, 3}
    assert opened(runtime, community_id, bodies) == {PLAIN}
    with runtime.db.transaction([community_id]) as session:
        runtime.part(Keyring).rotate(session, community_id)
    age_keys(runtime, community_id)
    with runtime.db.transaction([community_id]) as session:
        assert destroy_retired_keys(session, community_id) == 1
    assert versions(runtime, community_id)[0] == {3, 4}, "3 still wraps"


def test_rotation_that_forgets_the_row_is_caught(runtime: Runtime, db: Database) -> None:
    """The twin: wrapped for another row, nothing opens."""
    community_id = make_community(db)
    bodies = seal_some(runtime, community_id, 1)
    with runtime.db.transaction([community_id]) as session:
        keyring = runtime.part(Keyring)
        keyring.rotate(session, community_id)
        sealer = keyring.sealer(session, community_id)
        key = session.scalars(select(RecordKey)).one()
        careless = sealer.seal(uuid4(), b"").wrapped
        session.execute(update(RecordKey).values(key_version=sealer.newest, wrapped=careless))
        session.expunge(key)
    with pytest.raises(InvalidTag):
        opened(runtime, community_id, bodies)


def test_rewrap_takes_a_batch_at_a_time(runtime: Runtime, db: Database) -> None:
    community_id = make_community(db)
    seal_some(runtime, community_id, 5)
    with runtime.db.transaction([community_id]) as session:
        keyring = runtime.part(Keyring)
        keyring.rotate(session, community_id)
        sealer = keyring.sealer(session, community_id)
        assert [rewrap_keys(session, sealer, community_id, 2) for _ in range(4)] == [2, 2, 1, 0]


class Writers:
    """Threads that seal, read and erase rows until told to stop, each with a Keyring of its own as processes have."""

    def __init__(self, settings: Settings, db: Database, community_id: UUID) -> None:
        self.settings, self.db, self.community_id = settings, db, community_id
        self.bodies: dict[UUID, bytes] = {}
        self.reads, self.failures, self.over = 0, list[BaseException](), threading.Event()

    def run(self, work: Callable[[Runtime], None]) -> None:
        runtime = make_runtime(self.settings, self.db)
        try:
            while not self.over.is_set():
                work(runtime)
        except BaseException as error:
            self.failures.append(error)

    def write(self, runtime: Runtime) -> None:
        self.bodies |= seal_some(runtime, self.community_id, 2)

    def read(self, runtime: Runtime) -> None:
        known = dict(self.bodies)
        with runtime.db.transaction([self.community_id]) as session:
            sealer = runtime.part(Keyring).sealer(session, self.community_id)
            rows = session.execute(select(RecordKey.record_id, RecordKey.key_version, RecordKey.wrapped))
            for record_id, version, wrapped in rows:
                if record_id in known:
                    assert sealer.open(record_id, Sealed(known[record_id], version, wrapped)) == PLAIN
                    self.reads += 1

    def erase(self, runtime: Runtime) -> None:
        chosen = next(iter(self.bodies), None)
        if chosen is not None and len(self.bodies) > 50:
            with runtime.db.transaction([self.community_id]) as session:
                session.execute(delete(RecordKey).where(RecordKey.record_id == chosen))
            del self.bodies[chosen]
        self.over.wait(0.005)


def rotate_amid_work(settings: Settings, runtime: Runtime, db: Database, community_id: UUID, rounds: int = 6) -> None:
    """Nothing that is sealed, opened or erased meanwhile fails or is lost, and in the end one key wraps all."""
    writers = Writers(settings, db, community_id)
    works = (writers.write, writers.write, writers.read, writers.read, writers.erase)
    threads = [threading.Thread(target=writers.run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for _ in range(rounds):
        rotate(runtime, community_id)
    writers.over.set()
    for thread in threads:
        thread.join()
    assert writers.failures == []
    assert writers.reads > 0
    rotate(runtime, community_id)
    held = versions(runtime, community_id)
    assert held[1] == {max(held[0])}
    with db.transaction([community_id]) as session:
        assert set(session.scalars(select(RecordKey.record_id))) == set(writers.bodies)
    assert opened(runtime, community_id, writers.bodies) == {PLAIN}


def test_rotate_while_others_write_read_and_erase(settings: Settings, runtime: Runtime, db: Database) -> None:
    rotate_amid_work(settings, runtime, db, make_community(db))


def test_rotation_that_destroys_keys_at_once_is_caught(
    settings: Settings, runtime: Runtime, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: a key goes while a writer that began before still seals with it, and its rows open no more."""
    community_id = make_community(db)
    slow = make_runtime(settings, db)
    monkeypatch.setattr(rotation, "RETIRED_FOR", timedelta(days=-1))
    with slow.db.transaction([community_id]) as session:
        sealer = slow.part(Keyring).sealer(session, community_id)
        row_id = uuid4()
        sealed = sealer.seal(row_id, PLAIN)
        rotate(runtime, community_id)
        key = {"record_id": row_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
        session.execute(insert(RecordKey).values(community_id=community_id, **key))
    with pytest.raises(KeyError):
        opened(make_runtime(settings, db), community_id, {row_id: sealed.body})


def test_row_sealed_with_the_key_before_is_wrapped_anew_by_the_next_rotation(
    settings: Settings, runtime: Runtime, db: Database
) -> None:
    community_id = make_community(db)
    slow = make_runtime(settings, db)
    with slow.db.transaction([community_id]) as session:
        sealer = slow.part(Keyring).sealer(session, community_id)
        row_id = uuid4()
        sealed = sealer.seal(row_id, PLAIN)
        rotate(runtime, community_id)
        key = {"record_id": row_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
        session.execute(insert(RecordKey).values(community_id=community_id, **key))
    assert opened(runtime, community_id, {row_id: sealed.body}) == {PLAIN}
    assert rotate(runtime, community_id)[1] == 1
    assert opened(runtime, community_id, {row_id: sealed.body}) == {PLAIN}
