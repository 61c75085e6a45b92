"""Order does not matter: any arrival order and batching of the same facts gives the same registry."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from backend.db import Database, new_id
from backend.places.events import PlaceFact
from backend.places.models import Place
from backend.places.projection import FOLDED, list_differing_places
from backend.places.service import PlaceListeners, record_place_events
from tests.factories.identity import make_community
from tests.factories.places import make_tree, merged, moved, proposed, registered

NAMES = [uuid5(UUID(int=1), str(n)) for n in range(8)]
KINDS = ["grid", "building", "unit", "household", "premises", "community"]
Batches = Sequence[Sequence[PlaceFact]]
Rows = dict[UUID, dict[str, Any]]
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def facts_of_places(draw: st.DrawFn) -> list[PlaceFact]:
    """Facts about a few places that name each other in all ways, wrong kinds and circles included."""
    place, at = st.sampled_from(NAMES), st.integers(0, 6)
    facts = []
    for place_id in NAMES:
        parent = draw(st.one_of(st.just(UUID(int=2)), place))
        facts.append(registered(place_id, draw(st.sampled_from(KINDS)), f"{draw(at)}栋", parent, draw(at)))
    for _ in range(draw(st.integers(0, 8))):
        make = draw(st.sampled_from([moved, merged, named]))
        facts.append(make(draw(place), draw(st.one_of(st.just(UUID(int=2)), place)), draw(at)))
    return [replace(fact, id=uuid5(UUID(int=3), str(n))) for n, fact in enumerate(facts)]


def named(place_id: UUID, parent_id: UUID, at_ms: int) -> PlaceFact:
    """A later registration that edits, and may say another kind and parent."""
    return registered(place_id, KINDS[at_ms % 5], f"改名{at_ms}", parent_id, at_ms)


@st.composite
def batches_of(draw: st.DrawFn, facts: list[PlaceFact]) -> list[list[PlaceFact]]:
    """The facts shuffled, some twice, cut into batches."""
    order = draw(st.permutations(facts)) + draw(st.lists(st.sampled_from(facts), max_size=3))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def arrive(db: Database, batches: Batches) -> Rows:
    """The registry that a community has after the batches, by place, with ids made comparable."""
    community_id = make_community(db)
    root = {UUID(int=2): community_id}
    for batch in batches:
        with db.transaction([community_id]) as session:
            here = [replace(f, target_id=root.get(f.target_id, f.target_id)) for f in batch]  # type: ignore[arg-type]
            record_place_events(session, community_id, here)
    with db.transaction([community_id]) as session:
        rows = session.execute(select(Place.__table__).where(Place.community_id == community_id)).mappings()
        stored = {row["id"]: {name: row[name] for name in (*FOLDED, "field_code")} for row in rows}
        assert list_differing_places(session, community_id) == []
    return {place_id: comparable(community_id, row) for place_id, row in stored.items() if place_id in NAMES}


def arrive_by_receipt(db: Database, batches: Batches) -> Rows:
    """The seeded bug: facts count in the order in which they arrive."""
    arrivals = (fact.id for batch in batches for fact in batch)
    order: dict[UUID, int] = {}
    for fact_id in arrivals:
        order.setdefault(fact_id, len(order))
    return arrive(db, [[replace(f, effective_ms=order[f.id]) for f in batch] for batch in batches])


def comparable(community_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
    same = dict(row)
    same["path"] = row["path"].replace(community_id.hex, "root")
    same["parent_id"] = None if row["parent_id"] == community_id else row["parent_id"]
    return same


def check_order_does_not_matter(
    run: Callable[[Database, Batches], Rows], db: Database, facts: list[PlaceFact], batches: Batches
) -> None:
    assert run(db, batches) == run(db, [facts])


@FEW
@given(data=st.data())
def test_fold_facts_any_order_and_batching_same_registry(db: Database, data: st.DataObject) -> None:
    facts = data.draw(facts_of_places())
    check_order_does_not_matter(arrive, db, facts, data.draw(batches_of(facts)))


def test_fold_facts_by_receipt_is_caught(db: Database) -> None:
    a, b, home = NAMES[:3]
    facts = [
        registered(a, "building", "1栋", UUID(int=2), 1),
        registered(b, "building", "2栋", UUID(int=2), 1),
        registered(home, "household", "101室", a, 1),
        moved(home, b, 5),
        moved(home, a, 3),
    ]
    backwards = [[fact] for fact in reversed(facts)]
    check_order_does_not_matter(arrive, db, facts, backwards)
    with pytest.raises(AssertionError):
        check_order_does_not_matter(arrive_by_receipt, db, facts, backwards)


def test_record_chain_arriving_backwards_waits_then_becomes_known(db: Database) -> None:
    community_id = make_community(db)
    ids = [new_id() for _ in range(4)]
    kinds = ["grid", "building", "unit", "household"]
    parents = [community_id, *ids[:3]]
    chain = [proposed(i, k, k, p) for i, k, p in zip(ids, kinds, parents, strict=True)]
    told: list[Iterable[UUID]] = []
    listeners = PlaceListeners(on_known=[lambda _s, _c, known: told.append(set(known))])
    for fact in reversed(chain[1:]):
        with db.transaction([community_id]) as session:
            changes = record_place_events(session, community_id, [fact], listeners)
            assert set(changes.known) <= {community_id}
    with db.transaction([community_id]) as session:
        changes = record_place_events(session, community_id, [chain[0]], listeners)
        assert set(changes.known) == set(ids)
        home = session.get_one(Place, (community_id, ids[3]))
        assert home.path == ".".join(i.hex for i in (community_id, *ids))
        assert (home.grid_id, home.building_id, home.origin) == (ids[0], ids[1], "field")
    assert told[-1] == set(ids)


def test_check_projection_names_rows_that_differ(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, households=1)
        assert list_differing_places(session, community_id) == []
        renamed, gone = tree.households[0], tree.households[1]
        session.execute(update(Place).where(Place.id == renamed).values(name="?"))
        session.execute(delete(Place).where(Place.id == gone))
        assert list_differing_places(session, community_id) == sorted([renamed, gone])


def test_move_building_rewrites_everything_below_it(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=2, buildings=1, households=3)
        building, grid = tree.buildings[0], tree.grids[1]
        changes = record_place_events(session, community_id, [moved(building, grid, 9)])
        below = session.scalars(
            select(Place).where(Place.community_id == community_id, Place.building_id == building)
        ).all()
    assert len(below) == 5 == len(changes.changes)
    assert {place.grid_id for place in below} == {grid}
    assert all(f"{grid.hex}.{building.hex}" in place.path for place in below)
    assert {(c.old_grid_id, c.grid_id, c.rev) for c in changes.changes} == {(tree.grids[0], grid, 2)}


def test_merge_building_survivor_takes_over_what_stands_below(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=1, buildings=3, households=1)
        one, two, three = tree.buildings
        facts = [merged(one, two, 5), merged(two, three, 6), merged(three, one, 7), merged(one, one, 8)]
        record_place_events(session, community_id, facts)
        places = {p.id: p for p in session.scalars(select(Place).where(Place.community_id == community_id))}
    assert [places[b].merged_into for b in tree.buildings] == [three, three, None]
    assert {places[u].parent_id for u in tree.units} == {three}
    assert {places[h].building_id for h in tree.households} == {three}


def test_propose_door_under_wrong_kind_lands_at_the_nearest_place_that_holds_it(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, households=1)
        inner = new_id()
        record_place_events(session, community_id, [proposed(inner, "household", "101甲", tree.households[0])])
        place = session.get_one(Place, (community_id, inner))
        assert place.parent_id == tree.units[0]
        assert place.name == "101甲"


def test_propose_places_that_name_each_other_lands_at_the_community(db: Database) -> None:
    community_id = make_community(db)
    own, building, unit = (new_id() for _ in range(3))
    circle = [
        proposed(own, "grid", "自己", own),
        proposed(building, "building", "1栋", unit),
        proposed(unit, "unit", "1单元", building),
    ]
    for fact in circle:
        with db.transaction([community_id]) as session:
            record_place_events(session, community_id, [fact])
    with db.transaction([community_id]) as session:
        parents = {f.place_id: session.get_one(Place, (community_id, f.place_id)).parent_id for f in circle}
    assert parents == {own: community_id, building: community_id, unit: building}


def test_correct_proposal_replaces_its_fact_and_void_withdraws_it(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, households=1)
        door = proposed(
            new_id(),
            "household",
            "102",
            tree.units[0],
            location={"lat": 25.79, "lon": 113.03, "accuracy_m": 9, "datum": "wgs84"},
        )
        record_place_events(session, community_id, [door])
        better = replace(door, data={**door.data, "name": "103"}, effective_ms=0)
        changes = record_place_events(session, community_id, [better])
        assert [c.rev for c in changes.changes] == [2]
        assert not record_place_events(session, community_id, [better]).changes
        gone = replace(better, data={**better.data, "withdrawn": True})
        record_place_events(session, community_id, [gone])
        place = session.get_one(Place, (community_id, door.place_id))
        assert (place.name, place.withdrawn, place.latitude, place.rev) == ("103", True, 25.79, 3)


def test_locate_place_without_datum_is_not_used(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        facts = [
            registered(new_id(), "grid", "一", community_id, location={"lat": 25.79, "lon": 113.03}),
            registered(
                new_id(), "grid", "二", community_id, location={"lat": 25.787073, "lon": 113.035561, "datum": "gcj02"}
            ),
        ]
        record_place_events(session, community_id, facts)
        bare, shifted = (session.get_one(Place, (community_id, f.place_id)) for f in facts)
    assert (bare.latitude, bare.longitude, bare.datum) == (None, None, None)
    assert (shifted.latitude, shifted.longitude) == pytest.approx((25.79, 113.03), abs=1e-6)
    assert shifted.datum == "gcj02"
