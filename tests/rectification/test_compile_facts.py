"""What compiling writes: numbers for ever, voids, merges, moves, erasure, dated places, feed rows, nothing twice."""

from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select

from backend import clock
from backend.db import new_id
from backend.hazards.dated import want_due_folds
from backend.hazards.models import DatedFold, Hazard, Transition
from backend.inspections.archive import RecordRow
from backend.inspections.erasure import erase_record
from backend.inspections.models import Visit
from backend.jobs import ledger
from backend.places.models import Place
from backend.places.service import record_place_events
from backend.rectification.compile import compile_places
from tests.factories.places import registered
from tests.hazards.delivering import GRIDS, NOW_MS, Town
from tests.hazards.histories import make_history
from tests.hazards.oracle import DAY
from tests.hazards.projected import hazards_in, natural_rows
from tests.hazards.story import CLEAR, HEAD, OFFICER, OTHER, PARKED, ROUTE, WORKER, Story, day
from tests.hazards.test_seeing import EXT, FITTED
from tests.rectification.compiling import HOME_ID, OTHER_ID, feed_length, hazard_row, number_of

# --- numbers are facts ------------------------------------------------------------------------------------------------


def test_numbered_hazard_whose_record_is_voided_is_void_and_comes_back_under_its_number(town: Town) -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    town.deliver(story.history)
    number = number_of(town)
    story.void(1, seen)
    town.deliver(story.history)
    row = hazard_row(town)
    assert (row.state, row.void_reason, row.cycle, number_of(town)) == ("void", "no_record", 0, number)
    with town.transaction() as session:
        assert not session.scalars(select(Transition.n).where(Transition.hazard_id == row.id)).all()
    again = {**story.history["records"][0], "id": str(UUID(int=1)), "amends": seen, "ms": day(2)}
    story.history["records"].append(again)
    town.deliver(story.history)
    assert (hazard_row(town).state, number_of(town)) == ("registered", number)


def test_erased_record_leaves_its_hazard_void_under_its_number(town: Town) -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    town.deliver(story.history)
    number = number_of(town)
    with town.transaction() as session:
        assert erase_record(session, town.community_id, UUID(seen), None, "当事人请求")
    while town.work():
        pass
    assert (hazard_row(town).state, hazard_row(town).void_reason, number_of(town)) == ("void", "no_record", number)
    with town.transaction() as session:
        assert session.scalars(select(Visit.id).where(Visit.community_id == town.community_id)).all() == []


def test_erased_correction_goes_on_counting(town: Town) -> None:
    """What a supervisor voided must not come back when the void itself is erased."""
    story = Story()
    seen = story.visit(0, PARKED)
    void = story.void(1, seen, HEAD, reason="张三不在家")
    town.deliver(story.history)
    with town.transaction() as session:
        erase_record(session, town.community_id, UUID(void), None, "当事人请求")
    while town.work():
        pass
    with town.transaction() as session:
        assert hazards_in(session, town.community_id) == {}


def test_visit_shows_the_time_quality_of_its_root(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = RecordRow
    story = Story()
    seen = story.visit(0, PARKED)
    monkeypatch.setattr(
        "tests.factories.records.RecordRow", lambda **row: plain(**{**row, "time_quality": "estimated"})
    )
    town.deliver(story.history)
    monkeypatch.undo()
    body = story.history["records"][0]["visit"]
    story.record("visit", 1, WORKER, body, amends=seen)
    town.deliver(story.history)
    with town.transaction() as session:
        visit = session.scalars(select(Visit).where(Visit.community_id == town.community_id)).one()
    assert (visit.time_quality, visit.effective_ms) == ("estimated", day(0))


# --- other facts ------------------------------------------------------------------------------------------------------


def test_correction_to_another_place_compiles_before_or_after_the_old_one(town: Town) -> None:
    story = Story()
    seen = story.visit(0, PARKED)
    town.deliver(story.history)
    body = story.history["records"][0]["visit"]
    there = {**body, "place": OTHER, "blocks": [{**body["blocks"][0], "place": OTHER}]}
    story.record("visit", 1, WORKER, there, amends=seen)
    for operation in town.operations(story.history)[1:]:
        with town.transaction() as session:
            operation(session)
    for place in (OTHER_ID, HOME_ID):
        with town.transaction() as session:
            compile_places(session, town.runtime, town.community_id, [place])
    with town.transaction() as session:
        assert set(hazards_in(session, town.community_id)) == {(OTHER, *ROUTE[1:])}
        assert session.scalars(select(Visit.place_id)).all() == [OTHER_ID]


def test_records_of_an_unknown_place_wait_until_it_is_known(town: Town) -> None:
    unknown = str(new_id())
    story = Story()
    story.visit(0, PARKED, place=unknown)
    town.deliver(story.history)
    with town.transaction() as session:
        assert hazards_in(session, town.community_id) == {}
        fact = registered(UUID(unknown), "building", "新楼", GRIDS[0])
        record_place_events(session, town.community_id, [fact])
        compile_places(session, town.runtime, town.community_id, [unknown])
        assert set(hazards_in(session, town.community_id)) == {(unknown, *ROUTE[1:])}


def test_dated_place_is_folded_again_when_its_day_has_come(town: Town) -> None:
    story = Story()
    until = NOW_MS + 3 * DAY
    story.visit(0, {**FITTED, "valid_until": iso_day(until)}, form=EXT)
    town.deliver(story.history)
    with town.transaction() as session:
        held = session.get_one(DatedFold, (town.community_id, HOME_ID))
        assert held.next_ms is not None
        assert abs(held.folded_as_of - NOW_MS) < DAY < held.next_ms - held.folded_as_of
        assert want_due_folds(session, town.community_id, held.next_ms - 1) == 0
        assert want_due_folds(session, town.community_id, held.next_ms) == 1
        assert ledger.open_count(session, "compile", town.community_id) == 1


def iso_day(ms: int) -> str:
    return clock.local_day(ms).isoformat()


def test_service_gap_is_kept_apart_in_every_row(town: Town) -> None:
    story = Story()
    story.visit(0, {**PARKED, "facility": "none"})
    town.deliver(story.history)
    with town.transaction() as session:
        rows = session.execute(
            select(Hazard.chain, Hazard.service_gap, Transition.service_gap)
            .join(Transition, Transition.hazard_id == Hazard.id)
            .where(Hazard.community_id == town.community_id)
        ).all()
    assert sorted(map(tuple, rows)) == [("EBC-09", True, True), ("EBC-ROUTE", False, False)]


# --- nothing twice ----------------------------------------------------------------------------------------------------


def test_compile_again_writes_nothing_and_tells_the_feed_nothing(town: Town) -> None:
    history = make_history(Random(4), 8)
    town.deliver(history)
    before = feed_length(town)
    assert before
    with town.transaction() as session:
        rows = natural_rows(session, town.community_id, history)
        places = session.scalars(select(Place.id).where(Place.community_id == town.community_id)).all()
    with town.transaction() as session:
        done = compile_places(session, town.runtime, town.community_id, places)
    assert (done.new_hazards, done.changed_hazards, feed_length(town)) == (0, 0, before)
    with town.transaction() as session:
        assert natural_rows(session, town.community_id, history) == rows


def test_change_of_one_hazard_tells_the_feed_of_that_one(town: Town) -> None:
    story = Story()
    story.visit(0, PARKED, {**PARKED, "floor_label": "9"})
    town.deliver(story.history)
    before = feed_length(town)
    assert before == 2
    story.step(1, "assign", HEAD)
    town.deliver(story.history)
    assert feed_length(town) == before + 1
    story.visit(2, {**CLEAR, "floor_label": "77"}, form="ebike_charging", outcome="no_answer", author=OFFICER)
    town.deliver(story.history)
    assert feed_length(town) == before + 1


def test_correct_the_words_of_an_assignment_tells_the_feed(town: Town) -> None:
    story = Story()
    story.visit(0, PARKED)
    step = story.step(1, "assign", HEAD)
    town.deliver(story.history)
    before = feed_length(town)
    said = story.history["records"][1]["step"]
    story.record("task_step", 2, HEAD, {**said, "measures": "移走车辆，加装护栏"}, amends=step)
    town.deliver(story.history)
    assert feed_length(town) == before + 1
