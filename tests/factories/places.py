"""Places for tests: facts in the shortest form, and whole trees of grids, buildings and households."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.db import NIL_ID, new_id
from backend.places.events import PlaceFact
from backend.places.service import record_place_events


def registered(
    place_id: UUID,
    kind: str,
    name: str,
    parent_id: UUID | None,
    at_ms: int = 1,
    **data: Any,
) -> PlaceFact:
    """The office registers a place."""
    return PlaceFact(
        new_id(),
        place_id,
        "registered",
        at_ms,
        parent_id,
        data={"kind": kind, "name": name, **data},
    )


def proposed(
    place_id: UUID,
    kind: str,
    name: str,
    parent_id: UUID,
    at_ms: int = 1,
    *,
    install_id: UUID = NIL_ID,
    seq: int = 1,
    **data: Any,
) -> PlaceFact:
    """A phone finds a place."""
    body = {"kind": kind, "name": name, **data}
    return PlaceFact(new_id(), place_id, "proposed", at_ms, parent_id, install_id, seq, data=body)


def moved(place_id: UUID, parent_id: UUID, at_ms: int) -> PlaceFact:
    """A place gets another parent."""
    return PlaceFact(new_id(), place_id, "moved", at_ms, parent_id)


def merged(place_id: UUID, into_id: UUID, at_ms: int) -> PlaceFact:
    """A place turns out to be another one."""
    return PlaceFact(new_id(), place_id, "merged", at_ms, into_id)


@dataclass
class Tree:
    """Ids of a made tree. ``households[i]`` stands in ``unit_of`` and ``building_of`` that; all in order of making."""

    root: UUID
    grids: list[UUID] = field(default_factory=list)
    buildings: list[UUID] = field(default_factory=list)
    units: list[UUID] = field(default_factory=list)
    households: list[UUID] = field(default_factory=list)
    premises: list[UUID] = field(default_factory=list)
    building_of: dict[UUID, UUID] = field(default_factory=dict)
    grid_of: dict[UUID, UUID] = field(default_factory=dict)


def make_tree(
    session: Session,
    community_id: UUID,
    grids: int = 1,
    buildings: int = 2,
    households: int = 4,
    *,
    premises: int = 0,
    at_ms: int = 1,
) -> Tree:
    """``buildings`` in each grid, each of one unit with ``households`` and with ``premises`` on the ground floor."""
    tree, facts = Tree(community_id), list[PlaceFact]()

    def add(kind: str, name: str, parent_id: UUID) -> UUID:
        facts.append(registered(place_id := new_id(), kind, name, parent_id, at_ms))
        return place_id

    for g in range(1, grids + 1):
        grid = add("grid", f"第{g}网格", community_id)
        tree.grids.append(grid)
        for b in range(1, buildings + 1):
            building = add("building", f"{b}栋", grid)
            unit = add("unit", "1单元", building)
            homes = [add("household", f"{h // 2 + 1}0{h % 2 + 1}室", unit) for h in range(households)]
            shops = [add("premises", f"{p + 1}号门店", building) for p in range(premises)]
            tree.buildings.append(building)
            tree.units.append(unit)
            tree.households += homes
            tree.premises += shops
            tree.building_of |= dict.fromkeys([building, unit, *homes, *shops], building)
            tree.grid_of |= dict.fromkeys([building, unit, *homes, *shops], grid)
        tree.grid_of[grid] = grid
    record_place_events(session, community_id, facts)
    return tree
