"""Only steps close: who may, on what evidence, against which doubts; and what an assignment fixes."""

import pytest

from tests.hazards.story import (
    CHARGING,
    CLEAR,
    HEAD,
    HOME,
    OFFICER,
    PARKED,
    ROUTE,
    SECOND_WORKER,
    WORKER,
    Story,
    day,
    path,
)

BATTERY = (HOME, "EBC-05", "STAIR/3")
INDOORS = {**PARKED, "behaviours": ["battery_in"]}


@pytest.fixture
def story() -> Story:
    """A hazard found on day 0, worked off on day 1."""
    made = Story()
    made.visit(0, PARKED)
    made.worked_off()
    return made


# --- only steps close -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_visit_that_sees_it_gone_proposes_and_never_closes(steps: int) -> None:
    story = Story()
    story.visit(0, PARKED)
    for n, (kind, actor) in enumerate((("assign", HEAD), ("accept", WORKER), ("submit", WORKER))[:steps]):
        story.step(1 + n / 4, kind, actor)
    seen = story.visit(2, CLEAR, author=SECOND_WORKER)
    hazard = story.hazard()
    assert (hazard["state"], hazard["revisit"]) == ("review", seen)
    assert hazard["submitter"] == (WORKER if steps == 3 else SECOND_WORKER)


def test_close_cites_the_revisit_and_closes_at_its_own_time(story: Story) -> None:
    seen = story.visit(2, CLEAR, author=SECOND_WORKER)
    step = story.step(3, "close", HEAD, revisit_id=seen, basis=[seen])
    hazard = story.hazard()
    assert (story.why(step), hazard["state"], hazard["closed"], hazard["revisit"]) == (None, "closed", day(3), seen)


def test_close_by_who_reported_or_proposed_it_does_not_apply() -> None:
    story = Story()
    story.visit(0, PARKED)
    seen = story.visit(1, CLEAR, author=HEAD)
    assert story.why(story.step(2, "close", HEAD, revisit_id=seen)) == "submitter_may_not_close"
    assert story.why(story.step(3, "close", OFFICER, revisit_id=seen)) is None


def test_close_by_who_fixed_it_on_the_spot_does_not_apply_even_after_anothers_report(story: Story) -> None:
    fixed = story.visit(2, CLEAR, fixed=["EBC-02"], author=HEAD)
    hazard = story.hazard()
    assert (hazard["submitter"], hazard["contradicted"], hazard["revisit"]) == (HEAD, False, fixed)
    assert story.why(story.step(3, "close", HEAD, revisit_id=fixed)) == "submitter_may_not_close"
    assert story.why(story.step(4, "close", OFFICER, revisit_id=fixed)) is None


def test_close_red_one_needs_the_closer_of_its_gravest_rule() -> None:
    story = Story()
    story.visit(0, CHARGING)
    seen = story.visit(1, CLEAR)
    assert story.why(story.step(2, "close", HEAD, revisit_id=seen)) == "closer_not_permitted"
    assert story.why(story.step(3, "close", OFFICER, revisit_id=seen)) is None


# --- the re-visit -----------------------------------------------------------------------------------------------------


def test_close_without_its_revisit_does_not_apply(story: Story) -> None:
    assert story.why(story.step(3, "close", HEAD)) == "revisit_missing"


def test_close_applies_when_the_cited_revisit_arrives(story: Story) -> None:
    late = story.visit(2, CLEAR)
    record = story.history["records"].pop()
    step = story.step(3, "close", HEAD, revisit_id=late)
    assert story.why(step) == "revisit_unknown"
    story.history["records"].append(record)
    assert story.why(step) is None


def test_close_on_a_revisit_that_still_saw_it_does_not_apply(story: Story) -> None:
    seen = story.visit(2, PARKED)
    unsure = story.visit(2.5, {**PARKED, "building_class": None})
    assert story.why(story.step(3, "close", HEAD, revisit_id=seen)) == "revisit_not_absent"
    assert story.why(story.step(4, "close", HEAD, revisit_id=unsure)) == "revisit_not_absent"


def test_close_on_a_revisit_after_it_or_before_the_finding_does_not_apply() -> None:
    story = Story()
    early = story.visit(-1, CLEAR)
    story.visit(0, PARKED)
    story.worked_off()
    late = story.visit(4, CLEAR)
    assert story.why(story.step(3, "close", HEAD, revisit_id=late)) == "revisit_later"
    assert story.why(story.step(3.5, "close", HEAD, revisit_id=early, basis=[early])) == "revisit_earlier"


def test_close_contradicted_between_revisit_and_close_does_not_apply_unless_known(story: Story) -> None:
    seen = story.visit(2, CLEAR)
    doubt = story.visit(3, PARKED)
    assert story.hazard()["contradicted"]
    assert story.why(story.step(4, "close", HEAD, revisit_id=seen, basis=[seen])) == "contradicted"
    assert story.hazard()["state"] == "review"
    assert story.why(story.step(5, "close", HEAD, revisit_id=seen, basis=[seen, doubt])) is None


def test_close_is_contradicted_by_a_record_that_arrives_later(story: Story) -> None:
    seen = story.visit(2, CLEAR)
    step = story.step(4, "close", HEAD, revisit_id=seen)
    assert story.why(step) is None
    story.visit(3, PARKED)
    assert (story.why(step), story.hazard()["state"]) == ("contradicted", "review")


def test_present_after_the_close_is_a_relapse_and_no_contradiction(story: Story) -> None:
    seen = story.visit(2, CLEAR)
    story.step(3, "close", HEAD, revisit_id=seen)
    story.visit(4, PARKED)
    assert (story.hazard()["cycle"], story.hazard()["state"]) == (2, "registered")


def test_close_without_need_of_a_revisit_is_contradicted_by_what_was_seen_since_the_report() -> None:
    story = Story()
    story.visit(0, INDOORS)
    for n, (kind, actor) in enumerate((("assign", HEAD), ("accept", WORKER), ("submit", WORKER))):
        story.step(1 + n / 4, kind, actor, BATTERY)
    doubt = story.visit(2, INDOORS)
    assert story.why(story.step(3, "close", HEAD, BATTERY)) == "contradicted"
    assert story.why(story.step(4, "close", HEAD, BATTERY, basis=[doubt])) is None


# --- what an assignment fixes -----------------------------------------------------------------------------------------


def test_assign_fixes_deadline_and_severity() -> None:
    story = Story()
    story.visit(0, PARKED)
    story.step(1, "assign", HEAD, severity="yellow", deadline_ms=day(9))
    story.visit(2, PARKED)
    hazard = story.hazard()
    assert (hazard["severity"], hazard["deadline"], hazard["proposed"]) == ("yellow", day(9), "orange")


@pytest.mark.parametrize("at", [0.5, 2])
def test_late_graver_record_is_a_flagged_proposal(at: float) -> None:
    story = Story()
    story.visit(0, PARKED)
    story.step(1, "assign", HEAD, severity="orange", deadline_ms=day(9))
    story.visit(at, CHARGING)
    hazard = story.hazard()
    assert (hazard["severity"], hazard["deadline"], hazard["proposed"]) == ("orange", day(9), "red")
    story.step(3, "assign", OFFICER, severity="red", deadline_ms=day(4))
    hazard = story.hazard()
    assert (hazard["severity"], hazard["deadline"], hazard["proposed"]) == ("red", day(4), None)


def test_assigner_who_takes_back_a_graver_word_of_his_own_leaves_no_proposal() -> None:
    story = Story()
    story.visit(0, PARKED)
    story.step(1, "assign", HEAD, severity="red")
    story.step(2, "assign", HEAD, severity="orange")
    assert (story.hazard()["severity"], story.hazard()["proposed"]) == ("orange", None)


def test_return_sets_a_new_deadline_that_no_visit_moves() -> None:
    story = Story()
    story.visit(0, PARKED)
    story.visit(1, CLEAR)
    story.step(2, "return", HEAD, reason="未移走", deadline_ms=day(9))
    story.visit(3, PARKED)
    hazard = story.hazard()
    assert (hazard["state"], hazard["deadline"], hazard["revisit"]) == ("registered", day(9), None)


def test_return_leads_back_to_fixing_when_somebody_was_assigned(story: Story) -> None:
    story.step(2, "return", HEAD, reason="未移走", deadline_ms=None)
    assert (story.hazard()["state"], story.hazard()["deadline"]) == ("fixing", day(4))


def test_void_is_for_what_nobody_was_assigned_to(story: Story) -> None:
    assert story.why(story.step(2, "void", OFFICER, reason="误报", duplicate_of=None)) == "wrong_state"
    other = Story()
    other.visit(0, PARKED)
    assert other.why(other.step(1, "void", OFFICER, reason="误报", duplicate_of=None)) is None
    assert (other.hazard()["state"], path(other.hazard())) == ("void", ["register", "void"])
    other.visit(2, PARKED)
    assert (other.hazard()["state"], other.hazard()["cycle"]) == ("registered", 2)


def test_every_change_stands_at_the_time_of_its_cause(story: Story) -> None:
    seen = story.visit(2, CLEAR)
    step = story.step(3, "close", HEAD, revisit_id=seen)
    changes = story.hazard(ROUTE)["changes"]
    assert [(c[1], c[4]) for c in changes] == [
        ("register", day(0)),
        ("assign", day(1)),
        ("accept", day(1.25)),
        ("submit", day(1.5)),
        ("close", day(3)),
    ]
    assert changes[-1][6:] == ("step", step, HEAD)
