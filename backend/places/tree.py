"""The tree that folded places make: parents, paths, merges, and which grid a place was in when. Pure.

Ranks of kinds decide the order of work: a parent always has a smaller rank, so no cycle can form, whatever the facts
say. A fact that names a parent of the wrong kind lands the place under the nearest of that parent's own parents that
may hold it; a fact that names a place not known (yet) does not count (yet).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from backend.places.events import Fold, Link
from backend.places.kinds import RANK, may_hold


@dataclass(slots=True)
class Node:
    """A place in the tree. ``merged_into`` is the final survivor; ``merge`` the fact that sent it away."""

    place_id: UUID
    kind: str
    parent_id: UUID | None
    path: str
    grid_id: UUID | None
    building_id: UUID | None
    merged_into: UUID | None = None
    merge: Link | None = None


class Tree:
    """The known places among ``folds``; give it all that these name, directly or through others."""

    def __init__(self, root_id: UUID, folds: Mapping[UUID, Fold]) -> None:
        self._root_id, self._folds = root_id, folds
        self.nodes: dict[UUID, Node] = {}
        self._below: dict[UUID, list[tuple[int, UUID | None]]] = {}
        made = sorted((f for f in folds.values() if f.kind is not None), key=_rank)
        for _, level in groupby(made, key=_rank):
            self._resolve_level(list(level))

    def _resolve_level(self, level: list[Fold]) -> None:
        for fold in level:
            if fold.place_id == self._root_id:
                self.nodes[fold.place_id] = self._node(fold, None)
            elif (parent_id := self._parent(fold)) is not None:
                self.nodes[fold.place_id] = self._node(fold, self.nodes[parent_id])
        self._merge_level([fold for fold in level if fold.place_id in self.nodes])

    def _node(self, fold: Fold, parent: Node | None) -> Node:
        place_id, kind = fold.place_id, str(fold.kind)
        return Node(
            place_id=place_id,
            kind=kind,
            parent_id=parent.place_id if parent else None,
            path=f"{parent.path}.{place_id.hex}" if parent else place_id.hex,
            grid_id=place_id if kind == "grid" else parent.grid_id if parent else None,
            building_id=place_id if kind == "building" else parent.building_id if parent else None,
        )

    def _parent(self, fold: Fold) -> UUID | None:
        found = (self._holder(link.target_id, fold) for link in reversed(fold.parents))
        return next((f for f in found if f is not None), None)

    def _holder(self, target_id: UUID, child: Fold) -> UUID | None:
        """Who holds ``child`` when a fact names ``target_id`` as its parent; the survivor where that was merged."""
        holder = self._named_holder(target_id, str(child.kind), {child.place_id})
        return None if holder is None else self.nodes[holder].merged_into or holder

    def _named_holder(self, target_id: UUID, kind: str, seen: set[UUID]) -> UUID | None:
        if target_id in seen:
            return self._root_id if self._root_id in self.nodes else None
        seen.add(target_id)
        target = self._folds.get(target_id)
        if target is None or target.kind is None:
            return None
        if may_hold(target.kind, kind):
            return target_id if target_id in self.nodes else None
        above = (self._named_holder(link.target_id, kind, seen) for link in reversed(target.parents))
        return next((a for a in above if a is not None), None)

    def _merge_level(self, level: list[Fold]) -> None:
        """Merges of one kind in order-key order; one that closes a circle or names another kind does not apply."""
        here = {fold.place_id for fold in level}
        links = sorted(
            ((link, fold.place_id) for fold in level for link in fold.merges),
            key=_merge_key,
        )
        into: dict[UUID, Link] = {}
        for link, loser in links:
            if link.target_id in here and loser not in _followed(link.target_id, into):
                into[loser] = link
        for loser, link in into.items():
            *_, survivor = _followed(loser, into)
            self.nodes[loser].merged_into, self.nodes[loser].merge = survivor, link

    def stood_under(self, place_id: UUID) -> set[UUID]:
        """A known place and all that it ever stood under, by its own moves or by merges and moves further up."""
        found: set[UUID] = set()
        asked = {place_id}
        while asked:
            found |= asked
            asked = {above for one in asked for above in self._ever_directly_above(one)} - found
        return found

    def _ever_directly_above(self, place_id: UUID) -> Iterator[UUID]:
        fold, node = self._folds[place_id], self.nodes[place_id]
        if node.merge is not None:
            yield node.merge.target_id
        if node.merged_into is not None:
            yield node.merged_into
        if node.parent_id is not None:
            yield node.parent_id
        for link in fold.parents:
            holder = self._named_holder(link.target_id, node.kind, {place_id})
            if holder is not None:
                yield holder

    def grid_history(self, place_id: UUID) -> list[tuple[int, UUID | None]]:
        """The grids a known place was in: ``[(from_ms, grid id or None), …]``, ascending, the first from 0."""
        fold = self._folds[place_id]
        if fold.kind == "grid" or place_id == self._root_id:
            return [(0, place_id if fold.kind == "grid" else None)]
        steps: list[tuple[int, list[tuple[int, UUID | None]]]] = []
        for link in fold.parents:
            holder = self._named_holder(link.target_id, str(fold.kind), {place_id})
            if holder is not None:
                steps.append((link.from_ms if steps else 0, self._history_below(holder)))
        return _spliced(steps)

    def _history_below(self, place_id: UUID) -> list[tuple[int, UUID | None]]:
        """The grids of what stands under ``place_id``: from its merge on, those of what stands under the survivor."""
        if place_id not in self._below:
            steps = [(0, self.grid_history(place_id))]
            merge = self.nodes[place_id].merge
            if merge is not None:
                steps.append((merge.from_ms, self._history_below(merge.target_id)))
            self._below[place_id] = _spliced(steps)
        return self._below[place_id]


def _rank(fold: Fold) -> int:
    return RANK[str(fold.kind)]


def _merge_key(item: tuple[Link, UUID]) -> tuple[int, UUID, int, UUID]:
    return item[0].key


def _followed(place_id: UUID, into: Mapping[UUID, Link]) -> Iterator[UUID]:
    """``place_id`` and whom it was merged into, and so on."""
    yield place_id
    while place_id in into:
        place_id = into[place_id].target_id
        yield place_id


def _spliced(
    steps: list[tuple[int, list[tuple[int, UUID | None]]]],
) -> list[tuple[int, UUID | None]]:
    """One history out of several, each in force from its time to the next one's; repeats are left out."""
    out: list[tuple[int, UUID | None]] = []
    for index, (start, history) in enumerate(steps):
        end = steps[index + 1][0] if index + 1 < len(steps) else None
        at_start = [grid for from_ms, grid in history if from_ms <= start]
        later = [(ms, grid) for ms, grid in history if ms > start and (end is None or ms < end)]
        if end is not None and end <= start:
            continue
        for ms, grid in [(start, at_start[-1]), *later]:
            if not out or out[-1][1] != grid:
                out.append((ms, grid))
    return out
