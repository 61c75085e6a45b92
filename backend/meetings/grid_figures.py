"""A paper's figures by grid, out of the rows it stored: a hazard counts in the grid of the change that is counted.

The keys are ``closed.g<grid>``; they open to rows like all others. They are no figures of their own: what late records
change in them is stated for the whole community.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, and_, cast, func, insert, literal, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text, Uuid

from backend.hazards.models import Transition
from backend.meetings.figures import COLUMNS
from backend.meetings.labels import NO_GRID
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.places.models import Place
from backend.places.naming import pinyin_key

#: Figures whose rows are transitions, and those whose rows are doors.
OF_HAZARDS: Final = (
    *("open_start", "new", "rebound", "closed", "open_end", "overdue"),
    *("due_next", "in_review", "awaiting"),
)
OF_DOORS: Final = ("registered", "completed", "not_met", "refused")


class GridLine(NamedTuple):
    """A grid's figures by key: ``part`` is what stands for it in ``<key>.<part>``."""

    part: str
    name: str
    values: Mapping[str, int]

    def number(self, key: str) -> Any:
        """The grid's number as a linked cell; plain 0 where no row made it."""
        value = self.values.get(key, 0)
        return {"figure": f"{key}.{self.part}", "value": value} if value else "0"


def store_by_grid(session: Session, community_id: UUID, paper_id: UUID, names: Mapping[str, str]) -> list[GridLine]:
    """Write the rows of every figure by grid; the grids that have any, in the order of their names."""
    for rows in (_of_hazards(community_id, paper_id), _of_doors(community_id, paper_id)):
        spread = rows.subquery("spread")
        number = func.row_number().over(partition_by=spread.c.key, order_by=spread.c.n)
        numbered = select(
            literal(community_id, Uuid), literal(paper_id, Uuid), spread.c.key, number, *(spread.c[c] for c in COLUMNS)
        )
        session.execute(
            insert(PaperFigureRow).from_select(["community_id", "paper_id", "key", "n", *COLUMNS], numbered)
        )
    counted = session.execute(
        select(PaperFigureRow.key, func.count().label("value"))
        .where(PaperFigureRow.community_id == community_id, PaperFigureRow.paper_id == paper_id)
        .where(PaperFigureRow.key.op("~")(r"^[a-z_]+\.g[0-9a-f]+$"))
        .group_by(PaperFigureRow.key)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    stored = []
    for row in counted:
        key, _, part = row.key.partition(".")
        found[part][key] = row.value
        kind = "place" if key in OF_DOORS else "hazard"
        of_paper = {"community_id": community_id, "paper_id": paper_id}
        stored.append({**of_paper, "key": row.key, "value": row.value, "row_kind": kind})
    if stored:
        session.execute(insert(PaperFigure), stored)
    lines = [GridLine(part, names.get(part, part), values) for part, values in found.items()]
    return sorted(lines, key=lambda line: (line.part == NO_GRID, pinyin_key(line.name), line.part))


def _of_hazards(community_id: UUID, paper_id: UUID) -> Select[Any]:
    r, t = PaperFigureRow, Transition
    return _rows(community_id, paper_id, OF_HAZARDS, t.grid_id).join(
        t, and_(t.community_id == r.community_id, t.hazard_id == r.row_id, t.n == cast(r.detail, Integer))
    )


def _of_doors(community_id: UUID, paper_id: UUID) -> Select[Any]:
    r, p = PaperFigureRow, Place
    return _rows(community_id, paper_id, OF_DOORS, p.grid_id).join(
        p, and_(p.community_id == r.community_id, p.id == r.row_id)
    )


def _rows(community_id: UUID, paper_id: UUID, keys: tuple[str, ...], grid_id: Any) -> Select[Any]:
    """The rows of ``keys`` with the grid in the key."""
    r = PaperFigureRow
    part = func.coalesce(literal("g", Text).concat(func.replace(cast(grid_id, Text), "-", "")), NO_GRID)
    return (
        select(r.key.concat(".").concat(part).label("key"), r.n, *(getattr(r, name) for name in COLUMNS))
        .select_from(r)
        .where(r.community_id == community_id, r.paper_id == paper_id, r.key.in_(keys))
    )
