"""Facts about places in the database: stored once, loaded with all that they name."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from backend.places.events import PlaceFact
from backend.places.models import PlaceEvent

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
    session.execute(
        text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(community_id)}
    )


def _lock_key(community_id: UUID) -> int:
    return int.from_bytes(
        (community_id.int ^ 0x506C616365).to_bytes(16, "big")[8:], "big", signed=True
    )


def store_facts(
    session: Session, community_id: UUID, facts: Iterable[PlaceFact]
) -> list[PlaceFact]:
    """Insert facts and return those that were not here as they are. Facts are immutable, but for one case: a proposal
    follows its record, so an amended, voided or better dated proposal replaces what was stored under its id.
    """
    given = {fact.id: fact for fact in facts}
    found = session.scalars(
        select(PlaceEvent).where(
            PlaceEvent.community_id == community_id, PlaceEvent.id.in_(given)
        )
    )
    known = {row.id: fact_of(row) for row in found}
    new = [fact for fact in given.values() if fact.id not in known]
    mended = [
        f
        for f in given.values()
        if f.id in known and f.kind == "proposed" and f != known[f.id]
    ]
    connection = session.connection()
    if new:
        connection.execute(
            insert(PlaceEvent), [_row(community_id, fact) for fact in new]
        )
    if mended:
        connection.execute(
            update(PlaceEvent)
            .where(
                PlaceEvent.community_id == community_id,
                PlaceEvent.id == bindparam("fact_id"),
            )
            .values(
                {
                    c: bindparam(c)
                    for c in ("effective_ms", "install_id", "target_id", "data")
                }
            ),
            [{**_row(community_id, fact), "fact_id": fact.id} for fact in mended],
        )
    session.expire_all()
    return new + mended


def load_facts(
    session: Session, community_id: UUID, place_ids: Sequence[UUID]
) -> list[PlaceFact]:
    """All facts of places and of every place these name as parent or survivor, directly or through others."""
    rows = session.execute(_UP, {"ids": list(place_ids), "community": community_id})
    return [PlaceFact(**row) for row in rows.mappings()]


def list_naming(
    session: Session, community_id: UUID, place_ids: Sequence[UUID]
) -> set[UUID]:
    """``place_ids`` and all places whose facts name them, directly or through others; known or waiting."""
    return set(
        session.scalars(_DOWN, {"ids": list(place_ids), "community": community_id})
    )


def fact_of(row: PlaceEvent) -> PlaceFact:
    """A stored row as a fact."""
    return PlaceFact(
        id=row.id,
        place_id=row.place_id,
        kind=row.kind,
        effective_ms=row.effective_ms,
        target_id=row.target_id,
        install_id=row.install_id,
        seq=row.seq,
        actor_id=row.actor_id,
        data=row.data,
    )


def _row(community_id: UUID, fact: PlaceFact) -> dict[str, object]:
    return {
        "community_id": community_id,
        "id": fact.id,
        "place_id": fact.place_id,
        "kind": fact.kind,
        "effective_ms": fact.effective_ms,
        "target_id": fact.target_id,
        "install_id": fact.install_id,
        "seq": fact.seq,
        "actor_id": fact.actor_id,
        "data": dict(fact.data),
    }
