"""Reads for the office: the quarantine, records, what waits, and how much there is."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from backend.inspections.models import Record, WaitingOn
from backend.sync.models import Quarantine
from backend.sync.quarantine import DISMISSED, HELD, KEPT


def list_quarantine(
    session: Session, community_id: UUID, wanted: dict[str, Any], before: UUID | None, limit: int
) -> Sequence[Quarantine]:
    """Up to ``limit + 1`` rows, newest first; ``wanted`` narrows by column."""
    found = select(Quarantine).where(Quarantine.community_id == community_id)
    for name, value in wanted.items():
        if value is not None:
            found = found.where(getattr(Quarantine, name) == value)
    if before is not None:
        found = found.where(Quarantine.id < before)
    return session.scalars(found.order_by(Quarantine.id.desc()).limit(limit + 1)).all()


def superseded(session: Session, community_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Those of the quarantine rows ``ids`` whose record a phone brought again later, in bytes that could be stored."""
    if not ids:
        return set()
    found = (
        select(Quarantine.id)
        .join(Record, (Record.community_id == Quarantine.community_id) & (Record.id == Quarantine.record_id))
        .where(Quarantine.community_id == community_id, Quarantine.id == func.any(list(ids)))
        .where(Quarantine.state.in_(KEPT), Record.repaired_from.is_(None))
        .where(Record.received_at > Quarantine.received_at)
    )
    return set(session.scalars(found))


def list_waiting(session: Session, community_id: UUID, after: tuple[str, str, str] | None, limit: int) -> Sequence[Any]:
    """Up to ``limit + 1`` rows of what records wait for, by record."""
    found = (
        select(WaitingOn, Record.type, Record.author_id, Record.effective_ms)
        .join(Record, (Record.community_id == WaitingOn.community_id) & (Record.id == WaitingOn.record_id))
        .where(WaitingOn.community_id == community_id)
        .order_by(WaitingOn.record_id, WaitingOn.ref_type, WaitingOn.ref_id)
        .limit(limit + 1)
    )
    if after is not None:
        record_id, ref_type, ref_id = after
        key = func.row(WaitingOn.record_id, WaitingOn.ref_type, WaitingOn.ref_id)
        found = found.where(key > func.row(UUID(record_id), ref_type, ref_id))
    return session.execute(found).all()


def references_of(session: Session, community_id: UUID, record_id: UUID) -> list[dict[str, str]]:
    """What one record waits for."""
    rows = session.execute(
        select(WaitingOn.ref_type, WaitingOn.ref_id)
        .where(WaitingOn.community_id == community_id, WaitingOn.record_id == record_id)
        .order_by(WaitingOn.ref_type, WaitingOn.ref_id)
    )
    return [{"ref_type": row[0], "ref_id": row[1]} for row in rows]


def summary(session: Session, community_id: UUID) -> dict[str, Any]:
    """How many records are stored (by type), quarantined, dismissed, and waiting."""
    by_type = session.execute(
        select(Record.type, func.count()).where(Record.community_id == community_id).group_by(Record.type)
    )
    counts = {row[0]: row[1] for row in by_type}
    kept = session.execute(
        select(func.count().filter(Quarantine.state == HELD), func.count().filter(Quarantine.state == DISMISSED)).where(
            Quarantine.community_id == community_id, Quarantine.state.in_(KEPT)
        )
    ).one()
    waiting = session.scalar(
        select(func.count(distinct(WaitingOn.record_id))).where(WaitingOn.community_id == community_id)
    )
    return {
        "records": sum(counts.values()),
        "by_type": counts,
        "quarantined": kept[0],
        "dismissed": kept[1],
        "waiting": waiting or 0,
    }
