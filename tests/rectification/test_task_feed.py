"""Tasks in the feed: exactly the protocol's fields, by area and by id, in a fixed number of statements."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from backend import clock
from backend.db import new_id
from backend.places.service import record_place_events
from backend.sync.feed import area_scope
from backend.sync.feed_entities import FeedEntities, FeedEntity, FeedRow
from backend.sync.models import SyncChange
from tests.factories.places import merged, registered
from tests.factories.records import PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import CHAIN, LOCUS, MEASURES, PARTY, Sweep, assignment, counted_statements, make_sweep

#: PROTOCOL.md, rows of the feed.
FIELDS = {
    "place_id",
    "place_name",
    "form",
    "chain",
    "rules",
    "locus",
    "title",
    "number",
    "severity",
    "state",
    "cycle",
    "deadline_ms",
    "assignee_account_id",
    "responsible_party",
    "measures",
    "basis",
    "first_seen_ms",
    "extensions",
    "recheck_ms",
    "returned",
}


def entity(sweep: Sweep) -> FeedEntity:
    found = sweep.runtime.part(FeedEntities).find("task")
    assert found is not None
    return found


def load(sweep: Sweep, *ids: UUID) -> dict[str, FeedRow]:
    with sweep.db.transaction([sweep.community_id]) as session:
        return dict(entity(sweep).load(session, sweep.community_id, [str(i) for i in ids]))


def after(sweep: Sweep, scope: str, after_id: str | None = None, limit: int = 500) -> Sequence[FeedRow]:
    with sweep.db.transaction([sweep.community_id]) as session:
        return entity(sweep).after(session, sweep.community_id, scope, after_id, limit)


def test_row_has_exactly_the_fields_of_the_protocol(sweep: Sweep) -> None:
    place, head = sweep.tree.households[0], sweep.person("grid_head")
    found_ms = clock.now_ms() - 60_000
    visit = sweep.visit(place, at_ms=found_ms)
    hazard = sweep.hazard_id(place)
    row = load(sweep, hazard)[str(hazard)]
    assert (row.id, row.rev, row.scope_id) == (str(hazard), 1, area_scope(sweep.tree.grids[0]))
    assert set(row.data) == FIELDS
    assert (row.data["responsible_party"], row.data["measures"], row.data["assignee_account_id"]) == (None, None, None)
    due = clock.now_ms() + 3_600_000
    head.take("assign", hazard, assignee_account_id=str(head.account.id), deadline_ms=due)
    revisit = sweep.clear(place)
    task = head.task(hazard)
    row = load(sweep, hazard)[str(hazard)]
    assert row.rev == task["rev"]
    assert row.data == {
        "place_id": place,
        "place_name": "101室",
        "form": "ebike_charging",
        "chain": CHAIN,
        "rules": ["EBC-02"],
        "locus": LOCUS,
        "title": "高层公共部位违规停放",
        "number": task["number"],
        "severity": "orange",
        "state": "review",
        "cycle": 1,
        "deadline_ms": due,
        "assignee_account_id": head.account.id,
        "responsible_party": PARTY,
        "measures": MEASURES,
        "basis": [visit, revisit],
        "first_seen_ms": found_ms,
        "extensions": 0,
        "recheck_ms": None,
        "returned": None,
    }


def test_basis_begins_with_the_open_cycle_and_first_seen_does_not(sweep: Sweep) -> None:
    place, now = sweep.tree.households[0], clock.now_ms()
    sweep.visit(place, at_ms=now - 5000)
    gone = sweep.clear(place, at_ms=now - 4000)
    hazard, head = sweep.hazard_id(place), sweep.person("grid_head")
    assert head.take("close", hazard, revisit_id=str(gone)).status_code == 200
    back = sweep.visit(place, at_ms=clock.now_ms() + 1000)
    data = load(sweep, hazard)[str(hazard)].data
    assert (data["cycle"], data["basis"], data["first_seen_ms"]) == (2, [back], now - 5000)


def test_task_without_any_record_left_is_not_sent(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    worker = sweep.person("grid_worker")
    own: dict[str, Any] = {"author_id": worker.account.id}
    visit = sweep.visit(place, **own)
    sweep.put({}, voids=visit, **own)
    sweep.compile(place)
    hazard = sweep.hazard_id(place)
    assert load(sweep, hazard) == {}
    assert after(sweep, area_scope(sweep.tree.grids[0])) == []
    assert sweep.counts("ledger_number") == {"ledger_number": 1}


def test_task_of_a_merged_place_has_no_deadline(sweep: Sweep) -> None:
    survivor, loser = sweep.tree.households[:2]
    hazard = sweep.hazard(loser)
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [merged(loser, survivor, clock.now_ms())])
    sweep.compile(survivor, loser)
    data = load(sweep, hazard)[str(hazard)].data
    assert (data["state"], data["deadline_ms"], data["basis"], data["rules"]) == ("void", None, [], [])


def test_area_lists_its_own_tasks_by_id(sweep: Sweep) -> None:
    for household in sweep.tree.households:
        sweep.hazard(household)
    one, two = (after(sweep, area_scope(grid)) for grid in sweep.tree.grids)
    ids = [row.id for row in one]
    assert ids == sorted(str(sweep.hazard_id(h)) for h in sweep.tree.households[:2])
    assert [row.id for row in two] == sorted(str(sweep.hazard_id(h)) for h in sweep.tree.households[2:])
    assert after(sweep, area_scope(sweep.community_id)) == []
    scope = area_scope(sweep.tree.grids[0])
    assert [row.id for row in after(sweep, scope, limit=1)] == ids[:1]
    assert [row.id for row in after(sweep, scope, ids[0])] == ids[1:]
    assert after(sweep, scope, ids[1]) == []


def test_task_above_the_grids_is_in_the_communitys_own_area(sweep: Sweep) -> None:
    estate = new_id()
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [registered(estate, "estate", "锦绣苑", sweep.community_id)])
    hazard, below = sweep.hazard(estate), sweep.hazard(sweep.tree.households[0])
    scope = area_scope(sweep.community_id)
    assert load(sweep, hazard)[str(hazard)].scope_id == scope
    assert [row.id for row in after(sweep, scope)] == [str(hazard)]
    assert [row.id for row in after(sweep, area_scope(sweep.tree.grids[0]))] == [str(below)]
    with sweep.db.transaction([sweep.community_id]) as session:
        written = select(SyncChange.scope_id).where(SyncChange.entity == "task", SyncChange.entity_id == str(hazard))
        assert set(session.scalars(written)) == {scope}


def test_unknown_and_foreign_ids_are_left_out(sweep: Sweep, app: Any, db: Any) -> None:
    elsewhere = make_sweep(app, db)
    foreign = elsewhere.hazard(elsewhere.tree.households[0])
    own = sweep.hazard(sweep.tree.households[0])
    assert set(load(sweep, own, foreign, uuid4())) == {str(own)}
    assert load(sweep) == {}


def test_loading_takes_the_same_statements_however_many(app: Any, db: Any) -> None:
    sweep = make_sweep(app, db, grids=1, households=40)
    now = clock.now_ms()
    for n, household in enumerate(sweep.tree.households):
        sweep.put(visit_body(household, [block("ebike_charging", household, PARKED_EBIKE)]), now - 10_000 + n)
        body = {"hazard_id": str(sweep.hazard_id(household)), "place_id": str(household), "kind": "assign"}
        sweep.put({"step": {**body, **assignment()}}, now - 1000, role="grid_head")
    sweep.compile(*sweep.tree.households)
    ids = [sweep.hazard_id(household) for household in sweep.tree.households]
    load(sweep, *ids)
    with counted_statements(db) as one:
        load(sweep, ids[0])
    with counted_statements(db) as all_of_them:
        rows = load(sweep, *ids)
    assert {row.data["responsible_party"] for row in rows.values()} == {PARTY}
    assert len(one) == len(all_of_them)


def test_step_at_the_office_reaches_the_feed(sweep: Sweep) -> None:
    place, head = sweep.tree.households[0], sweep.person("grid_head")
    hazard = sweep.hazard(place)
    before = sweep.counts("sync_change")["sync_change"]
    head.take("assign", hazard)
    assert sweep.counts("sync_change")["sync_change"] == before + 1


def test_row_of_a_returned_task_says_why_until_something_else_happens(sweep: Sweep) -> None:
    place, head = sweep.tree.households[1], sweep.person("grid_head")
    sweep.visit(place, at_ms=clock.now_ms() - 60_000)
    hazard = sweep.hazard_id(place)
    head.take("assign", hazard, assignee_account_id=str(head.account.id))
    head.take("accept", hazard)
    head.take("submit", hazard)
    assert load(sweep, hazard)[str(hazard)].data["returned"] is None
    answer = head.take("return", hazard, reason="照片看不清楼道", deadline_ms=None)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    returned = load(sweep, hazard)[str(hazard)].data["returned"]
    assert returned["reason"] == "照片看不清楼道"
    head.take("submit", hazard)
    assert load(sweep, hazard)[str(hazard)].data["returned"] is None
