"""A model of the life cycle: whatever is seen and done, early or late, the fold is what the oracle says."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.hazards import fold
from backend.hazards.facts import StepFact
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.state import HazardState, Sighting
from backend.hazards.walk import walk_chain
from tests.hazards.becoming import FROM, summary
from tests.hazards.broken import BUGS
from tests.hazards.histories import PHOTO, History, Maker, oracle_of
from tests.hazards.oracle import DAY
from tests.hazards.story import CHARGING, CLEAR, COMMUNITY, HEAD, OFFICER, PARKED, ROUTE, WORKER, Story, day
from tests.hazards.system import fold_history

ACTORS = st.sampled_from([HEAD, OFFICER, WORKER])
ROLES = ["committee", "committee", "street", "department", "safety_officer", "grid_head", "grid_worker"]
RANKS = st.sampled_from(ROLES)
KINDS = st.sampled_from(sorted(STEP_KINDS))


def both(history: History, as_of: int) -> tuple[Any, Any]:
    """What the product's fold and the oracle say."""
    hazards, told = oracle_of(history, COMMUNITY, as_of).fold()
    said = {chain: summary(hazard) for chain, hazard in hazards.items()}
    return fold_history(history, COMMUNITY, as_of), (said, told)


class LifeCycle(RuleBasedStateMachine):
    """One spot in a stairwell over a year; steps come from phones and from the office, early and late."""

    def __init__(self) -> None:
        super().__init__()
        self.story, self.now, self.last = Story(), 0.0, {"id": "", "author": WORKER}

    @initialize()
    def find(self) -> None:
        self.story.visit(0, PARKED)

    def _pass(self, hours: float) -> float:
        self.now += hours / 24
        return self.now

    @rule(hours=st.sampled_from([0.1, 5, 48, 400]), author=ACTORS, answers=st.sampled_from([PARKED, CHARGING, CLEAR]))
    def look(self, hours: float, author: str, answers: dict[str, Any]) -> None:
        self.story.visit(self._pass(hours), answers, author=author)

    @rule(hours=st.sampled_from([0.1, 5]), author=ACTORS)
    def fix_on_the_spot(self, hours: float, author: str) -> None:
        self.story.visit(self._pass(hours), CLEAR, fixed=["EBC-02"], author=author)

    @rule(kind=KINDS, actor=ACTORS, role=RANKS, hours=st.sampled_from([0.1, 0.2, 5, 48]), data=st.data())
    def step(self, kind: str, actor: str, role: str, hours: float, data: st.DataObject) -> None:
        self._take(kind, actor, role, self._pass(hours), data)

    @rule(actor=ACTORS, hours=st.sampled_from([0.1, 5, 48]), data=st.data())
    def step_that_may_follow(self, actor: str, hours: float, data: st.DataObject) -> None:
        state = fold_history(self.story.history, COMMUNITY, day(self.now + 1))[0][ROUTE]["state"]
        kind = data.draw(st.sampled_from([kind for kind, starts in FROM.items() if state in starts]))
        role = "street" if kind in ("extend", "feedback", "close") else "committee"
        self._take(kind, actor, role, self._pass(hours), data)

    @rule(hours=st.sampled_from([0.1, 0.2, 0.3]))
    def take_back(self, hours: float) -> None:
        body = {"undoes": self.last["id"]}
        self.story.step(self._pass(hours), "undo", self.last["author"], **body)

    @rule(kind=KINDS, actor=ACTORS, role=RANKS, ago=st.sampled_from([1, 30]), data=st.data())
    def step_that_comes_late(self, kind: str, actor: str, role: str, ago: float, data: st.DataObject) -> None:
        self._take(kind, actor, role, max(0.0, self.now - ago), data)

    def _take(self, kind: str, actor: str, role: str, at: float, data: st.DataObject) -> None:
        visits = [r["id"] for r in self.story.history["records"] if r["type"] == "visit"]
        photos = data.draw(st.sampled_from([[], [PHOTO]]))
        until = day(at + data.draw(st.sampled_from([1, 20, 60])))
        said: dict[str, Any] = {
            "severity": data.draw(st.sampled_from(["red", "orange"])),
            "deadline_ms": until,
            "responsible_party": "王建国",
            "measures": "移走车辆",
            "funds": "自筹",
            "plan": data.draw(st.sampled_from(["专人看守", None])),
            "refusal_witness": "田大禾" if photos else None,
            "photos": photos,
            "attachments": photos,
            "evidence": [{"kind": "ph", "attachments": photos}],
            "revisit_id": visits[-1] if visits else None,
            "basis": visits,
            "assignee_account_id": actor,
            "undoes": self.last["id"],
        }
        take = data.draw(st.sampled_from([self.story.step, self.story.console]))
        made = take(at, kind, actor, ROUTE, **said)
        facts = self.story.history["records"] if take == self.story.step else self.story.history["console"]
        facts[-1] |= {"role": role, "version": data.draw(st.sampled_from([1, 2]))}
        self.last = {"id": made, "author": actor}

    @invariant()
    def fold_is_what_the_oracle_says(self) -> None:
        found, said = both(self.story.history, day(self.now + 1))
        assert found == said

    @invariant()
    def what_must_always_hold(self) -> None:
        hazards, told = fold_history(self.story.history, COMMUNITY, day(self.now + 1))
        for hazard in hazards.values():
            assert hazard["extended"] <= 2
            closes = [c for c in hazard["changes"] if c[1] == "close"]
            assert (hazard["state"] == "closed") <= bool(closes)
            assert [c[0] for c in hazard["changes"]] == sorted(c[0] for c in hazard["changes"])
            for before, after in zip(hazard["changes"], hazard["changes"][1:], strict=False):
                assert before[3] == after[2]
        steps = [r["id"] for r in self.story.history["records"] if r["type"] == "task_step"]
        assert {*steps, *(s["id"] for s in self.story.history["console"])} == set(told)


QUICK = settings(
    max_examples=60,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def test_walk_the_life_cycle_against_the_oracle() -> None:
    run_state_machine_as_test(LifeCycle, settings=QUICK)


@pytest.mark.parametrize("bug", ["undo leaves what was done", "closing on absent"])
def test_walk_catches_a_broken_life_cycle(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BUGS[bug])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LifeCycle, settings=settings(QUICK, max_examples=60, phases=[Phase.generate]))


# --- a year of random steps -------------------------------------------------------------------------------------------


def a_year(seed: int) -> History:
    """Lives, looks and corrections, spread over a year."""
    maker = Maker(Random(seed), [ROUTE[0]])
    while maker.now < START_OF_YEAR + 365 * DAY:
        maker.rng.choice([maker.life, maker.life, maker.visit, maker.correct])()
        maker.now += maker.rng.choice([0, 0, 1, 4]) * DAY
    return maker.history


START_OF_YEAR = Maker(Random(0), []).now
YEAR_LATER = START_OF_YEAR + 500 * DAY


def check_any_order(history: History, orders: int) -> None:
    """However the facts are shuffled, they come to the same."""
    first = fold_history(history, COMMUNITY, YEAR_LATER)
    for order in range(orders):
        rng, shuffled = Random(order), dict(history)
        for name in ("records", "console", "overrides", "reassessments"):
            shuffled[name] = rng.sample(history[name], len(history[name]))
        assert fold_history(shuffled, COMMUNITY, YEAR_LATER) == first


def check_years() -> None:
    for seed in range(5):
        check_any_order(a_year(seed), 3)


@pytest.mark.parametrize("seed", range(5))
def test_year_of_steps_comes_to_the_same_in_any_order(seed: int) -> None:
    history = a_year(seed)
    found, said = both(history, YEAR_LATER)
    assert found == said
    check_any_order(history, 3)


def test_check_any_order_catches_steps_taken_up_as_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = count()

    def as_they_arrive(
        chain: str,
        locus: str,
        sightings: Sequence[Sighting],
        steps: Sequence[StepFact],
        *others: Any,
    ) -> HazardState:
        late = [replace(step, key=step.key._replace(effective_ms=YEAR_LATER + next(arrived))) for step in steps]
        return walk_chain(chain, locus, sightings, late, *others)

    monkeypatch.setattr(fold, "walk_chain", as_they_arrive)
    with pytest.raises(AssertionError):
        check_years()
