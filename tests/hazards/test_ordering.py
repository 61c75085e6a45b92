"""The order of everything, corrections, and what a step or record that arrives late changes."""

import pytest

from tests.hazards.histories import PHONES
from tests.hazards.oracle import NIL
from tests.hazards.story import (
    CLEAR,
    HEAD,
    HOME,
    OFFICER,
    OTHER,
    PARKED,
    ROUTE,
    SECOND_WORKER,
    WORKER,
    Story,
    day,
    path,
)


def body(answers: dict[str, object], place: str = HOME) -> dict[str, object]:
    block = {"form": "ebike_charging", "place": place, "answers": answers, "fixed": []}
    return {"place": place, "outcome": "done", "blocks": [block]}


# --- the order key ----------------------------------------------------------------------------------------------------


def test_order_is_time_then_installation_then_sequence() -> None:
    for last, first in (({"install": PHONES[1]}, {"install": PHONES[0]}), ({"seq": 9}, {"seq": 8})):
        story = Story()
        story.visit(0, PARKED, author=WORKER, **last)
        story.visit(0, CLEAR, author=WORKER, **first)
        assert story.hazard()["state"] == "registered"
        other = Story()
        other.visit(0, PARKED, **first)
        other.visit(0, CLEAR, **last)
        assert other.hazard()["state"] == "review"


def test_console_step_comes_before_a_phones_record_of_the_same_millisecond() -> None:
    assert all(phone > NIL for phone in PHONES[1:])
    story = Story()
    story.visit(0, PARKED)
    step = story.console(1, "assign", HEAD)
    story.visit(1, CLEAR, install=PHONES[1])
    assert story.why(step) is None
    assert path(story.hazard()) == ["register", "assign", "propose"]


def test_record_of_estimated_time_zero_comes_before_everything() -> None:
    story = Story()
    story.visit(1, PARKED)
    story.visit(2, CLEAR, ms=0)
    assert story.hazard()["state"] == "registered"


# --- corrections ------------------------------------------------------------------------------------------------------


def test_amendment_takes_the_place_of_its_root_in_the_order() -> None:
    story = Story()
    seen = story.visit(0, CLEAR)
    story.visit(1, CLEAR)
    story.record("visit", 5, WORKER, body(PARKED), amends=seen)
    hazard = story.hazard()
    assert (hazard["registered"], hazard["state"]) == (day(0), "review")


def test_amend_several_times_greatest_own_key_wins() -> None:
    story = Story()
    seen = story.visit(0, CLEAR)
    story.record("visit", 3, WORKER, body({**PARKED, "floor_label": "9"}), amends=seen)
    story.record("visit", 2, WORKER, body(PARKED), amends=seen)
    assert set(story.hazards()) == {(HOME, "EBC-ROUTE", "STAIR/9")}


def test_void_and_a_later_amendment_after_it() -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    story.void(2, seen)
    assert not story.hazards()
    story.record("visit", 3, WORKER, body(PARKED), amends=seen)
    assert set(story.hazards()) == {ROUTE}


def test_amendment_of_a_correction_does_not_count() -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    mended = story.record("visit", 1, WORKER, body(PARKED), amends=seen)
    story.record("visit", 2, WORKER, body(CLEAR), amends=mended)
    story.void(3, mended)
    assert story.hazard()["state"] == "registered"


@pytest.mark.parametrize(
    ("author", "reason", "counts"),
    [
        (WORKER, None, True),
        (SECOND_WORKER, "看错了", False),
        (HEAD, None, False),
        (HEAD, "  ", False),
        (HEAD, "看错了", True),
    ],
)
def test_correct_by_the_author_or_a_supervisor_with_a_reason(author: str, reason: str | None, counts: bool) -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    story.void(1, seen, author, reason=reason)
    assert bool(story.hazards()) is not counts


def test_amendment_moves_the_visit_to_another_place() -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    story.record("visit", 1, WORKER, body(PARKED, OTHER), amends=seen)
    assert set(story.hazards()) == {(OTHER, *ROUTE[1:])}


def test_voided_step_never_happened() -> None:
    story = Story()
    story.visit(0, PARKED)
    step = story.step(1, "assign", HEAD)
    story.void(2, step, HEAD)
    assert path(story.hazard()) == ["register"]


# --- what arrives late ------------------------------------------------------------------------------------------------


def test_step_without_its_hazard_is_kept_and_applies_when_the_record_arrives() -> None:
    story = Story()
    step = story.step(1, "assign", HEAD)
    assert story.why(step) == "hazard_unknown"
    story.visit(0, PARKED)
    assert story.why(step) is None
    assert story.hazard()["state"] == "assigned"


def test_step_before_the_hazard_was_found_does_not_apply() -> None:
    story = Story()
    story.visit(2, PARKED)
    assert story.why(story.step(1, "assign", HEAD)) == "hazard_unknown"


def test_step_of_a_kind_not_known_is_kept_with_its_reason() -> None:
    story = Story()
    story.visit(0, PARKED)
    assert story.why(story.step(1, "inspect_from_orbit", OFFICER)) == "step_unknown"


def test_step_that_a_late_record_overtakes_is_kept_with_its_reason() -> None:
    story = Story()
    story.visit(0, PARKED)
    step = story.step(2, "assign", HEAD)
    story.visit(1, CLEAR)
    assert (story.why(step), story.hazard()["state"]) == ("wrong_state", "review")


def test_role_frozen_into_a_step_decides_not_who_the_actor_is_now() -> None:
    story = Story()
    story.visit(0, PARKED)
    step = story.record("task_step", 1, HEAD, {"kind": "assign", "chain": ROUTE, "place": HOME}, role="viewer")
    assert story.why(step) == "not_permitted"
