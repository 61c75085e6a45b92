"""Reads of the registry. Place scope: ``scope`` are ltree paths the reader is limited to; empty means no limit."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, cast, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from backend.db import Ltree
from backend.places.errors import PlaceNotFound
from backend.places.events import fold_facts
from backend.places.facts import among, load_facts
from backend.places.field_codes import is_made_code, normal_code
from backend.places.models import Place, PlaceEvent
from backend.places.naming import pinyin_key
from backend.places.tree import Tree


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """What a list of places is narrowed by; ``q`` looks into names, pinyin and field codes."""

    kind: str | None = None
    parent_id: UUID | None = None
    under: UUID | None = None
    grid_id: UUID | None = None
    q: str | None = None
    merged: bool = False


def is_below(path: str) -> ColumnElement[bool]:
    """The place at ``path`` or below it."""
    return Place.path.op("<@", is_comparison=True)(cast(literal(path), Ltree))


def in_scope(scope: Sequence[str]) -> ColumnElement[bool]:
    """Within any of the paths; true when there are none."""
    return or_(*map(is_below, scope)) if scope else literal(True)


def find_place(session: Session, community_id: UUID, place_id: UUID, scope: Sequence[str] = ()) -> Place | None:
    """A known place of the community within ``scope``."""
    found = select(Place).where(Place.community_id == community_id, Place.id == place_id, in_scope(scope))
    return session.scalar(found.execution_options(populate_existing=True))


def get_place(session: Session, community_id: UUID, place_id: UUID, scope: Sequence[str] = ()) -> Place:
    """As :func:`find_place`; PlaceNotFound when it is not there or outside ``scope``."""
    place = find_place(session, community_id, place_id, scope)
    if place is None:
        raise PlaceNotFound
    return place


def kinds_of(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> dict[str, str]:
    """Place id (lower-case text) → kind, of those that are known."""
    found = select(Place.id, Place.kind).where(
        Place.community_id == community_id, Place.id == func.any(list(place_ids))
    )
    return {str(row[0]): row[1] for row in session.execute(found)}


def find_by_code(session: Session, community_id: UUID, field_code: str, scope: Sequence[str] = ()) -> Place | None:
    """The place with a field code, as typed or scanned: width, case and a left out hyphen do not matter."""
    code = normal_code(field_code)
    codes = [code, f"{code[:5]}-{code[5:]}"] if is_made_code(code) else [code]
    found = select(Place).where(Place.community_id == community_id, Place.field_code.in_(codes), in_scope(scope))
    return session.scalar(found.limit(1))


def list_ancestors(session: Session, place: Place) -> list[Place]:
    """From the community down to the place's parent."""
    ids = [UUID(label) for label in place.path.split(".")[:-1]]
    found = select(Place).where(Place.community_id == place.community_id, Place.id.in_(ids))
    by_id = {ancestor.id: ancestor for ancestor in session.scalars(found)}
    return [by_id[i] for i in ids]


def list_places(
    session: Session,
    community_id: UUID,
    narrowed: PlaceFilter,
    scope: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
) -> list[Place]:
    """Up to ``limit + 1`` places by pinyin key, after the key ``(name_pinyin, id)``. Merged ones only when asked."""
    found: Select[Any] = select(Place).where(Place.community_id == community_id, in_scope(scope))
    if not narrowed.merged:
        found = found.where(Place.merged_into.is_(None), ~Place.withdrawn)
    for column, value in (
        (Place.kind, narrowed.kind),
        (Place.parent_id, narrowed.parent_id),
        (Place.grid_id, narrowed.grid_id),
    ):
        if value is not None:
            found = found.where(column == value)
    if narrowed.under is not None:
        found = _under(session, community_id, found, narrowed.under)
    if narrowed.q:
        found = found.where(_matches(narrowed.q))
    if after is not None:
        found = found.where(tuple_(Place.name_pinyin, Place.id) > tuple_(after[0], UUID(after[1])))
    return list(session.scalars(found.order_by(Place.name_pinyin, Place.id).limit(limit + 1)))


def _under(session: Session, community_id: UUID, found: Select[Any], place_id: UUID) -> Select[Any]:
    path = session.scalar(select(Place.path).where(Place.community_id == community_id, Place.id == place_id))
    if path is None:
        return found.where(literal(False))
    return found.where(is_below(path), Place.id != place_id)


def _matches(q: str) -> ColumnElement[bool]:
    code = normal_code(q)
    said: list[ColumnElement[bool]] = [
        Place.name.icontains(q.strip(), autoescape=True),
        func.replace(Place.field_code, "-", "").startswith(code.replace("-", ""), autoescape=True),
    ]
    if q.isascii():
        sound = pinyin_key(q).replace(" ", "")
        said.append(func.replace(Place.name_pinyin, " ", "").contains(sound, autoescape=True))
    return or_(*said)


def has_moves(session: Session, community_id: UUID) -> bool:
    """Whether any place of the community was ever moved or merged."""
    moved = exists().where(PlaceEvent.community_id == community_id, PlaceEvent.kind.in_(("moved", "merged")))
    return bool(session.scalar(select(moved)))


def stood_under(session: Session, community_id: UUID, place_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Each known place of ``place_ids`` with all places it ever stood under, itself included.

    Ever, not now: what somebody in charge of a grid decided stays decided when the building is given to another grid.
    """
    if not place_ids:
        return {}
    if not has_moves(session, community_id):
        found = select(Place.id, Place.path).where(Place.community_id == community_id, among(Place.id, place_ids))
        return {row.id: {UUID(label) for label in row.path.split(".")} for row in session.execute(found)}
    tree = Tree(community_id, fold_facts(community_id, load_facts(session, community_id, sorted(place_ids))))
    return {place_id: tree.stood_under(place_id) for place_id in place_ids if place_id in tree.nodes}


def grid_at(
    session: Session, community_id: UUID, place_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[int, UUID | None]]]:
    """The grids that places were in: ``{place id: [(from_ms, grid id or None), …]}``, ascending, the first from 0.

    What was moved or merged away counts from the time of that fact, for the place and for all that stands below it.
    Unknown places are left out.
    """
    if not has_moves(session, community_id):
        found = select(Place.id, Place.grid_id).where(Place.community_id == community_id, among(Place.id, place_ids))
        return {place_id: [(0, grid_id)] for place_id, grid_id in session.execute(found)}
    tree = Tree(community_id, fold_facts(community_id, load_facts(session, community_id, place_ids)))
    return {place_id: tree.grid_history(place_id) for place_id in place_ids if place_id in tree.nodes}
