"""Places as phones get them."""

from uuid import UUID

from backend.db import Database, new_id
from backend.places.feed import area_of, feed_places, list_places_after
from backend.places.service import proposal_event, record_place_events
from tests.factories.identity import make_community
from tests.factories.places import make_tree, merged


def test_list_places_of_an_area_in_pages_gives_each_once(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=2, buildings=2, households=3)
        grid = tree.grids[0]
        seen: list[UUID] = []
        while rows := list_places_after(session, community_id, grid, seen[-1] if seen else None, 4):
            assert {row.scope_id for row in rows} == {f"area:{grid}"}
            seen += [row.id for row in rows]
        assert seen == sorted(p for p, g in tree.grid_of.items() if g == grid)
        above = list_places_after(session, community_id, community_id, None, 10)
        assert [(row.id, row.scope_id) for row in above] == [(community_id, area_of(community_id, None))]


def test_feed_proposed_place_has_the_shape_of_the_protocol(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, households=1)
        body = {
            "id": str(new_id()),
            "kind": "household",
            "parent_id": str(tree.units[0]),
            "name": "502室",
            "address_raw": None,
            "location": {"lat": 25.787073, "lon": 113.035561, "accuracy_m": 12.0, "datum": "gcj02"},
        }
        fact = proposal_event(new_id(), body, effective_ms=5, install_id=new_id(), seq=3, author_id=new_id())
        record_place_events(session, community_id, [fact])
        record_place_events(session, community_id, [merged(fact.place_id, tree.households[0], 9)])
        (row,) = feed_places(session, community_id, [fact.place_id, new_id()]).values()
    location = row.data.pop("location")
    code = row.data.pop("code")
    assert (round(location["lat"], 5), round(location["lon"], 5)) == (25.79, 113.03)
    assert (location["datum"], location["accuracy_m"], len(code)) == ("wgs84", 12.0, 11)
    assert (row.id, row.rev, row.scope_id) == (fact.place_id, 2, f"area:{tree.grids[0]}")
    assert row.data == {
        "kind": "household",
        "parent_id": tree.units[0],
        "name": "502室",
        "address_raw": None,
        "grid_id": tree.grids[0],
        "found_in_field": True,
        "merged_into": tree.households[0],
        "withdrawn": False,
    }
