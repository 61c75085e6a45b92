"""Records that name something unknown: they are stored, and compiled when it arrives.

No record is lost between two transactions, one that looks for a record or form and one that brings it: whoever finds
something unknown takes the community's lock alone and looks again; whoever makes something known takes it at least
shared before it looks who waits. So one of the two sees the other. Places have a lock of their own, held by whoever
waits and taken alone by whoever changes the tree (``backend.places.facts``).
Locks are taken in one order: this one, the places', job rows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.orm import Session, aliased

from backend.bulk import BulkInsert
from backend.inspections.archive import families, places_of_families
from backend.inspections.models import Record, WaitingOn
from backend.inspections.record_kinds import Reference, RefType
from backend.jobs import ledger
from backend.places.projection import PlaceChange

COMPILE: Final = "compile"
"""Kind of the job that recomputes a place; its subject is the place's id."""

_WAITING: Final = BulkInsert(WaitingOn, ("record_id", "ref_type", "ref_id", "place_id"), constants=("community_id",))


def lock(session: Session, community_id: UUID, *, alone: bool) -> None:
    """Take the community's waiting lock until the transaction ends. Take it once, before any job row."""
    call = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    session.execute(text(f"SELECT {call}(hashtextextended(:key, 0))"), {"key": f"waiting:{community_id}"})


# Only what is unknown travels back.
_UNKNOWN: Final = """
    SELECT sent.id FROM unnest(%(ids)b::text[]::uuid[]) AS sent (id)
    WHERE NOT EXISTS (SELECT 1 FROM {table} known WHERE known.community_id = %(community)b AND known.id = sent.id)
"""


def unknown_places(session: Session, community_id: UUID, ids: Collection[str]) -> set[str]:
    """Those of the place ids (lower-case text) that the registry does not hold."""
    return _unknown(session, community_id, ids, "place")


def unknown_records(session: Session, community_id: UUID, ids: Collection[str]) -> set[str]:
    """Those of the record ids (lower-case text) that the archive does not hold."""
    return _unknown(session, community_id, ids, "record")


def _unknown(session: Session, community_id: UUID, ids: Collection[str], table: str) -> set[str]:
    if not ids:
        return set()
    values = {"ids": list(ids), "community": community_id}
    found = session.connection().exec_driver_sql(_UNKNOWN.format(table=table), values)
    return {str(row[0]) for row in found}


def wait(
    session: Session,
    community_id: UUID,
    waiting: Mapping[UUID, Iterable[Reference]],
    main: Mapping[UUID, UUID | None],
) -> None:
    """Note what each record waits for; ``main`` gives the records' main places, for the tray."""
    rows = [
        (record_id, reference.type, reference.id, main.get(record_id))
        for record_id, references in waiting.items()
        for reference in sorted(set(references))
    ]
    if rows:
        _WAITING.run(session, tuple(zip(*rows, strict=True)), community_id=community_id)


def anything_waits(session: Session, community_id: UUID, ref_type: RefType) -> bool:
    """True when some record waits for something of this type: cheap, and nearly always False."""
    found = exists().where(WaitingOn.community_id == community_id, WaitingOn.ref_type == ref_type)
    return bool(session.scalar(select(found)))


def release_waiting(
    session: Session, community_id: UUID, ref_type: RefType, ref_ids: Iterable[UUID | str]
) -> set[UUID]:
    """What ``ref_ids`` name is known now: wake whoever waits for it. Call in the transaction that made it known.

    Forms are named ``<code>/<version>``. Returns the places that will be compiled anew (their jobs are wanted here).
    """
    if ref_type != "place":
        lock(session, community_id, alone=False)
    places = settle(session, community_id, {ref_type: {str(ref_id).lower() for ref_id in ref_ids}})
    ledger.want(session, COMPILE, community_id, map(str, places))
    return places


def release_places(session: Session, community_id: UUID, place_ids: Sequence[UUID]) -> None:
    """Places became known. For ``PlaceListeners.on_known``."""
    release_waiting(session, community_id, "place", place_ids)


def recompile_moved(session: Session, community_id: UUID, changes: Sequence[PlaceChange]) -> None:
    """Places moved, were merged or turned out another kind: what hangs on them is folded anew.

    For ``on_changed``.
    """
    touched: set[UUID | None] = set()
    for change in changes:
        if change.is_new:
            continue
        if change.grid_id != change.old_grid_id or change.path_changed:
            touched.add(change.place_id)
        if change.merged_into != change.old_merged_into:
            touched |= {change.place_id, change.merged_into, change.old_merged_into}
    touched |= _visited_with(session, community_id, {c.place_id for c in changes if c.kind_changed})
    touched |= _corrected_at(session, community_id, {c.place_id for c in changes if c.path_changed})
    ledger.want(session, COMPILE, community_id, [str(place) for place in touched if place is not None])


def _visited_with(session: Session, community_id: UUID, places: Collection[UUID]) -> set[UUID]:
    """Every place that a visit names together with one of ``places``: what may be filled there follows its kind."""
    if not places:
        return set()
    return {*places, *places_of_families(session, community_id, families(session, community_id, places, ("visit",)))}


def _corrected_at(session: Session, community_id: UUID, places: Collection[UUID]) -> set[UUID]:
    """Every place named in a family whose root stands at one of ``places``: who may correct it follows where it is."""
    if not places:
        return set()
    correction = aliased(Record)
    corrected = exists().where(correction.community_id == community_id, correction.root_id == Record.id)
    roots = select(Record.id).where(
        Record.community_id == community_id, Record.place_id == func.any(list(places)), corrected
    )
    return places_of_families(session, community_id, set(session.scalars(roots)))


def settle(session: Session, community_id: UUID, known: Mapping[RefType, Iterable[str]]) -> set[UUID]:
    """Under the lock: forget what is no longer waited for; the places that must be compiled for it."""
    woken: set[UUID] = set()
    for ref_type, ref_ids in known.items():
        if not anything_waits(session, community_id, ref_type):
            continue
        rows = session.execute(
            delete(WaitingOn)
            .where(WaitingOn.community_id == community_id, WaitingOn.ref_type == ref_type)
            .where(WaitingOn.ref_id == func.any(list(ref_ids)))
            .returning(WaitingOn.record_id)
        )
        woken.update(row[0] for row in rows)
    return places_of_families(session, community_id, woken)
