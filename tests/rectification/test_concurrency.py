"""Several workers and the console at the same places at once: as if one had waited for the other, and never stuck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from backend.db import new_id
from backend.hazards.models import LedgerNumber
from backend.inspections.models import Record
from backend.places.service import record_place_events
from backend.rectification import compile as compiling
from backend.rectification import rebuild
from backend.rectification.compile import compile_places
from backend.rectification.errors import TaskChanged
from backend.rectification.projecting import Projector
from tests.factories.places import merged, registered
from tests.hazards.delivering import GRIDS, Town
from tests.hazards.projected import hazards_in, outcomes_in
from tests.hazards.story import OTHER, PARKED, ROUTE, Story, day
from tests.rectification.compiling import HOME_ID, OTHER_ID, feed_length, hazard_id, take_assign

ROUNDS = 50
MANY = 500


def at_once(*acts: Callable[[], object]) -> list[Any]:
    """Do all of it at the same time, each in a thread with a connection of its own; raises what one of them raised."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(30) for future in [pool.submit(run, act) for act in acts]]


def compiled(town: Town, *places: UUID) -> Callable[[], object]:
    def act() -> None:
        with town.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '20s'"))
            compile_places(session, town.runtime, town.community_id, places)

    return act


def seen_and_compiled(town: Town, story: Story, at: float) -> Callable[[], object]:
    """A visit that arrives, and the compile it asks for."""
    seen = story.visit(at, PARKED)
    put = town.operations({**story.history, "records": [r for r in story.history["records"] if r["id"] == seen]})

    def act() -> None:
        with town.transaction() as session:
            put[0](session)
        compiled(town, OTHER_ID, HOME_ID)()

    return act


def assigned(town: Town, place: str) -> Callable[[], object]:
    """Somebody at the console, who looks again when the task has changed."""

    def act() -> UUID:
        for _ in range(20):
            try:
                with town.transaction() as session:
                    return take_assign(town, session, hazard_id(town, place))
            except TaskChanged:
                continue
        raise AssertionError("the task never stood still")

    return act


@pytest.fixture
def hazard_here(town: Town) -> Story:
    """A hazard at either building, compiled."""
    story = Story()
    story.visit(0, PARKED)
    story.visit(0, PARKED, place=OTHER)
    town.deliver(story.history)
    return story


def test_compile_twice_and_take_a_step_at_once_ends_as_the_facts_say(town: Town, hazard_here: Story) -> None:
    steps: set[str] = set()
    for n in range(ROUNDS):
        where = (ROUTE[0], OTHER)[n % 2]
        *_, step = at_once(
            seen_and_compiled(town, hazard_here, 1 + n / 100),
            compiled(town, HOME_ID, OTHER_ID),
            assigned(town, where),
        )
        steps.add(str(step))
    assert not rebuild.check(town.runtime, town.community_id).differences
    with town.transaction() as session:
        assert outcomes_in(session, town.community_id) == dict.fromkeys(steps)
        assert hazards_in(session, town.community_id)[ROUTE]["last"] == day(1 + (ROUNDS - 1) / 100)


def test_compile_and_step_at_once_at_merged_places_ends_as_the_facts_say(town: Town, hazard_here: Story) -> None:
    with town.transaction() as session:
        record_place_events(session, town.community_id, [merged(OTHER_ID, HOME_ID, day(1))])
    for n in range(10):
        at_once(
            seen_and_compiled(town, hazard_here, 2 + n / 100),
            compiled(town, OTHER_ID),
            compiled(town, HOME_ID),
            assigned(town, OTHER),
            assigned(town, ROUTE[0]),
        )
    compiled(town, OTHER_ID, HOME_ID)()
    assert not rebuild.check(town.runtime, town.community_id).differences


# --- seeded bug: without the lock -------------------------------------------------------------------------------------


def check_first_compile(town: Town) -> None:
    """Two workers are given a place that nobody has compiled yet."""
    story = Story()
    story.visit(0, PARKED)
    for operation in town.operations(story.history):
        with town.transaction() as session:
            operation(session)
    at_once(compiled(town, HOME_ID), compiled(town, HOME_ID))
    assert not rebuild.check(town.runtime, town.community_id).differences


def test_compile_a_new_place_twice_at_once_numbers_it_once(town: Town) -> None:
    check_first_compile(town)
    with town.transaction() as session:
        numbers = session.scalars(select(LedgerNumber.seq).where(LedgerNumber.community_id == town.community_id)).all()
    assert numbers == [1]


def test_check_catches_workers_that_do_not_wait(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    project, both = Projector.project, Barrier(2)

    def in_step(*arguments: Any) -> Any:
        found = project(*arguments)
        both.wait(10)
        return found

    monkeypatch.setattr(compiling, "_LOCK", text("SELECT CAST(:keys AS bigint[])"))
    monkeypatch.setattr(Projector, "project", in_step)
    with pytest.raises(IntegrityError):
        check_first_compile(town)


# --- many places ------------------------------------------------------------------------------------------------------


@pytest.fixture
def street(town: Town) -> list[UUID]:
    """Many buildings, a hazard in each, none compiled."""
    places = sorted(new_id() for _ in range(MANY))
    story = Story()
    for place in places:
        story.visit(0, PARKED, place=str(place))
    with town.transaction() as session:
        facts = [registered(place, "building", f"{n}栋", GRIDS[0]) for n, place in enumerate(places)]
        record_place_events(session, town.community_id, facts)
        for operation in town.operations(story.history):
            operation(session)
    return places


def test_compile_of_many_with_one_that_fails_leaves_nothing_half_done(town: Town, street: list[UUID]) -> None:
    broken = street[MANY // 2]
    with town.transaction() as session:
        poisoned = update(Record).where(Record.community_id == town.community_id, Record.place_id == broken)
        sealed = session.scalar(select(Record.sealed).where(Record.place_id == broken))
        session.execute(poisoned.values(sealed=b"\0" * 64))
    with pytest.raises(InvalidTag):
        compiled(town, *street)()
    with town.transaction() as session:
        for table in (
            "hazard",
            "transition",
            "rectification_task",
            "visit",
            "observation",
            "ledger_number",
            "ledger_counter",
        ):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table
    assert feed_length(town) == 0
    healthy = [place for place in street if place != broken]
    compiled(town, *healthy)()
    with town.transaction() as session:
        assert len(hazards_in(session, town.community_id)) == MANY - 1
        session.execute(poisoned.values(sealed=sealed))
    compiled(town, broken)()
    assert feed_length(town) == MANY
    assert not rebuild.check(town.runtime, town.community_id).differences


def test_compile_of_neighbouring_places_at_once_numbers_without_gap_or_double(town: Town, street: list[UUID]) -> None:
    """Lots that overlap, in orders that would cross."""
    lots = [street[:200], street[150:350][::-1], street[300:], street[100:250]]
    at_once(*(compiled(town, *lot) for lot in lots))
    with town.transaction() as session:
        numbers = session.scalars(select(LedgerNumber.seq).where(LedgerNumber.community_id == town.community_id)).all()
    assert sorted(numbers) == list(range(1, MANY + 1))
    assert feed_length(town) == MANY
    assert not rebuild.check(town.runtime, town.community_id).differences
