"""P3 for dangerous houses: the same facts in any order give the same house, alone and in the database."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import orjson
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from sqlalchemy import insert, text

from backend.evacuations.fold import Fact, House, fold_house
from backend.evacuations.lifecycle import FACT_KINDS, GONE, NOT_APPLIED
from backend.evacuations.models import EvacuationFact
from backend.evacuations.projecting import TABLES, may_take, refold
from backend.identity.keys import Keyring
from backend.inspections.models import RecordKey
from mobile_contract.sync.ordering import order_key
from tests.evacuations.histories import facts, recount_gone, shown
from tests.factories.sweeps import Sweep, make_sweep

Fold = Callable[[Sequence[Fact]], House]


def fold(history: Sequence[Fact]) -> House:
    return fold_house(history, may_take)


def check_any_order(folds: Fold, history: Sequence[Fact], seed: int) -> None:
    """Shuffled and repeated facts give the same house, and its empty homes are what a recount says."""
    shuffled = [*history, *history[:2]]
    random.Random(seed).shuffle(shuffled)
    house = folds(history)
    assert shown(folds(shuffled)) == shown(house)
    gone = recount_gone(history, [fact for fact, reason in house.outcomes.items() if reason is None])
    assert {home: h.state in GONE for home, h in house.households.items()} == gone
    is_empty = bool(house.households) and all(h.state in GONE for h in house.households.values())
    assert (house.emptied_ms is not None) == is_empty
    assert {reason for reason in house.outcomes.values() if reason} <= set(NOT_APPLIED)
    assert set(house.outcomes) == {fact.id for fact in history}


@settings(max_examples=300)
@given(facts(), st.integers(0, 2**32))
def test_fold_any_order_gives_the_same_house(history: list[Fact], seed: int) -> None:
    check_any_order(fold, history, seed)


def by_arrival(history: Sequence[Fact]) -> House:
    """Seeded bug: facts count in the order in which they came."""
    return fold([replace(f, key=order_key(n, UUID(int=0), n, f.id)) for n, f in enumerate(history)])


def first_look_wins(history: Sequence[Fact]) -> House:
    """Seeded bug: who was found back stays counted as gone."""
    return fold([replace(f, body={**f.body, "returned": []}) for f in history])


def forgives_withdrawing(history: Sequence[Fact]) -> House:
    """Seeded bug: a withdrawn fact still counts."""
    house = fold([f for f in history if f.kind != "withdrawn"])
    house.outcomes |= {f.id: None for f in history if f.kind == "withdrawn"}
    house.outcomes |= {f.id: reason for f in history if (reason := fold(history).outcomes[f.id]) == "withdrawn"}
    return house


@pytest.mark.parametrize("broken", [by_arrival, first_look_wins, forgives_withdrawing])
def test_check_any_order_catches_a_broken_fold(broken: Fold) -> None:
    def is_caught(history: list[Fact]) -> bool:
        try:
            check_any_order(broken, history, 7)
        except AssertionError:
            return True
        return False

    try:
        find(facts(), is_caught, settings=settings(max_examples=2000, phases=[Phase.generate], database=None))
    except NoSuchExample:
        pytest.fail(f"{broken.__name__} was not caught")


def put(sweep: Sweep, house_id: UUID, fact: Fact) -> None:
    """One fact into the table, as it would arrive."""
    with sweep.db.transaction([sweep.community_id]) as session:
        fact_id = UUID(fact.id)
        sealer = sweep.runtime.part(Keyring).sealer(session, sweep.community_id)
        sealed = sealer.seal(fact_id, orjson.dumps(dict(fact.body)))
        here = {"community_id": sweep.community_id}
        key = {"record_id": fact_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
        session.execute(insert(RecordKey).values(**here, **key))
        session.execute(
            insert(EvacuationFact).values(
                **here,
                id=fact_id,
                house_id=house_id,
                household_id=fact.household_id and UUID(fact.household_id),
                kind=fact.kind,
                effective_ms=fact.key.effective_ms,
                install_id=UUID(fact.key.install_id),
                seq=fact.key.seq,
                actor_id=UUID(fact.actor_id),
                actor_role=fact.role,
                sealed=sealed.body,
                recorded_ms=0,
            )
        )
        refold(session, sweep.runtime.part(Keyring), sweep.community_id, [house_id])


def rows_of(sweep: Sweep, house_id: UUID) -> str:
    with sweep.db.transaction([sweep.community_id]) as session:
        return str([sorted(table.load(session, sweep.community_id, [house_id])[0].items()) for table in TABLES])


@settings(max_examples=8)
@given(facts(), st.integers(0, 2**32))
def test_project_in_any_order_of_arrival_gives_the_same_rows(sweep: Sweep, history: list[Fact], seed: int) -> None:
    stored = [fact for fact in history if fact.kind in FACT_KINDS]
    house_id, found = sweep.tree.buildings[0], []
    for order in (stored, random.Random(seed).sample(stored, len(stored))):
        with sweep.db.transaction([sweep.community_id]) as session:
            for table in ("evacuation_fact", "record_key", *(table.name for table in TABLES)):
                session.execute(text(f"DELETE FROM {table}"))
        for fact in order:
            put(sweep, house_id, fact)
        found.append(rows_of(sweep, house_id))
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def sweep(app, db) -> Sweep:  # type: ignore[no-untyped-def]
    return make_sweep(app, db)
