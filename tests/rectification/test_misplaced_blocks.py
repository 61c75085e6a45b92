"""A form filled at a place of the wrong kind takes no effect, whenever the kind becomes known."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from backend import clock
from backend.db import new_id
from backend.hazards.models import Hazard
from backend.inspections.models import Visit
from backend.jobs import ledger
from backend.places.events import PlaceFact
from backend.places.service import PlaceListeners, record_place_events
from backend.rectification import projecting
from tests.factories.places import registered
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import Sweep


def make_known(sweep: Sweep, fact: PlaceFact) -> list[str]:
    """Put a fact into the registry, as the office or a phone does; the places that will be compiled for it."""
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [fact], sweep.runtime.part(PlaceListeners))
        wanted = select(ledger.Job.subject).where(ledger.Job.community_id == sweep.community_id)
        return list(session.scalars(wanted))


def hazards(sweep: Sweep) -> dict[UUID, str]:
    with sweep.db.transaction([sweep.community_id]) as session:
        return {row.place_id: row.state for row in session.scalars(select(Hazard))}


def check_wrong_kind(sweep: Sweep) -> None:
    grid, building = sweep.tree.grids[0], sweep.tree.buildings[0]
    sweep.visit(grid)
    sweep.visit(building)
    assert set(hazards(sweep)) == {building}


def test_block_at_a_place_of_the_wrong_kind_takes_no_effect(sweep: Sweep) -> None:
    check_wrong_kind(sweep)


def test_check_wrong_kind_catches_a_fold_that_takes_any_form(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "without_misplaced", lambda _book, visit, _kinds: visit)
    with pytest.raises(AssertionError):
        check_wrong_kind(sweep)


def test_kind_that_turns_out_another_is_heeded_wherever_the_visit_counts(sweep: Sweep) -> None:
    """The registry's first fact about a place names its kind; an earlier one may come later."""
    home, door = sweep.tree.households[0], new_id()
    make_known(sweep, registered(door, "household", "901室", sweep.tree.units[0], 2_000))
    blocks: list[Any] = [block("ebike_charging", home, CLEAR_EBIKE), block("ebike_charging", door, PARKED_EBIKE)]
    sweep.put(visit_body(home, blocks), clock.now_ms())
    sweep.compile(home, door)
    assert hazards(sweep) == {door: "registered"}
    wanted = make_known(sweep, registered(door, "micro_grid", "第9微网格", sweep.tree.grids[0], 1_000))
    assert {str(home), str(door)} <= set(wanted)
    sweep.compile(home, door)
    assert hazards(sweep) == {door: "void"}


def test_visit_counts_the_forms_that_may_be_filled(sweep: Sweep) -> None:
    home = sweep.tree.households[0]
    blocks = [block("ebike_charging", home, CLEAR_EBIKE), block("self_built_house", home, {})]
    sweep.put(visit_body(home, blocks), clock.now_ms())
    sweep.compile(home)
    with sweep.db.transaction([sweep.community_id]) as session:
        assert session.scalars(select(Visit)).one().forms == ["ebike_charging"]
