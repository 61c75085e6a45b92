"""What became of an installation's quarantined records, in the feed."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from backend.sync.feed import device_scope
from backend.sync.feed_entities import FeedEntity, FeedRow
from backend.sync.models import Quarantine
from backend.sync.quarantine import ACCEPTED
from mobile_contract.sync.outcomes import StatusChange


def _accepted(community_id: UUID) -> Any:
    return (
        select(Quarantine.record_id, Quarantine.install_id)
        .ext(distinct_on(Quarantine.record_id))
        .where(Quarantine.community_id == community_id, Quarantine.state == ACCEPTED)
        .where(Quarantine.record_id.is_not(None), Quarantine.install_id.is_not(None))
        .order_by(Quarantine.record_id)
    )


def _load(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    wanted = [UUID(record_id) for record_id in ids]
    rows = session.execute(_accepted(community_id).where(Quarantine.record_id == func.any(wanted)))
    return {str(row[0]): _row(row) for row in rows}


def _after(session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int) -> list[FeedRow]:
    install_id = UUID(scope_id.partition(":")[2])
    found = _accepted(community_id).where(Quarantine.install_id == install_id)
    if after_id is not None:
        found = found.where(Quarantine.record_id > UUID(after_id))
    return [_row(row) for row in session.execute(found.limit(limit))]


def _row(row: Any) -> FeedRow:
    data = {"status": StatusChange.ACCEPTED.value, "errors": []}
    return FeedRow(str(row[0]), 1, device_scope(row[1]), data)


RECORD_STATUS: Final = FeedEntity("record_status", "device", _load, _after)
