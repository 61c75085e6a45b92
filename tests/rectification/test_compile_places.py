"""Merged and moved places: whose records count where, and in which grid."""

from uuid import UUID

from sqlalchemy import select

from backend.hazards.models import Hazard, Transition
from backend.inspections.models import Visit
from backend.places.service import PlaceListeners, record_place_events
from tests.factories.places import merged, moved
from tests.hazards.delivering import GRIDS, Town
from tests.hazards.histories import PLACES
from tests.hazards.projected import hazards_in, outcomes_in
from tests.hazards.story import HEAD, OTHER, PARKED, ROUTE, Story, day
from tests.rectification.compiling import HOME_ID, OTHER_ID, hazard_id, hazard_row, number_of, place_event, take_assign


def test_merge_folds_the_losers_records_and_steps_under_the_survivor(town: Town) -> None:
    story = Story()
    story.visit(0, PARKED, place=OTHER)
    there = (OTHER, *ROUTE[1:])
    step = story.step(1, "assign", HEAD, there)
    town.deliver(story.history)
    number = number_of(town, OTHER)
    place_event(town, merged(OTHER_ID, HOME_ID, day(5)))
    with town.transaction() as session:
        hazards = hazards_in(session, town.community_id)
        assert outcomes_in(session, town.community_id) == {step: None}
    assert {chain: hazard["state"] for chain, hazard in hazards.items()} == {ROUTE: "assigned"}
    lost = hazard_row(town, OTHER)
    assert (lost.state, lost.void_reason, lost.duplicate_of) == ("void", "merged", hazard_id(town))
    assert number_of(town, OTHER) == number != number_of(town)


def test_step_about_the_losers_hazard_counts_for_the_survivors(town: Town) -> None:
    story = Story()
    story.visit(0, PARKED, place=OTHER)
    town.deliver(story.history)
    place_event(town, merged(OTHER_ID, HOME_ID, day(5)))
    late = story.step(6, "assign", HEAD, (OTHER, *ROUTE[1:]))
    town.deliver(story.history)
    with town.transaction() as session:
        assert outcomes_in(session, town.community_id) == {late: None}
        assert hazards_in(session, town.community_id)[ROUTE]["assigned"] == late


def test_step_at_the_console_between_a_merge_and_its_compile_is_taken(town: Town) -> None:
    story = Story()
    story.visit(0, PARKED)
    story.visit(0, PARKED, place=OTHER)
    town.deliver(story.history)
    with town.transaction() as session:
        listeners = town.runtime.part(PlaceListeners)
        record_place_events(session, town.community_id, [merged(OTHER_ID, HOME_ID, day(5))], listeners)
    for place in (PLACES[0], OTHER):
        with town.transaction() as session:
            take_assign(town, session, hazard_id(town, place))
    while town.work():
        pass
    with town.transaction() as session:
        assert set(outcomes_in(session, town.community_id).values()) == {None}
        assert hazards_in(session, town.community_id)[ROUTE]["state"] == "assigned"


def test_events_count_in_the_grid_their_place_stood_in_then(town: Town) -> None:
    """A merge and a move later change no past figure."""
    story = Story()
    seen = story.visit(0, PARKED, place=OTHER)
    story.step(6, "assign", HEAD)
    story.visit(7, PARKED)
    story.visit(8, PARKED, place=PLACES[2])
    town.deliver(story.history)
    place_event(town, merged(OTHER_ID, HOME_ID, day(5)))
    place_event(town, moved(UUID(PLACES[2]), GRIDS[0], day(9)))
    with town.transaction() as session:
        grids = select(Transition.step, Transition.grid_id).where(Transition.hazard_id == hazard_id(town))
        assert {row.step: row.grid_id for row in session.execute(grids)} == {"register": GRIDS[1], "assign": GRIDS[0]}
        where = select(Visit.id, Visit.grid_id).where(Visit.community_id == town.community_id)
        assert {row.id: row.grid_id for row in session.execute(where)}[UUID(seen)] == GRIDS[1]
        third = session.get_one(Hazard, (town.community_id, hazard_id(town, PLACES[2])))
        assert third.grid_id == GRIDS[0]
        found = select(Transition.grid_id).where(Transition.hazard_id == third.id)
        assert session.scalars(found).all() == [GRIDS[1]]
