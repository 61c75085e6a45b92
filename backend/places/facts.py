"""Facts about places in the database: stored once, loaded with all that they name."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Uuid, any_, bindparam, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.bulk import BulkInsert
from backend.places.events import PlaceFact
from backend.places.models import PlaceEvent

FACT: Final = ("id", "place_id", "kind", "effective_ms", "target_id", "install_id", "seq", "actor_id", "data")
_TABLE = PlaceEvent.__table__
_INSERT = BulkInsert(PlaceEvent, FACT, constants=("community_id",), conflict="")
_IDS = ARRAY(Uuid())
_UP = text(
    """
    WITH RECURSIVE named(id) AS (
        SELECT unnest(:ids)
        UNION
        SELECT e.target_id FROM named JOIN place_event e ON e.community_id = :community AND e.place_id = named.id
        WHERE e.target_id IS NOT NULL)
    SELECT e.id, e.place_id, e.kind, e.effective_ms, e.target_id, e.install_id, e.seq, e.actor_id, e.data
    FROM named JOIN place_event e ON e.community_id = :community AND e.place_id = named.id
    """
).bindparams(bindparam("ids", type_=_IDS))
_DOWN = text(
    """
    WITH RECURSIVE naming(id) AS (
        SELECT unnest(:ids)
        UNION
        SELECT e.place_id FROM naming JOIN place_event e ON e.community_id = :community AND e.target_id = naming.id)
    SELECT id FROM naming
    """
).bindparams(bindparam("ids", type_=_IDS))


def among(column: InstrumentedAttribute[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    """``column`` is one of ``ids``; one parameter however many they are."""
    return column == any_(literal(list(ids), _IDS))


def hold_places(session: Session, community_id: UUID) -> None:
    """Keep the community's tree as it is until this transaction ends; others may hold it too.

    Who notes that a record waits for an unknown place must hold the tree from before looking the place up until the
    commit; otherwise the place may become known in between and nobody wakes the record.
    """
    session.execute(
        text("SELECT pg_advisory_xact_lock_shared(:key)"),
        {"key": _lock_key(community_id)},
    )


def lock_places(session: Session, community_id: UUID) -> None:
    """Be the only one to change the community's tree until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(community_id)})


def _lock_key(community_id: UUID) -> int:
    return int.from_bytes((community_id.int ^ 0x506C616365).to_bytes(16, "big")[8:], "big", signed=True)


def store_facts(session: Session, community_id: UUID, facts: Iterable[PlaceFact]) -> list[PlaceFact]:
    """Insert facts and return those that were not here as they are. Facts are immutable, but for one case: a proposal
    follows its record, so an amended, voided or better dated proposal replaces what was stored under its id.
    """
    given = {fact.id: fact for fact in facts}
    found = select(*(_TABLE.c[name] for name in FACT)).where(
        PlaceEvent.community_id == community_id, among(PlaceEvent.id, given)
    )
    known = {row["id"]: PlaceFact(**row) for row in session.execute(found).mappings()}
    new = [fact for fact in given.values() if fact.id not in known]
    mended = [f for f in given.values() if f.id in known and f.kind == "proposed" and f != known[f.id]]
    _INSERT.run(session, list(zip(*map(_row, new), strict=True)) or [[]], community_id=community_id)
    if mended:
        columns = [name for name in FACT if name not in ("id", "kind", "place_id")]
        session.connection().execute(
            update(PlaceEvent)
            .where(PlaceEvent.community_id == community_id, PlaceEvent.id == bindparam("fact_id"))
            .values({name: bindparam(f"new_{name}") for name in columns}),
            [{"fact_id": f.id, **{f"new_{n}": getattr(f, n) for n in columns}} for f in mended],
        )
    return new + mended


def load_facts(session: Session, community_id: UUID, place_ids: Sequence[UUID]) -> list[PlaceFact]:
    """All facts of places, of every place these name as parent or survivor, directly or through others, and of the
    root (where places land that name each other in a circle)."""
    rows = session.execute(_UP, {"ids": [*place_ids, community_id], "community": community_id})
    return [PlaceFact(**row) for row in rows.mappings()]


def list_naming(session: Session, community_id: UUID, place_ids: Sequence[UUID]) -> set[UUID]:
    """``place_ids`` and all places whose facts name them, directly or through others; known or waiting."""
    return set(session.scalars(_DOWN, {"ids": list(place_ids), "community": community_id}))


def _row(fact: PlaceFact) -> list[object]:
    values: list[object] = [getattr(fact, name) for name in FACT[:-1]]
    return [*values, orjson.dumps(fact.data).decode()]
