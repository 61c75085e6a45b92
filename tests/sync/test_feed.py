"""The feed: no reader misses a row, whatever writers do; positions are gapless and in the order of visibility."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import backend.sync.feed as feed
from backend.db import Database, new_id
from backend.settings import Settings
from backend.sync.feed import Change, append_changes, number_changes, positions, prune_changes
from backend.sync.models import SyncChange
from tests.factories.identity import make_community

WRITERS, READERS, SECONDS = 8, 3, 2.5

Read = Callable[[Database, UUID, int], list[tuple[int, str]]]


def read_feed(db: Database, community_id: UUID, after: int) -> list[tuple[int, str]]:
    """``(position, entity id)`` after a cursor, as a pull reads them."""
    with db.transaction([community_id]) as session:
        pending = feed.has_unnumbered(session, community_id)
    if pending:
        number_changes(db, community_id)
    with db.transaction([community_id]) as session:
        last, _ = positions(session, community_id)
        rows = session.execute(
            select(SyncChange.pos, SyncChange.entity_id)
            .where(SyncChange.pos > after, SyncChange.pos <= last)
            .order_by(SyncChange.pos)
        )
        return [(row[0], row[1]) for row in rows]


def read_by_sequence(db: Database, community_id: UUID, after: int) -> list[tuple[int, str]]:
    """Seeded bug: the number given at insert is the cursor."""
    with db.transaction([community_id]) as session:
        rows = session.execute(
            select(SyncChange.id, SyncChange.entity_id).where(SyncChange.id > after).order_by(SyncChange.id)
        )
        return [(row[0], row[1]) for row in rows]


def check_feed(db: Database, read: Read) -> None:
    """Eight writers with random delays and rollbacks, three readers: each reader sees every committed row."""
    community_id = make_community(db)
    committed: list[str] = []
    stop = threading.Event()
    seen: list[list[str]] = [[] for _ in range(READERS)]
    at: list[list[int]] = [[] for _ in range(READERS)]
    faults: list[BaseException] = []

    def write(seed: int) -> None:
        rng = random.Random(seed)
        try:
            while not stop.is_set():
                names = [str(new_id()) for _ in range(rng.randint(1, 3))]
                try:
                    with db.transaction([community_id]) as session:
                        changes = [Change("area:x", "task", name, "put", 1) for name in names]
                        append_changes(session, community_id, changes)
                        time.sleep(rng.random() * 0.02)
                        if rng.random() < 0.05:
                            raise InterruptedError
                    committed.extend(names)
                except InterruptedError:
                    pass
        except BaseException as fault:
            faults.append(fault)

    def follow(number: int) -> None:
        try:
            last_round = False
            while True:
                rows = read(db, community_id, at[number][-1] if at[number] else 0)
                seen[number].extend(name for _, name in rows)
                at[number].extend(position for position, _ in rows)
                if last_round:
                    return
                last_round = stop.is_set() and not any(w.is_alive() for w in writers)
        except BaseException as fault:
            faults.append(fault)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    readers = [threading.Thread(target=follow, args=(number,)) for number in range(READERS)]
    for thread in [*writers, *readers]:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in [*writers, *readers]:
        thread.join()
    assert not faults, faults
    for number in range(READERS):
        assert len(seen[number]) == len(set(seen[number])), "a row came twice"
        assert at[number] == sorted(at[number])
        missed = set(committed) - set(seen[number])
        assert not missed, f"missed {len(missed)} of {len(committed)}"
        assert set(seen[number]) == set(committed), "a row that was rolled back came"


@pytest.fixture(scope="module")
def busy(settings: Settings) -> Any:
    database = Database(settings.database_url, pool_size=20)
    yield database
    database.dispose()


def test_feed_with_eight_writers_misses_nothing(busy: Database) -> None:
    check_feed(busy, read_feed)


def test_feed_positions_are_gapless(busy: Database) -> None:
    community_id = make_community(busy)
    for _ in range(3):
        with busy.transaction([community_id]) as session:
            append_changes(session, community_id, [Change("area:x", "task", str(n), "put", 1) for n in range(5)])
        assert number_changes(busy, community_id) == 5
    with busy.transaction([community_id]) as session:
        numbered = session.scalars(select(SyncChange.pos).order_by(SyncChange.pos)).all()
        assert numbered == list(range(1, 16))
        assert positions(session, community_id) == (15, 0)


def test_check_feed_catches_a_sequence_as_cursor(busy: Database) -> None:
    with pytest.raises(AssertionError, match="missed"):
        check_feed(busy, read_by_sequence)


def test_number_changes_more_than_a_batch_numbers_all(busy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH", 4)
    community_id = make_community(busy)
    with busy.transaction([community_id]) as session:
        append_changes(session, community_id, [Change("area:x", "task", str(n), "put", 1) for n in range(10)])
    assert number_changes(busy, community_id) == 10


def test_number_changes_of_two_communities_do_not_wait_for_each_other(busy: Database) -> None:
    mine, theirs = make_community(busy), make_community(busy)
    with busy.transaction([theirs]) as session:
        session.execute(feed._LOCK, {"key": f"feed:{theirs}"})
        for community_id in (mine, theirs):
            with busy.transaction([community_id]) as other:
                append_changes(other, community_id, [Change("area:x", "task", "1", "put", 1)])
        assert number_changes(busy, mine) == 1
        assert number_changes(busy, theirs) == 0
    assert number_changes(busy, theirs) == 1


def test_prune_changes_raises_the_floor(busy: Database) -> None:
    from datetime import UTC, datetime, timedelta

    community_id = make_community(busy)
    with busy.transaction([community_id]) as session:
        append_changes(session, community_id, [Change("area:x", "task", str(n), "put", 1) for n in range(4)])
    number_changes(busy, community_id)
    with busy.transaction([community_id]) as session:
        assert prune_changes(session, community_id, datetime.now(UTC) - timedelta(days=180)) == 0
        assert prune_changes(session, community_id, datetime.now(UTC) + timedelta(days=1)) == 4
        assert positions(session, community_id) == (4, 4)
