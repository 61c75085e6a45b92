"""What visits say: chains for ever, groups, loci, outcomes, rules in force, rules that come true on a day."""

from uuid import uuid5

import pytest

from mobile_contract.rules import hazard_id
from tests.hazards.histories import SECOND_MS
from tests.hazards.oracle import NAME_SPACE
from tests.hazards.story import (
    CHARGING,
    CLEAR,
    COMMUNITY,
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
    end_of,
    path,
)

EXT = "extinguisher_check"
LIFE = (HOME, "EXT-LIFE", "-")
FITTED = {"fitted": "yes", "kind": "powder"}


# --- a hazard is a chain, for ever ----------------------------------------------------------------------------------


def test_hazard_id_is_made_of_the_chain_alone() -> None:
    assert hazard_id(COMMUNITY, HOME, "EBC-ROUTE", "STAIR/3") == uuid5(
        NAME_SPACE, f"{COMMUNITY}|{HOME}|EBC-ROUTE|STAIR/3"
    )
    assert hazard_id(COMMUNITY.upper(), HOME.upper(), "EBC-ROUTE", "STAIR/3") == hazard_id(
        COMMUNITY, HOME, "EBC-ROUTE", "STAIR/3"
    )


def test_see_again_after_closing_is_the_next_cycle_of_the_same_hazard() -> None:
    story = Story()
    story.visit(0, PARKED)
    seen = story.visit(1, CLEAR)
    story.step(2, "close", revisit_id=seen)
    story.visit(3, PARKED)
    hazard = story.hazard()
    assert (hazard["cycle"], hazard["state"], path(hazard)) == (
        2,
        "registered",
        ["register", "propose", "close", "relapse"],
    )
    assert [change[0] for change in hazard["changes"]] == [1, 1, 1, 2]
    assert hazard["registered"] == day(3)


def test_step_applies_to_the_cycle_open_at_its_own_time() -> None:
    story = Story()
    story.visit(0, PARKED)
    first = story.step(1, "assign", HEAD)
    seen = story.visit(2, CLEAR)
    story.step(3, "close", revisit_id=seen)
    story.visit(4, PARKED)
    second = story.step(5, "assign", HEAD)
    hazard = story.hazard()
    assert [(c[0], c[7]) for c in hazard["changes"] if c[1] == "assign"] == [(1, first), (2, second)]


# --- groups and severities ------------------------------------------------------------------------------------------


def test_rules_of_a_group_make_one_hazard_with_highest_severity_and_earliest_deadline() -> None:
    story = Story()
    story.override(-1, "EBC-01", due="7d")
    story.visit(0, {**CHARGING, "behaviours": ["park", "charge"]})
    hazard = story.hazard()
    assert hazard["rules"] == ["EBC-01", "EBC-02"]
    assert (hazard["severity"], hazard["deadline"]) == ("red", end_of(0))
    assert len(story.hazards()) == 1


def test_see_twice_before_assigning_keeps_highest_severity_and_earliest_deadline() -> None:
    story = Story()
    story.visit(0, CHARGING)
    story.visit(1, PARKED)
    hazard = story.hazard()
    assert (hazard["severity"], hazard["deadline"], hazard["last"]) == ("red", end_of(0), day(1))


def test_service_gap_is_blue_and_a_chain_of_its_own() -> None:
    story = Story()
    story.visit(0, {**PARKED, "facility": "none"})
    assert {chain[1]: h["severity"] for chain, h in story.hazards().items()} == {
        "EBC-ROUTE": "orange",
        "EBC-09": "blue",
    }


# --- loci and outcomes ----------------------------------------------------------------------------------------------


def test_loci_of_one_form_are_hazards_of_their_own_whatever_way_they_are_written() -> None:
    story = Story()
    story.visit(0, {**PARKED, "floor_label": "３f "}, {**PARKED, "floor_label": "B1"})
    story.visit(1, {**PARKED, "floor_label": " 3F"})
    assert set(story.hazards()) == {(HOME, "EBC-ROUTE", "STAIR/3F"), (HOME, "EBC-ROUTE", "STAIR/B1")}


def test_visit_that_does_not_mention_a_locus_saw_it_absent() -> None:
    story = Story()
    story.visit(0, PARKED)
    story.visit(1, {**CLEAR, "floor_label": "9"})
    assert story.hazard()["state"] == "review"


def test_visit_with_another_form_or_at_another_place_says_nothing() -> None:
    story = Story()
    story.visit(0, PARKED)
    story.visit(1, {"loose": "no"}, form="anti_theft_window")
    story.visit(2, CLEAR, place=OTHER)
    assert story.hazard()["state"] == "registered"


@pytest.mark.parametrize("outcome", ["no_answer", "refused", "vacant", "wrong_address", "not_applicable"])
def test_visit_not_done_observes_nothing(outcome: str) -> None:
    story = Story()
    story.visit(0, PARKED, outcome=outcome)
    assert not story.hazards()
    story.visit(1, PARKED)
    story.visit(2, CLEAR, outcome=outcome)
    assert story.hazard()["state"] == "registered"


def test_unknown_answer_is_neither_present_nor_absent() -> None:
    unsure = {**PARKED, "building_class": None}
    story = Story()
    story.visit(0, unsure)
    assert not story.hazards()
    story.visit(1, PARKED)
    story.visit(2, unsure)
    assert (story.hazard()["state"], story.hazard()["last"]) == ("registered", day(1))


# --- rules and overrides in force at the visit's time -----------------------------------------------------------------


def test_visit_is_judged_by_the_rules_in_force_at_its_own_time() -> None:
    story = Story()
    before = (SECOND_MS - day(0)) / 86_400_000 - 1
    story.visit(before, PARKED)
    assert story.hazard()["severity"] == "orange"
    after = Story()
    after.visit(before + 2, PARKED)
    assert (after.hazard()["severity"], after.hazard()["deadline"]) == ("red", day(before + 3))


def test_rule_switched_off_says_nothing_even_of_a_locus_not_mentioned() -> None:
    story = Story()
    story.visit(0, PARKED)
    for rule in ("EBC-01", "EBC-02", "EBC-03", "EBC-10"):
        story.override(1, rule, enabled=False)
    story.visit(2, CLEAR)
    story.visit(3, {**CLEAR, "floor_label": "9"})
    assert story.hazard()["state"] == "registered"
    story.override(4, "EBC-02")
    story.visit(5, CLEAR)
    assert story.hazard()["state"] == "review"


def test_override_gives_another_deadline_from_its_day_on() -> None:
    story = Story()
    story.override(1, "EBC-02", due="4d")  # a Friday: no holiday to wait for
    story.visit(0, PARKED)
    story.visit(2, PARKED, place=OTHER)
    assert story.hazard()["deadline"] == end_of(0)
    assert story.hazard((OTHER, *ROUTE[1:]))["deadline"] == end_of(6)


def test_reassess_judges_the_last_answers_by_the_new_rules_at_its_time() -> None:
    story = Story()
    story.visit(0, CLEAR)
    story.visit(1, PARKED)
    fact = story.reassess(30)
    hazard = story.hazard()
    assert (hazard["severity"], hazard["cycle"], hazard["last"]) == ("red", 1, day(30))
    story.step(31, "assign", HEAD, severity="red")
    seen = story.visit(32, CLEAR)
    assert story.hazard()["revisit"] == seen
    assert fact not in [change[7] for change in story.hazard()["changes"]]


def test_reassess_does_not_reopen_what_was_concluded_since_the_visit() -> None:
    story = Story()
    story.visit(0, {**PARKED, "behaviours": ["modified"]})
    chain = (HOME, "EBC-06", "STAIR/3")
    for n, (kind, actor) in enumerate((("assign", HEAD), ("accept", WORKER), ("submit", WORKER), ("close", HEAD))):
        story.step(1 + n, kind, actor, chain)
    story.reassess(30)
    assert (story.hazard(chain)["state"], story.hazard(chain)["cycle"]) == ("closed", 1)


# --- rules that come true on a day ------------------------------------------------------------------------------------


def test_dated_rule_is_present_from_its_day_until_the_next_visit() -> None:
    story = Story()
    story.visit(0, {**FITTED, "valid_until": "2026-11-20"}, form=EXT)
    from_ms = day(0) + (13 * 24 - 12) * 3_600_000  # 2026-11-07 is day 0
    assert LIFE not in story.hazards(as_of=12)
    hazard = story.hazard(LIFE, as_of=14)
    assert (hazard["registered"], hazard["deadline"]) == (from_ms, end_of(16))
    story.visit(20, {**FITTED, "valid_until": "2028-01-01"}, form=EXT)
    assert story.hazard(LIFE)["state"] == "review"


def test_dated_rule_does_not_come_true_after_another_visit() -> None:
    story = Story()
    story.visit(0, {**FITTED, "valid_until": "2026-11-20"}, form=EXT)
    story.visit(5, FITTED, form=EXT)
    assert LIFE not in story.hazards()


def test_dated_rule_joins_what_its_group_shows_already() -> None:
    story = Story()
    story.visit(0, {**FITTED, "kind": "water", "valid_until": "2026-11-20"}, form=EXT)
    assert (story.hazard(LIFE, as_of=1)["severity"], story.hazard(LIFE, as_of=1)["rules"]) == ("yellow", ["EXT-04"])
    later = story.hazard(LIFE, as_of=30)
    assert (later["severity"], later["rules"], later["cycle"]) == ("orange", ["EXT-02", "EXT-04"], 1)


def test_dated_rule_does_not_make_an_unknown_one_absent() -> None:
    story = Story()
    story.visit(0, {"fitted": "no"}, form=EXT)
    story.visit(1, {"fitted": "yes", "valid_until": "2026-11-20"}, form=EXT)
    assert story.hazard(LIFE, as_of=2)["state"] == "registered"


# --- fixed on the spot ------------------------------------------------------------------------------------------------


def test_fix_on_the_spot_registers_and_proposes_at_once() -> None:
    story = Story()
    seen = story.visit(0, CLEAR, fixed=["EBC-02"], author=SECOND_WORKER)
    hazard = story.hazard()
    assert (hazard["state"], hazard["revisit"], hazard["submitter"]) == ("review", seen, SECOND_WORKER)
    assert path(hazard) == ["register", "propose"]
    closed = story.step(1, "close", OFFICER, revisit_id=seen)
    assert story.why(closed) is None


def test_fix_of_one_rule_of_two_proposes_nothing() -> None:
    story = Story()
    story.visit(0, {**CHARGING, "behaviours": ["park", "charge"]}, fixed=["EBC-02"])
    assert story.hazard()["state"] == "registered"
