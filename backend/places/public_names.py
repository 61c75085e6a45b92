"""Places as papers name them: without rooms."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from backend.identity.masking import mask_text
from backend.places.models import Place


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A place as a meeting may see it: ``name`` stops at the building, or names premises by their sign."""

    kind: str
    name: str
    field_code: str


def find_places(session: Session, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, PlaceLine]:
    """Places by id, named without rooms."""
    known: dict[UUID, Row[*tuple[Any, ...]]] = {}
    wanted = set(ids)
    # The place, then its building and parent, then the building's estate: never deeper, whatever the tree.
    for _ in range(3):
        known |= _read_places(session, community_id, wanted - known.keys())
        near = ((row.building_id, row.parent_id) for row in known.values())
        wanted = {i for pair in near for i in pair if i is not None}
    return {i: PlaceLine(known[i].kind, _public_name(known, known[i]), known[i].field_code) for i in ids if i in known}


def _read_places(session: Session, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, Row[*tuple[Any, ...]]]:
    if not ids:
        return {}
    p = Place
    rows = session.execute(
        select(p.id, p.kind, p.name, p.parent_id, p.building_id, p.field_code).where(
            p.community_id == community_id, p.id == func.any(list(ids))
        )
    )
    return {row.id: row for row in rows}


def _public_name(known: dict[UUID, Row[*tuple[Any, ...]]], row: Row[*tuple[Any, ...]]) -> str:
    building = known.get(row.building_id) if row.building_id and row.kind != "building" else None
    parent = known.get(row.parent_id) if row.parent_id else None
    above = _public_name(known, building) if building is not None else ""
    if building is None and parent is not None and (row.kind == "household" or parent.kind == "estate"):
        above = mask_text(parent.name)
    if row.kind == "household":
        return above or "户"
    own: str = mask_text(row.name)
    return own if above in own else above + own
