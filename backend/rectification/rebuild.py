"""Rebuilding the projections from the facts, or proving that they are what the facts say."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from backend import clock
from backend.db import Base, Database
from backend.hazards.models import DatedFold, LedgerNumber
from backend.http.context import Runtime
from backend.places.models import Place
from backend.rectification import projection_tables as tables
from backend.rectification.compile import clock_offset_ms, lock_places, store
from backend.rectification.projecting import Projection, Projector

BATCH = 500
#: How many differing rows are named in a report.
SHOWN = 20

Progress = Callable[[int, int], None]
"""(places done, places in all)."""


@dataclass(slots=True)
class RebuildReport:
    """``differences``: rows by table and kind (missing, changed, surplus); the first few are named in ``shown``."""

    places: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)

    def add(self, table: str, difference: tables.Difference) -> None:
        """Count what differs in one table."""
        kinds = {
            "missing": list(difference.missing),
            "changed": list(difference.changed),
            "surplus": difference.surplus,
        }
        for kind, keys in kinds.items():
            if keys:
                self.differences[f"{table}.{kind}"] += len(keys)
                names = [f"{table} {kind}: {'/'.join(str(part) for part in key)}" for key in keys]
                self.shown += names[: SHOWN - len(self.shown)]


def check(runtime: Runtime, community_id: UUID, progress: Progress | None = None) -> RebuildReport:
    """Recompute every projection beside the live ones; drops and writes nothing.

    Everything is compared but feed positions, revisions and receipt times. Places with compile jobs still open differ
    until those are done. One snapshot, so that what is compiled meanwhile makes no difference.
    """
    report = RebuildReport()
    with runtime.db.transaction([community_id], isolation="REPEATABLE READ") as session:
        projector = _projector(session, runtime, community_id)
        now_ms = clock.now_ms(clock_offset_ms(session, community_id))
        total = _count_places(session, community_id)
        for places in _batches(session, community_id):
            folded = _folded_as_of(session, community_id, places)
            projection = projector.project(session, places, partial(_moment, folded, now_ms))
            _compare(session, community_id, projection, report)
            report.places += len(places)
            if progress:
                progress(report.places, total)
        for table in tables.PLACE_TABLES:
            report.add(table.name, tables.Difference(surplus=_lost_keys(session, table, community_id)))
        report.add("transition", tables.Difference(surplus=_lost_keys(session, tables.TRANSITION, community_id)))
    return report


def rebuild(db: Database, runtime: Runtime, community_id: UUID, progress: Progress | None = None) -> RebuildReport:
    """Bring every projection to what the facts say, batch by batch, each in a transaction of its own.

    A place that depends on the day is folded for the day it was last folded for, while that is known.
    """
    report = RebuildReport()
    with db.transaction([community_id]) as session:
        total = _count_places(session, community_id)
        batches = list(_batches(session, community_id))
        for table in (*tables.PLACE_TABLES, tables.TRANSITION):
            session.execute(delete(table.model).where(table.table.c.community_id == community_id, _lost(table)))
    for places in batches:
        with db.transaction([community_id]) as session:
            held = lock_places(session, community_id, places)
            now_ms = clock.now_ms(clock_offset_ms(session, community_id))
            folded = _folded_as_of(session, community_id, held)
            projector = _projector(session, runtime, community_id)
            projection = projector.project(session, places, partial(_moment, folded, now_ms))
            _compare(session, community_id, projection, report)
            store(session, community_id, projection)
        report.places += len(places)
        if progress:
            progress(report.places, total)
    return report


def _moment(folded_as_of: Mapping[UUID, int], now_ms: int, place_id: UUID) -> int:
    """For which moment a place is folded: the stored one, else now."""
    return folded_as_of.get(place_id, now_ms)


def _projector(session: Session, runtime: Runtime, community_id: UUID) -> Projector:
    return Projector.make(session, runtime, community_id)


def _count_places(session: Session, community_id: UUID) -> int:
    return session.scalar(select(func.count()).select_from(Place).where(Place.community_id == community_id)) or 0


def _batches(session: Session, community_id: UUID) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        found = select(Place.id).where(Place.community_id == community_id).order_by(Place.id).limit(BATCH)
        places = list(session.scalars(found if last is None else found.where(Place.id > last)))
        if not places:
            return
        yield places
        last = places[-1]


def _folded_as_of(session: Session, community_id: UUID, places: list[UUID]) -> dict[UUID, int]:
    rows = session.execute(
        select(DatedFold.place_id, DatedFold.folded_as_of).where(
            DatedFold.community_id == community_id, DatedFold.place_id.in_(places)
        )
    )
    return {row.place_id: row.folded_as_of for row in rows}


def _compare(session: Session, community_id: UUID, projection: Projection, report: RebuildReport) -> None:
    places = list(projection.places)
    hazards = {key[0] for key in projection.rows["hazard"]}
    for table in tables.PLACE_TABLES:
        stored = table.load(session, community_id, places)[0]
        if table is tables.HAZARD:
            hazards |= {key[0] for key in stored}
        report.add(table.name, tables.differ(stored, projection.rows[table.name]))
    stored = tables.TRANSITION.load(session, community_id, list(hazards))[0]
    report.add("transition", tables.differ(stored, projection.rows["transition"]))


def _lost(table: tables.ProjectionTable) -> ColumnElement[bool]:
    """Rows whose place does not exist; transitions that belong to nothing that ever had a number."""
    owner: type[Base] = LedgerNumber if table is tables.TRANSITION else Place
    named = LedgerNumber.hazard_id if table is tables.TRANSITION else Place.id
    columns = owner.__table__.c
    known = select(named).where(columns.community_id == table.table.c.community_id, named == table.owner)
    return ~known.exists()


def _lost_keys(session: Session, table: tables.ProjectionTable, community_id: UUID) -> list[tables.Key]:
    columns = [table.table.c[name] for name in table.key]
    found = select(*columns).where(table.table.c.community_id == community_id, _lost(table))
    return [tuple(row) for row in session.execute(found)]
