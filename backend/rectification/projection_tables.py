"""The projections as plain rows, and the difference between what is stored and what the facts say.

Everything here can be dropped and computed again; ``rebuild --check`` is this comparison without the writing.
Revisions are left out of the comparison: they count changes, and a rebuild changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, ColumnElement, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from backend.bulk import BulkInsert, array_text
from backend.campaigns.models import CampaignTarget
from backend.db import Base
from backend.hazards.models import DatedFold, Hazard, Observation, Transition
from backend.inspections.models import Visit
from backend.rectification.models import RectificationTask, StepOutcome

Key = tuple[Any, ...]
Values = tuple[Any, ...]
Rows = dict[Key, Values]


class ProjectionTable:
    """One projection: its key (without the community), its compared columns, and the column that names the owner.

    ``uncompared`` columns are written but do not make a row differ.
    """

    def __init__(self, model: type[Base], owner: str, uncompared: Sequence[str] = ()) -> None:
        self.model, self.table = model, model.__table__
        self.name = model.__tablename__
        self.key = tuple(c.name for c in model.__mapper__.primary_key if c.name != "community_id")
        self.values = tuple(
            c.name
            for c in self.table.columns
            if c.name not in self.key and c.name != "community_id" and c.name not in uncompared
        )
        self.uncompared = tuple(uncompared)
        self.owner = self.table.columns[owner]
        self.columns = (*self.key, *self.values, *self.uncompared)
        self.bulk = BulkInsert(model, self.columns, constants=("community_id",), conflict="")
        self.as_text = [
            (self.columns.index(c.name), c.type) for c in self.table.columns if isinstance(c.type, JSONB | ARRAY)
        ]
        self.update = (
            update(model)
            .where(self._is_row())
            .values({n: bindparam(f"v_{n}") for n in self.columns if n not in self.key})
        )
        self.delete = delete(model).where(self._is_row())

    def _is_row(self) -> ColumnElement[bool]:
        columns = ("community_id", *self.key)
        return and_(*(self.table.columns[name] == bindparam(f"k_{name}") for name in columns))

    def load(self, session: Session, community_id: UUID, owners: Sequence[UUID]) -> tuple[Rows, dict[Key, Values]]:
        """Stored rows of ``owners``: compared values by key, and the uncompared values by key."""
        if not owners:
            return {}, {}
        here = self.table.columns["community_id"] == community_id
        columns = [self.table.columns[n] for n in self.columns]
        found = select(*columns).where(here, self.owner == func.any(list(owners)))
        width, compared = len(self.key), len(self.key) + len(self.values)
        rows: Rows = {}
        others: dict[Key, Values] = {}
        for row in session.execute(found):
            rows[tuple(row[:width])] = tuple(row[width:compared])
            others[tuple(row[:width])] = tuple(row[compared:])
        return rows, others


VISIT = ProjectionTable(Visit, "place_id")
OBSERVATION = ProjectionTable(Observation, "place_id")
HAZARD = ProjectionTable(Hazard, "place_id")
TRANSITION = ProjectionTable(Transition, "hazard_id")
TASK = ProjectionTable(RectificationTask, "place_id", uncompared=("rev",))
STEP_OUTCOME = ProjectionTable(StepOutcome, "place_id")
DATED_FOLD = ProjectionTable(DatedFold, "place_id", uncompared=("folded_as_of",))
CAMPAIGN_TARGET = ProjectionTable(CampaignTarget, "place_id")

PLACE_TABLES = (VISIT, OBSERVATION, HAZARD, TASK, STEP_OUTCOME, DATED_FOLD, CAMPAIGN_TARGET)
ALL_TABLES = (*PLACE_TABLES, TRANSITION)


@dataclass(slots=True)
class Difference:
    """What separates stored rows from computed ones, by key."""

    missing: Rows = field(default_factory=dict)
    changed: Rows = field(default_factory=dict)
    surplus: list[Key] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.surplus)

    @property
    def keys(self) -> list[Key]:
        return [*self.missing, *self.changed, *self.surplus]


def differ(stored: Mapping[Key, Values], computed: Mapping[Key, Values]) -> Difference:
    """Rows to insert, to update and to delete so that ``stored`` becomes ``computed``."""
    difference = Difference()
    for key, values in computed.items():
        held = stored.get(key)
        if held is None:
            difference.missing[key] = values
        elif held != values:
            difference.changed[key] = values
    difference.surplus = [key for key in stored if key not in computed]
    return difference


def write(
    session: Session,
    table: ProjectionTable,
    community_id: UUID,
    difference: Difference,
    uncompared: Mapping[Key, Values] | None = None,
) -> None:
    """Make the stored rows what they should be; ``uncompared`` gives the other columns of written rows."""
    connection = session.connection()
    others = uncompared or {}
    if difference.surplus:
        connection.execute(table.delete, [_key(table, community_id, key) for key in difference.surplus])
    if difference.changed:
        changes = [
            _key(table, community_id, key)
            | {f"v_{n}": v for n, v in zip(table.values, values, strict=True)}
            | {f"v_{n}": v for n, v in zip(table.uncompared, others.get(key, ()), strict=True)}
            for key, values in difference.changed.items()
        ]
        connection.execute(table.update, changes)
    if difference.missing:
        rows = [(*key, *values, *others.get(key, ())) for key, values in difference.missing.items()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        for index, kind in table.as_text:
            columns[index] = [_as_text(kind, value) for value in columns[index]]
        table.bulk.run(session, columns, community_id=community_id)


def _as_text(kind: TypeEngine[Any], value: Any) -> str | None:
    """How the bulk insert wants JSON and arrays of plain codes."""
    return orjson.dumps(value).decode() if isinstance(kind, JSONB) else array_text(value)


def _key(table: ProjectionTable, community_id: UUID, key: Iterable[Any]) -> dict[str, Any]:
    return {"k_community_id": community_id} | {f"k_{n}": v for n, v in zip(table.key, key, strict=True)}
