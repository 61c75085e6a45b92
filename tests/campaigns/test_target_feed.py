"""What phones are told: campaigns with the resident guard, and each door once with all that is due there."""

from uuid import UUID

from backend import clock
from backend.campaigns.feed import CAMPAIGN_ENTITY, TARGET_ENTITY
from backend.campaigns.models import Campaign
from backend.campaigns.service import end_campaign, set_guard
from backend.places.service import PlaceListeners, record_place_events
from backend.sync.feed import area_scope, forms_scope
from backend.sync.feed_entities import FeedRow
from backend.sync.models import SyncChange
from tests.factories.campaigns import desk, make_campaign
from tests.factories.places import moved
from tests.factories.records import CLEAR_EBIKE, block, visit_body
from tests.factories.sweeps import Sweep


def start(sweep: Sweep, **said: object) -> Campaign:
    with sweep.db.transaction([sweep.community_id]) as session:
        return make_campaign(session, sweep.runtime, sweep.community_id, **said)  # type: ignore[arg-type]


def targets(sweep: Sweep, grid: UUID | None = None) -> dict[UUID, FeedRow]:
    scope = area_scope(grid or sweep.tree.grids[0])
    with sweep.db.transaction([sweep.community_id]) as session:
        rows = TARGET_ENTITY.after(session, sweep.community_id, scope, None, 100)
        loaded = TARGET_ENTITY.load(session, sweep.community_id, [row.id for row in rows])
    assert list(loaded.values()) == list(rows)
    return {UUID(row.id): row for row in rows}


def changes(sweep: Sweep, door: UUID) -> list[tuple[str, str, int]]:
    with sweep.db.transaction([sweep.community_id]) as session:
        found = session.query(SyncChange).filter_by(
            community_id=sweep.community_id, entity="target", entity_id=str(door)
        )
        return [(row.scope_id, row.op, row.rev) for row in found.order_by(SyncChange.id)]


def test_due_forms_of_all_campaigns_come_in_one_row_a_door(sweep: Sweep) -> None:
    one, other = start(sweep), start(sweep, forms=["anti_theft_window", "ebike_charging"])
    door = sweep.tree.households[0]
    row = targets(sweep)[door]
    assert (row.data["forms"], row.data["kind"]) == (["anti_theft_window", "ebike_charging"], "household")
    due = {d["campaign_id"]: d for d in row.data["due"]}
    assert due[one.id]["forms"] == ["ebike_charging"]
    assert due[other.id]["state"] == "not_visited"
    assert set(row.data) == {"kind", "forms", "last_contact_ms", "due"}
    assert set(due[one.id]) == {"campaign_id", "round", "forms", "state", "attempts", "slots"}
    sweep.visit(door, CLEAR_EBIKE)
    row = targets(sweep)[door]
    assert row.data["forms"] == ["anti_theft_window"]
    assert [d["state"] for d in row.data["due"]] == ["partial"]
    assert row.data["last_contact_ms"] is not None


def test_door_with_nothing_due_leaves_the_feed_and_comes_back_with_a_higher_revision(sweep: Sweep) -> None:
    start(sweep)
    door = sweep.tree.households[0]
    visit = sweep.visit(door, CLEAR_EBIKE)
    assert door not in targets(sweep)
    sweep.put({}, clock.now_ms(), voids=visit, record_type="visit")
    sweep.compile(door)
    assert targets(sweep)[door].rev == 3
    assert [rev for _, _, rev in changes(sweep, door)] == [1, 2, 3]
    sweep.compile(door)
    assert len(changes(sweep, door)) == 3


def test_contact_for_something_else_is_told_for_the_cool_down(sweep: Sweep) -> None:
    start(sweep, forms=["anti_theft_window"])
    door = sweep.tree.households[0]
    at_ms = clock.now_ms() - 5000
    sweep.visit(door, CLEAR_EBIKE, at_ms)
    row = targets(sweep)[door]
    assert (row.data["last_contact_ms"], row.data["due"][0]["state"]) == (at_ms, "not_visited")
    assert len(changes(sweep, door)) == 2


def test_door_that_moves_leaves_one_grid_and_enters_the_other(sweep: Sweep) -> None:
    start(sweep)
    door, (old, new) = sweep.tree.households[0], sweep.tree.grids
    with sweep.db.transaction([sweep.community_id]) as session:
        fact = moved(door, sweep.tree.units[1], clock.now_ms())
        record_place_events(session, sweep.community_id, [fact], sweep.runtime.part(PlaceListeners))
    sweep.compile(door)
    assert door not in targets(sweep, old)
    assert door in targets(sweep, new)
    assert changes(sweep, door)[1:] == [(area_scope(old), "del", 2), (area_scope(new), "put", 2)]


def test_block_filled_at_a_neighbours_visit_takes_the_door_off_the_list(sweep: Sweep) -> None:
    start(sweep)
    here, there = sweep.tree.households[:2]
    sweep.put(visit_body(here, [block("ebike_charging", p, CLEAR_EBIKE) for p in (here, there)]))
    sweep.compile(here, there)
    assert {here, there}.isdisjoint(targets(sweep))


def test_campaign_goes_to_all_phones_with_rounds_and_guard(sweep: Sweep) -> None:
    campaign = start(sweep, cadence="weekly")
    scope = forms_scope(sweep.community_id)
    guard = {"cool_down_days": 30, "quiet_from": "20:00", "quiet_until": "09:00"}
    with sweep.db.transaction([sweep.community_id]) as session:
        set_guard(desk(session, sweep.community_id), guard)
        end_campaign(desk(session, sweep.community_id), campaign.id)
    with sweep.db.transaction([sweep.community_id]) as session:
        (row,) = CAMPAIGN_ENTITY.after(session, sweep.community_id, scope, None, 10)
        assert CAMPAIGN_ENTITY.load(session, sweep.community_id, [row.id]) == {row.id: row}
        assert CAMPAIGN_ENTITY.after(session, sweep.community_id, scope, row.id, 10) == []
    assert (row.rev, row.scope_id) == (3, scope)
    assert set(row.data) == {"name", "forms", "cadence", "rounds", *guard}
    assert row.data["cool_down_days"] == 30
    assert row.data["rounds"][-1]["to_ms"] <= clock.now_ms()
    assert targets(sweep) == {}
