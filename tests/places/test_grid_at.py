"""Figures use the grid at the time of the event."""

from backend.db import Database, new_id
from backend.places.queries import grid_at
from backend.places.service import record_place_events
from tests.factories.identity import make_community
from tests.factories.places import make_tree, merged, moved, proposed


def test_find_grid_without_moves_is_the_present_one(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=2, buildings=1, households=1)
        asked = [community_id, tree.grids[0], tree.households[1], new_id()]
        assert grid_at(session, community_id, asked) == {
            community_id: [(0, None)],
            tree.grids[0]: [(0, tree.grids[0])],
            tree.households[1]: [(0, tree.grids[1])],
        }


def test_find_grid_after_moves_follows_place_and_ancestors(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=3, buildings=1, households=1)
        one, two, three = tree.grids
        home = tree.households[0]
        facts = [
            moved(tree.buildings[0], two, 100),
            moved(tree.buildings[0], three, 300),
            moved(home, tree.units[0], 400),
            moved(tree.buildings[0], new_id(), 500),
        ]
        record_place_events(session, community_id, facts)
        assert grid_at(session, community_id, [home])[home] == [(0, one), (100, two), (300, three)]
        record_place_events(session, community_id, [moved(home, tree.units[1], 200)])
        assert grid_at(session, community_id, [home])[home] == [(0, one), (100, two), (400, three)]


def test_find_grid_below_a_merged_grid_changes_when_it_was_merged(db: Database) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=2, buildings=1, households=1)
        one, two = tree.grids
        record_place_events(session, community_id, [merged(one, two, 100)])
        late = proposed(new_id(), "household", "晚到", tree.units[0], at_ms=50)
        record_place_events(session, community_id, [late])
        found = grid_at(session, community_id, [tree.households[0], late.place_id, one])
        assert found[tree.households[0]] == [(0, one), (100, two)]
        assert found[late.place_id] == [(0, one), (100, two)]
        assert found[one] == [(0, one)]
