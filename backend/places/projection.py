"""Place rows: the projection of facts, written where it differs and nowhere else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Text, any_, bindparam, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from backend.bulk import BulkInsert
from backend.places.address import parse_address
from backend.places.coordinates import DATUMS, to_wgs84
from backend.places.events import Fold, PlaceFact, fold_facts
from backend.places.facts import among, list_naming, load_facts
from backend.places.field_codes import made_code
from backend.places.models import Place, PlaceEvent
from backend.places.naming import pinyin_key
from backend.places.tree import Node, Tree

#: What follows from the facts alone. ``field_code`` is given once, ``rev`` counts.
FOLDED: Final = (
    "kind",
    "parent_id",
    "path",
    "grid_id",
    "building_id",
    "name",
    "name_pinyin",
    "address_raw",
    "address",
    "longitude",
    "latitude",
    "accuracy_m",
    "datum",
    "origin",
    "registered_ms",
    "merged_into",
    "withdrawn",
)
_INSERT = BulkInsert(Place, ("id", *FOLDED, "field_code"), constants=("community_id", "rev"), conflict="")


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """A place that is new (all ``old_…`` None) or differs from before; ``rev`` is the new one."""

    place_id: UUID
    is_new: bool
    rev: int
    grid_id: UUID | None
    merged_into: UUID | None
    old_grid_id: UUID | None = None
    old_merged_into: UUID | None = None
    kind_changed: bool = False
    path_changed: bool = False


def fold_places(session: Session, community_id: UUID, place_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What the facts make of places now: the folded columns and ``field_code`` of those that are known."""
    folds = fold_facts(community_id, load_facts(session, community_id, place_ids))
    nodes = Tree(community_id, folds).nodes
    return {place_id: folded_row(folds[place_id], nodes[place_id]) for place_id in place_ids if place_id in nodes}


def refold(session: Session, community_id: UUID, fresh: Iterable[PlaceFact]) -> list[PlaceChange]:
    """Fold anew the places of ``fresh`` facts and, where the tree may have changed, all that name them."""
    fresh = list(fresh)
    touched = {fact.place_id for fact in fresh}
    shaping = {fact.place_id for fact in fresh if not is_edit(fact)}
    targets = touched | list_naming(session, community_id, list(shaping)) if shaping else touched
    after = fold_places(session, community_id, sorted(targets))
    found = select(Place.__table__).where(Place.community_id == community_id, among(Place.id, after))
    before = {row["id"]: row for row in session.execute(found).mappings()}
    new = [{"id": place_id, **row} for place_id, row in after.items() if place_id not in before]
    changed = [
        {"id": place_id, **row, "rev": before[place_id]["rev"] + 1}
        for place_id, row in after.items()
        if place_id in before and any(before[place_id][name] != row[name] for name in FOLDED)
    ]
    _insert(session, community_id, new)
    _update(session, community_id, changed)
    return [PlaceChange(row["id"], True, 1, row["grid_id"], row["merged_into"]) for row in new] + [
        PlaceChange(
            row["id"],
            False,
            row["rev"],
            row["grid_id"],
            row["merged_into"],
            before[row["id"]]["grid_id"],
            before[row["id"]]["merged_into"],
            row["kind"] != before[row["id"]]["kind"],
            row["path"] != before[row["id"]]["path"],
        )
        for row in changed
    ]


def list_differing_places(session: Session, community_id: UUID) -> list[UUID]:
    """Places whose row is not what all facts, folded from scratch, make of them; rows too many or missing included."""
    named = select(PlaceEvent.place_id).where(PlaceEvent.community_id == community_id).distinct()
    folded = fold_places(session, community_id, session.scalars(named).all())
    found = select(Place.__table__).where(Place.community_id == community_id)
    stored = {row["id"]: {n: row[n] for n in FOLDED} for row in session.execute(found).mappings()}
    wanted = {place_id: {n: row[n] for n in FOLDED} for place_id, row in folded.items()}
    return sorted(p for p in stored.keys() | wanted.keys() if stored.get(p) != wanted.get(p))


def is_edit(fact: PlaceFact) -> bool:
    """Whether a fact can change nothing but the name and whereabouts of its own place."""
    return fact.kind == "registered" and fact.target_id is None and "kind" not in fact.data


def folded_row(fold: Fold, node: Node) -> dict[str, Any]:
    """The folded columns of a place, and the code it gets when it is new."""
    name = str(fold.attributes.get("name", ""))
    address = fold.attributes.get("address_raw")
    return {
        "kind": node.kind,
        "parent_id": node.parent_id,
        "path": node.path,
        "grid_id": node.grid_id,
        "building_id": node.building_id,
        "name": name,
        "name_pinyin": pinyin_key(name),
        "address_raw": address,
        "address": parse_address(address) if address else {},
        "origin": fold.origin,
        "registered_ms": fold.registered_ms,
        "merged_into": node.merged_into,
        "withdrawn": fold.withdrawn,
        "field_code": fold.field_code or made_code(fold.place_id),
        **whereabouts(fold.attributes.get("location")),
    }


def whereabouts(location: dict[str, Any] | None) -> dict[str, Any]:
    """A fact's location as WGS-84 with its accuracy (metres) and the datum it was measured in.

    One without a known datum is not used: the datum is never guessed.
    """
    if location is None or location.get("datum") not in DATUMS:
        return dict.fromkeys(("latitude", "longitude", "accuracy_m", "datum"))
    point = to_wgs84(float(location["lat"]), float(location["lon"]), location["datum"])
    accuracy = location.get("accuracy_m")
    return {
        "latitude": point.lat,
        "longitude": point.lon,
        "accuracy_m": None if accuracy is None else float(accuracy),
        "datum": location["datum"],
    }


def _insert(session: Session, community_id: UUID, new: list[dict[str, Any]]) -> None:
    if not new:
        return
    _make_codes_unique(session, community_id, new)
    rows = [{**row, "address": orjson.dumps(row["address"]).decode()} for row in new]
    columns = [[row[name] for row in rows] for name in _INSERT.columns]
    _INSERT.run(session, columns, community_id=community_id, rev=1)


def _update(session: Session, community_id: UUID, changed: list[dict[str, Any]]) -> None:
    if not changed:
        return
    names = (*FOLDED, "rev")
    session.connection().execute(
        update(Place)
        .where(Place.community_id == community_id, Place.id == bindparam("place_id"))
        .values({name: bindparam(f"new_{name}") for name in names}),
        [{"place_id": row["id"], **{f"new_{n}": row[n] for n in names}} for row in changed],
    )


def _make_codes_unique(session: Session, community_id: UUID, new: list[dict[str, Any]]) -> None:
    """Give a place whose made code is taken (about once in a million places) the next one."""
    attempt, wanting = 0, new
    taken: dict[str, UUID] = {}
    while wanting:
        found = select(Place.field_code, Place.id).where(
            Place.community_id == community_id,
            Place.field_code == any_(literal([row["field_code"] for row in wanting], ARRAY(Text()))),
        )
        taken.update((code, place_id) for code, place_id in session.execute(found))
        attempt, again = attempt + 1, []
        for row in wanting:
            if taken.setdefault(row["field_code"], row["id"]) != row["id"]:
                row["field_code"] = made_code(row["id"], attempt)
                again.append(row)
        wanting = again
