"""The registry: facts come in, the places they touch are folded anew, and whoever listens is told what changed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from backend.db import NIL_ID
from backend.identity.models import Community
from backend.places.address import parse_address
from backend.places.coordinates import to_wgs84
from backend.places.events import Fold, PlaceFact, fold_facts
from backend.places.facts import list_naming, load_facts, lock_places, store_facts
from backend.places.field_codes import made_code
from backend.places.models import Place
from backend.places.naming import pinyin_key
from backend.places.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """A place that is new (``old_grid_id`` and ``old_merged_into`` None) or differs from before; ``rev`` is the new."""

    place_id: UUID
    is_new: bool
    rev: int
    grid_id: UUID | None
    merged_into: UUID | None
    old_grid_id: UUID | None = None
    old_merged_into: UUID | None = None


#: (session, community_id, changes) in the transaction that changed the places.
PlaceListener = Callable[[Session, UUID, Sequence[PlaceChange]], None]


@dataclass(slots=True)
class PlaceListeners:
    """A part of the runtime in which higher layers register what must happen, in the same transaction, when places
    become known (records waited for them) or change in any way (new ones included)."""

    on_known: list[Callable[[Session, UUID, Sequence[UUID]], None]] = field(
        default_factory=list
    )
    on_changed: list[PlaceListener] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlaceChanges:
    """What a set of facts did: all changes, the new places among them."""

    changes: tuple[PlaceChange, ...] = ()

    @property
    def known(self) -> tuple[UUID, ...]:
        """Ids of the places that became known, those that had waited for a parent included."""
        return tuple(change.place_id for change in self.changes if change.is_new)


def record_place_events(
    session: Session,
    community_id: UUID,
    facts: Iterable[PlaceFact],
    listeners: PlaceListeners | None = None,
) -> PlaceChanges:
    """Store facts and fold what they touch: in any order, any number of times, the result is the same.

    A place whose parents are all unknown is not made yet; it is made, with all that waits below it, when one of them
    becomes known. Locks the community's tree until the transaction ends. The root (社区) is made with the first fact.
    """
    facts = list(facts)
    if not facts:
        return PlaceChanges()
    lock_places(session, community_id)
    fresh = store_facts(session, community_id, [*_root(session, community_id), *facts])
    if not fresh:
        return PlaceChanges()
    changes = _refold(session, community_id, fresh)
    if listeners and changes.known:
        for on_known in listeners.on_known:
            on_known(session, community_id, changes.known)
    if listeners and changes.changes:
        for on_changed in listeners.on_changed:
            on_changed(session, community_id, changes.changes)
    return changes


def _root(session: Session, community_id: UUID) -> list[PlaceFact]:
    """The fact that makes the community itself the root of its tree, unless it is there."""
    there = select(Place.id).where(
        Place.community_id == community_id, Place.id == community_id
    )
    if session.scalar(there):
        return []
    name = session.scalar(
        select(Community.name).where(Community.community_id == community_id)
    )
    data = {"kind": "community", "name": name or "社区"}
    return [
        PlaceFact(uuid5(community_id, "root"), community_id, "registered", 0, data=data)
    ]


def _refold(
    session: Session, community_id: UUID, fresh: list[PlaceFact]
) -> PlaceChanges:
    """Fold anew the places of ``fresh`` and, where the tree may have changed, all that name them."""
    touched = {fact.place_id for fact in fresh}
    shaping = {fact.place_id for fact in fresh if not is_edit(fact)}
    targets = (
        touched | list_naming(session, community_id, list(shaping))
        if shaping
        else touched
    )
    folds = fold_facts(community_id, load_facts(session, community_id, list(targets)))
    tree = Tree(community_id, folds)
    found = select(Place).where(
        Place.community_id == community_id, Place.id.in_(targets)
    )
    before = {place.id: place for place in session.scalars(found)}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    changes: list[PlaceChange] = []
    for place_id in sorted(targets & tree.nodes.keys()):
        old = before.get(place_id)
        values = _values(folds[place_id], tree.nodes[place_id])
        if old is None:
            new.append({"community_id": community_id, "rev": 1, **values})
            changes.append(
                PlaceChange(place_id, True, 1, values["grid_id"], values["merged_into"])
            )
        elif any(
            getattr(old, name) != value
            for name, value in values.items()
            if name != "field_code"
        ):
            values = {**values, "field_code": old.field_code, "rev": old.rev + 1}
            changed.append({"community": community_id, "place": place_id, **values})
            grid_id, merged_into = values["grid_id"], values["merged_into"]
            after = PlaceChange(
                place_id,
                False,
                old.rev + 1,
                grid_id,
                merged_into,
                old.grid_id,
                old.merged_into,
            )
            changes.append(after)
    _write(session, community_id, new, changed)
    return PlaceChanges(tuple(changes))


def is_edit(fact: PlaceFact) -> bool:
    """Whether a fact can change nothing but the names and whereabouts of its own place."""
    return (
        fact.kind == "registered" and fact.target_id is None and "kind" not in fact.data
    )


def _values(fold: Fold, node: Node) -> dict[str, Any]:
    """The row of a place, but for community and revision."""
    name = str(fold.attributes.get("name", ""))
    address = fold.attributes.get("address_raw")
    return {
        "id": fold.place_id,
        "kind": node.kind,
        "parent_id": node.parent_id,
        "path": node.path,
        "grid_id": node.grid_id,
        "building_id": node.building_id,
        "name": name,
        "name_pinyin": pinyin_key(name),
        "field_code": fold.field_code or made_code(fold.place_id),
        "address_raw": address,
        "address": parse_address(address) if address else {},
        "origin": fold.origin,
        "registered_ms": fold.registered_ms,
        "merged_into": node.merged_into,
        "withdrawn": fold.withdrawn,
        **_whereabouts(fold.attributes.get("location")),
    }


def _whereabouts(location: dict[str, Any] | None) -> dict[str, Any]:
    """A fact's location as WGS-84 with its accuracy (metres) and the datum it was measured in."""
    if location is None:
        return dict.fromkeys(("latitude", "longitude", "accuracy_m", "datum"))
    point = to_wgs84(float(location["lat"]), float(location["lon"]), location["datum"])
    accuracy = location.get("accuracy_m")
    return {
        "latitude": point.lat,
        "longitude": point.lon,
        "accuracy_m": None if accuracy is None else float(accuracy),
        "datum": location["datum"],
    }


def _write(
    session: Session,
    community_id: UUID,
    new: list[dict[str, Any]],
    changed: list[dict[str, Any]],
) -> None:
    connection = session.connection()
    if new:
        _make_codes_unique(session, community_id, new)
        connection.execute(insert(Place), new)
    if changed:
        columns = [
            name for name in changed[0] if name not in ("community", "place", "id")
        ]
        connection.execute(
            update(Place)
            .where(
                Place.community_id == bindparam("community"),
                Place.id == bindparam("place"),
            )
            .values({name: bindparam(name) for name in columns}),
            changed,
        )
    session.expire_all()


def _make_codes_unique(
    session: Session, community_id: UUID, new: list[dict[str, Any]]
) -> None:
    """Give a place whose made code is taken (about once in a million places) the next one."""
    attempt, wanting = 0, new
    taken: dict[str, UUID] = {}
    while wanting:
        codes = [values["field_code"] for values in wanting]
        found = select(Place.field_code, Place.id).where(
            Place.community_id == community_id, Place.field_code.in_(codes)
        )
        taken.update((code, place_id) for code, place_id in session.execute(found))
        attempt, again = attempt + 1, []
        for values in wanting:
            if taken.setdefault(values["field_code"], values["id"]) != values["id"]:
                values["field_code"] = made_code(values["id"], attempt)
                again.append(values)
        wanting = again


def grid_at(
    session: Session, community_id: UUID, place_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[int, UUID | None]]]:
    """The grids that places were in: ``{place id: [(from_ms, grid id or None), …]}``, ascending, the first from 0.

    What moved or was merged away counts by the time of that fact, for the place and for all that stands under it.
    Unknown places are left out.
    """
    from backend.places.queries import has_moves, list_grids

    if not has_moves(session, community_id):
        return {
            p: [(0, grid)]
            for p, grid in list_grids(session, community_id, place_ids).items()
        }
    tree = Tree(
        community_id,
        fold_facts(community_id, load_facts(session, community_id, place_ids)),
    )
    return {p: tree.grid_history(p) for p in place_ids if p in tree.nodes}


__all__ = [
    "NIL_ID",
    "PlaceChange",
    "PlaceChanges",
    "PlaceFact",
    "PlaceListeners",
    "grid_at",
    "record_place_events",
]
