"""How a door stands: what is terminal, what overturns what, and that the order of arrival plays no part."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import clock
from backend.campaigns import coverage
from backend.campaigns.coverage import TERMINAL, Standing, last_contact_ms, stand
from backend.hazards.facts import Block, VisitFact
from mobile_contract.sync.ordering import order_key

DOOR, OTHER = str(UUID(int=1)), str(UUID(int=2))
FORMS = frozenset({"ebike_charging", "anti_theft_window"})
HOUR = 3_600_000
START = clock.day_start_ms(clock.local_day(1_795_000_000_000))
OUTCOMES = ("done", "vacant", "not_applicable", "no_answer", "refused", "wrong_address")


def visit(
    n: int,
    outcome: str = "done",
    forms: Iterable[str] = (),
    *,
    hour: int | None = None,
    place: str = DOOR,
    at: str = DOOR,
    witnessed: bool = True,
    quality: str = "anchored",
) -> VisitFact:
    """The ``n``-th visit, ``hour`` hours after the start; its blocks stand ``at``."""
    ms = START + (n if hour is None else hour) * HOUR
    key = order_key(ms, "00000000-0000-0000-0000-00000000000a", n, str(UUID(int=1000 + n)))
    blocks = tuple(Block(form, 1, at, {}) for form in forms) if outcome == "done" else ()
    identity = str(UUID(int=1000 + n))
    return VisitFact(identity, key, identity, "a", place, outcome, blocks, quality, witnessed)


def state(*visits: VisitFact) -> str:
    return stand(visits, {DOOR}, FORMS).state


def test_visit_with_all_forms_in_several_visits_is_done() -> None:
    assert state(visit(1, forms=["ebike_charging"])) == "partial"
    assert state(visit(1, forms=["ebike_charging"]), visit(2, forms=["anti_theft_window"])) == "done"
    assert stand([visit(1, forms=["ebike_charging"])], {DOOR}, FORMS).forms_left == {"anti_theft_window"}


def test_visit_with_another_form_counts_nowhere() -> None:
    assert state(visit(1, forms=["self_built_house"])) == "not_visited"


def test_block_at_the_door_counts_from_a_visit_elsewhere() -> None:
    assert state(visit(1, forms=FORMS, place=OTHER)) == "done"
    assert state(visit(1, forms=FORMS, at=OTHER)) == "not_visited"
    assert state(visit(1, "no_answer", place=OTHER)) == "not_visited"


@pytest.mark.parametrize("outcome", ["no_answer", "refused", "wrong_address"])
def test_try_in_vain_is_never_terminal(outcome: str) -> None:
    found = stand([visit(n, outcome) for n in range(1, 40)], {DOOR}, FORMS)
    assert found.state == outcome
    assert found.state not in TERMINAL
    assert found.attempts == 39


def test_vacant_needs_two_witnesses_or_the_property_office() -> None:
    assert state(visit(1, "vacant", witnessed=False)) == "vacant_unconfirmed"
    assert "vacant_unconfirmed" not in TERMINAL
    assert state(visit(1, "vacant", witnessed=False), visit(2, "vacant")) == "vacant"
    assert state(visit(1, "vacant"), visit(2, "vacant", witnessed=False)) == "vacant"


def test_vacant_holds_until_somebody_is_met_after_all() -> None:
    assert state(visit(1, "vacant"), visit(2, "no_answer")) == "vacant"
    assert state(visit(1, "vacant"), visit(2, "refused")) == "refused"
    assert state(visit(1, "vacant"), visit(2, forms=["ebike_charging"])) == "partial"
    assert state(visit(1, forms=FORMS), visit(2, "refused"), visit(3, "vacant")) == "done"


def test_attempts_in_one_slot_count_as_one_slot_and_unknown_hours_as_none() -> None:
    same = [visit(n, "no_answer", hour=9) for n in (1, 2, 3)]
    assert (stand(same, {DOOR}, FORMS).attempts, len(stand(same, {DOOR}, FORMS).slots)) == (3, 1)
    three = [visit(1, "no_answer", hour=9), visit(2, "no_answer", hour=14), visit(3, "refused", hour=20)]
    assert len(stand(three, {DOOR}, FORMS).slots) == 3
    guessed = [visit(1, "no_answer", hour=9, quality="estimated")]
    assert len(stand(guessed, {DOOR}, FORMS).slots) == 0


def test_last_contact_is_when_somebody_was_met() -> None:
    visits = [visit(1, forms=FORMS), visit(2, "refused"), visit(3, "no_answer"), visit(4, place=OTHER)]
    assert last_contact_ms(visits, {DOOR}) == START + 2 * HOUR
    assert last_contact_ms(visits[2:], {DOOR}) is None


VISITS = st.lists(
    st.builds(
        lambda outcome, forms, hour, witnessed: (outcome, sorted(forms), hour, witnessed),
        st.sampled_from(OUTCOMES),
        st.sets(st.sampled_from(sorted(FORMS | {"self_built_house"}))),
        st.integers(0, 200),
        st.booleans(),
    ),
    max_size=12,
)
Fold = Callable[[Sequence[VisitFact]], Standing]


def check_standing(fold: Fold, visits: Sequence[VisitFact], seed: int) -> None:
    """The same in any order; terminal only for what the specification calls so; a done door was really done."""
    found = fold(visits)
    shuffled = list(visits)
    Random(seed).shuffle(shuffled)
    again = fold(shuffled)
    assert (found.state, found.attempts, found.slots, found.forms_left) == (
        again.state,
        again.attempts,
        again.slots,
        again.forms_left,
    )
    filled = {block.form for v in visits if v.outcome == "done" for block in v.blocks}
    assert (found.state == "done") == (filled >= FORMS)
    if found.state in ("vacant", "not_applicable"):
        assert any(v.outcome == found.state and (v.witnessed or v.outcome != "vacant") for v in visits)
    if all(v.outcome in ("no_answer", "refused", "wrong_address") for v in visits):
        assert found.state not in ("done", "vacant", "not_applicable")
    if found.visit is None:
        assert found.state == "not_visited"


def made(said: list[tuple[str, list[str], int, bool]]) -> list[VisitFact]:
    return [visit(n, o, forms, hour=hour, witnessed=w) for n, (o, forms, hour, w) in enumerate(said)]


@given(VISITS, st.integers(0, 9))
def test_fold_any_visits_in_any_order_stands_the_same(said: list[tuple[str, list[str], int, bool]], seed: int) -> None:
    check_standing(lambda visits: stand(visits, {DOOR}, FORMS), made(said), seed)


def _answered(visits: Sequence[VisitFact]) -> Standing:
    """Bug: whoever knocked was there, so the door is done."""
    found = stand(visits, {DOOR}, FORMS)
    found.state = "done" if found.state == "no_answer" else found.state
    return found


def _by_arrival(visits: Sequence[VisitFact]) -> Standing:
    """Bug: the visit that arrives last decides."""
    found = Standing(set(FORMS))
    for one in visits:
        found = stand([one], {DOOR}, FORMS)
    return found


def _any_form(visits: Sequence[VisitFact]) -> Standing:
    """Bug: one form of two is enough."""
    found = stand(visits, {DOOR}, FORMS)
    found.state = "done" if found.state == "partial" else found.state
    return found


@pytest.mark.parametrize("broken", [_answered, _by_arrival, _any_form])
def test_check_standing_catches_a_broken_fold(broken: Fold) -> None:
    @settings(report_multiple_bugs=False)
    @given(VISITS, st.integers(0, 9))
    def check(said: list[tuple[str, list[str], int, bool]], seed: int) -> None:
        check_standing(broken, made(said), seed)

    with pytest.raises(AssertionError):
        check()


def test_states_name_every_outcome() -> None:
    assert set(OUTCOMES) <= set(coverage.STATES)
    assert set(TERMINAL) == {"done", "vacant", "not_applicable"}
