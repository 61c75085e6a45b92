"""P3 through the database: in any order and any batches, with doubles, the same projections: those of the oracle."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.inspections.models import Record, RecordPlace
from backend.rectification import loading, rebuild
from mobile_contract.sync import ordering
from tests.factories.places import merged, moved
from tests.hazards import delivering
from tests.hazards.becoming import summary
from tests.hazards.broken import BUGS, Bug
from tests.hazards.delivering import GRIDS, KIND_OF, NOW_MS, Town, put_plain_record
from tests.hazards.histories import PLACES, START, History, Maker, make_history, oracle_of
from tests.hazards.oracle import DAY, HOUR
from tests.hazards.projected import hazards_in, natural_rows, outcomes_in

MakeTown = Callable[[], Town]


def history_of(seed: int, size: int = 7, *, merging: bool = False) -> History:
    history = {**make_history(Random(seed), size), "kinds": KIND_OF}
    if merging:
        into, gone, other = PLACES
        history["family"] = {gone: into}
        facts = [merged(UUID(gone), UUID(into), START + 5 * DAY), moved(UUID(other), GRIDS[0], START + 9 * DAY)]
        history["place_facts"] = facts
    return history


def check_arrivals(make_town: MakeTown, history: History, orders: Iterable[int]) -> None:
    """The history as it was made, then shuffled: all the same, and the oracle's; nothing is left to rebuild."""
    held = []
    for town, rng in [(make_town(), None), *((make_town(), Random(order)) for order in orders)]:
        town.deliver(history, rng)
        oracle = oracle_of(history, str(town.community_id), NOW_MS)
        with town.transaction() as session:
            held.append(natural_rows(session, town.community_id, history))
            hazards, told = oracle.fold()
            assert hazards_in(session, town.community_id) == {c: summary(h) for c, h in hazards.items()}
            assert outcomes_in(session, town.community_id) == told
        assert not rebuild.check(town.runtime, town.community_id).differences
    for rows in held[1:]:
        for table, found in rows.items():
            assert found == held[0][table], table


@pytest.mark.parametrize("seed", [0, 4, 6])
def test_compile_in_any_order_gives_the_same_projections(make_town: MakeTown, seed: int) -> None:
    check_arrivals(make_town, history_of(seed), [1, 2])


@pytest.mark.parametrize("seed", [100, 104])
def test_compile_merged_and_moved_places_in_any_order_gives_the_same_projections(
    make_town: MakeTown, seed: int
) -> None:
    check_arrivals(make_town, history_of(seed, merging=True), [1, 2])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 300))
def test_compile_many_histories_gives_the_same_projections(make_town: MakeTown, seed: int) -> None:
    check_arrivals(make_town, history_of(seed, 12, merging=seed % 2 == 0), range(4))


# --- seeded bugs: the same check must notice ------------------------------------------------------------------------


def check_some(make_town: MakeTown) -> None:
    check_arrivals(make_town, moved_visit(), range(4))
    for seed in (0, 4, 6):
        check_arrivals(make_town, history_of(seed), [1])


def moved_visit() -> History:
    """A visit whose author put it at the wrong place first, and then not."""
    maker = Maker(Random(1), PLACES)
    wrong = maker.visit("extinguisher_check", PLACES[0])
    for block in wrong["visit"]["blocks"]:
        block["answers"] |= {"fitted": "no"}
    right = {**wrong["visit"], "blocks": [{**block, "place": PLACES[1]} for block in wrong["visit"]["blocks"]]}
    maker.record("visit", {**right, "place": PLACES[1]}, amends=wrong["id"], author=wrong["author"])
    return maker.history


def by_arrival(session: Session, sealer: Any, community_id: UUID, record: dict[str, Any]) -> None:
    """A record is as old as the server has had it."""
    put_plain_record(session, sealer, community_id, {**record, "ms": START + next(ARRIVALS) * HOUR})


def own_places(session: Session, community_id: UUID, record_id: UUID) -> set[UUID]:
    """The places a record names, without those that what it corrects named."""
    main = session.get_one(Record, (community_id, record_id)).place_id
    beside = session.scalars(select(RecordPlace.place_id).where(RecordPlace.record_id == record_id))
    return {*beside, *([main] if main else [])}


def by_own_key(revisions: Iterable[ordering.Revision]) -> ordering.Versions:
    """A correction counts from when it was made."""
    held = list(revisions)
    keys = {revision.key.id: revision.key for revision in held}
    versions = ordering.effective_versions(held)
    moved = tuple(replace(e, key=keys[e.content_id]) if e.content_id else e for e in versions.effective)
    return replace(versions, effective=moved)


ARRIVALS = count()
LATE = {
    "ordered by arrival": Bug(delivering, "put_plain_record", by_arrival),
    "old place forgotten": Bug(delivering, "places_to_compile", own_places),
    "corrections by their own time": Bug(loading, "effective_versions", by_own_key),
}


@pytest.mark.parametrize("bug", [*LATE, "closing on absent", "severity lowered by a later record"])
def test_check_arrivals_catches(make_town: MakeTown, bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*{**BUGS, **LATE}[bug])
    with pytest.raises(AssertionError):
        check_some(make_town)
