"""What an author of the field may do is judged by place, at every fold: a grid head's word counts in the own grid."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from backend import clock
from backend.places.service import record_place_events
from tests.factories.places import moved, registered
from tests.factories.records import PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, Sweep, assignment


def assign(sweep: Sweep, place: UUID, over: UUID | None, role: str = "grid_head", **options: Any) -> UUID:
    """A phone's ``assign`` by somebody with ``role`` over ``over``; returns the hazard."""
    hazard = sweep.hazard_id(place)
    step = {"step": {"hazard_id": str(hazard), "place_id": str(place), "kind": "assign", **assignment()}}
    sweep.put(step, role=role, over=over, author_id=uuid4(), install_id=uuid4(), **options)
    sweep.compile(place)
    return hazard


@pytest.mark.parametrize(("grid", "state"), [(0, "assigned"), (1, "registered"), (None, "assigned")])
def test_step_counts_within_the_authors_scope_only(sweep: Sweep, grid: int | None, state: str) -> None:
    place = sweep.tree.households[0]
    assert sweep.tree.grid_of[place] == sweep.tree.grids[0]
    sweep.hazard(place)
    hazard = assign(sweep, place, None if grid is None else sweep.tree.grids[grid])
    task = sweep.person("grid_head").task(hazard)
    assert (task["state"], task["steps_not_applied"]) == (state, int(state == "registered"))


def test_step_counts_over_the_very_place(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    sweep.hazard(place)
    hazard = assign(sweep, place, place)
    assert sweep.person("grid_head").task(hazard)["state"] == "assigned"


def test_step_is_taken_as_the_role_that_may(sweep: Sweep) -> None:
    from backend.rectification.loading import load_facts

    place = sweep.tree.households[0]
    sweep.hazard(place)
    assign(sweep, place, sweep.tree.grids[1], role="committee")
    with sweep.db.transaction([sweep.community_id]) as session:
        from backend.identity.keys import Keyring

        sealer = sweep.runtime.part(Keyring).sealer(session, sweep.community_id)
        (step,) = load_facts(session, sweep.community_id, sealer, [place]).steps_at[str(place)]
    assert step.role is None


def test_step_at_a_place_known_later_counts_once_it_is_known(sweep: Sweep) -> None:
    grid, place = sweep.tree.grids[0], uuid4()
    sweep.visit(place, at_ms=clock.now_ms() - DAY_MS)
    hazard = assign(sweep, place, grid)
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [registered(place, "building", "新楼", grid)])
    sweep.compile(place)
    assert sweep.person("grid_head").task(hazard)["state"] == "assigned"


def test_step_stays_decided_when_its_building_is_given_to_another_grid(sweep: Sweep) -> None:
    building, place = sweep.tree.buildings[0], sweep.tree.households[0]
    old, new = sweep.tree.grids
    sweep.hazard(place)
    hazard = assign(sweep, place, old)
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [moved(building, new, clock.now_ms())])
    sweep.compile(place)
    assert sweep.person("grid_head").task(hazard)["state"] == "assigned"


@pytest.mark.parametrize(("grid", "counts"), [(0, True), (1, False), (None, True)])
def test_correction_of_anothers_record_counts_within_the_supervisors_scope_only(
    sweep: Sweep, grid: int | None, counts: bool
) -> None:
    place = sweep.tree.households[0]
    root = sweep.put(visit_body(place, [block("ebike_charging", place, PARKED_EBIKE)]), clock.now_ms() - DAY_MS)
    over = None if grid is None else sweep.tree.grids[grid]
    sweep.put({}, voids=root, reason="走错门", role="grid_head", over=over, author_id=uuid4(), record_type="visit")
    sweep.compile(place)
    assert sweep.counts("hazard")["hazard"] == (0 if counts else 1)
