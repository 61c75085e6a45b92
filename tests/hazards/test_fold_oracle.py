"""P3 without a database: the fold of any set of facts is what the oracle says, in whatever order they are given."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.hazards.lifecycle import NOT_APPLIED, STEP_KINDS
from tests.hazards.becoming import summary
from tests.hazards.broken import BUGS
from tests.hazards.histories import PLACES, START, History, make_history, oracle_of
from tests.hazards.oracle import DAY
from tests.hazards.system import fold_history

COMMUNITY = str(UUID(int=77))
AS_OF = START + 45 * DAY
#: So many histories reach every corner of the life cycle, and so every seeded bug.
MANY = 160
QUICK = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def check_fold(history: History, as_of: int = AS_OF) -> None:
    hazards, told = oracle_of(history, COMMUNITY, as_of).fold()
    found, said = fold_history(history, COMMUNITY, as_of)
    assert found == {chain: summary(hazard) for chain, hazard in hazards.items()}
    assert said == told


def history_of(seed: int, size: int = 12) -> History:
    return make_history(Random(seed), size)


def check_many() -> None:
    for seed in range(MANY):
        check_fold(history_of(seed, 20))


@QUICK
@given(st.randoms(use_true_random=False), st.integers(1, 8), st.integers(-DAY, 60 * DAY))
def test_fold_any_history_is_what_the_oracle_says(rng: Random, size: int, days: int) -> None:
    check_fold(make_history(rng, size), START + days)


@pytest.mark.parametrize("seed", range(40))
def test_fold_long_history_is_what_the_oracle_says(seed: int) -> None:
    check_fold(history_of(seed, 20))


@pytest.mark.parametrize("seed", range(20))
def test_fold_merged_places_is_what_the_oracle_says(seed: int) -> None:
    history = history_of(seed)
    history["family"] = {PLACES[1]: PLACES[0]}
    check_fold(history)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1500))
def test_fold_many_histories_are_what_the_oracle_says(seed: int) -> None:
    check_fold(history_of(seed, 25))


@pytest.mark.parametrize("bug", BUGS)
def test_check_fold_catches_a_broken_fold(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BUGS[bug])
    with pytest.raises(AssertionError):
        check_many()


def test_histories_reach_every_corner_of_the_life_cycle() -> None:
    reached: set[str | None] = set()
    for seed in range(MANY):
        hazards, told = oracle_of(history_of(seed, 20), COMMUNITY, AS_OF).fold()
        reached |= {change[1] for hazard in hazards.values() for change in hazard["changes"]}
        reached |= set(told.values())
    steps = STEP_KINDS.keys() - {"undo"}  # which leaves no change behind, but what it undid as "undone"
    assert reached >= {None, "register", "propose", *steps, *(NOT_APPLIED.keys() - {"step_unknown"})}
