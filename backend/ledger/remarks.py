"""What people write into the ledger's own columns: facts, sealed, the newest word on each column counting."""

from collections.abc import Collection, Mapping
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.identity.keys import Sealed, Sealer
from backend.inspections.models import RecordKey
from backend.ledger.columns import REMARKS
from backend.ledger.models import LedgerRemark


def add_remark(
    session: Session,
    sealer: Sealer,
    community_id: UUID,
    hazard_id: UUID,
    said: Mapping[str, str],
    *,
    now_ms: int,
    actor_id: UUID,
) -> None:
    """Keep what was written into ``said``'s columns of a hazard's line (an empty text wipes a column)."""
    remark_id = new_id()
    sealed = sealer.seal(remark_id, orjson.dumps({key: said[key] for key in REMARKS if key in said}))
    session.add(
        LedgerRemark(
            community_id=community_id,
            id=remark_id,
            hazard_id=hazard_id,
            sealed=sealed.body,
            at_ms=now_ms,
            actor_id=actor_id,
        )
    )
    session.add(
        RecordKey(
            community_id=community_id, record_id=remark_id, key_version=sealed.key_version, wrapped=sealed.wrapped
        )
    )


def find_remarks(
    session: Session, sealer: Sealer, community_id: UUID, hazard_ids: Collection[UUID]
) -> dict[UUID, dict[str, str]]:
    """Hazard → its remark columns, all of them; only hazards that have a remark which was not lawfully erased."""
    r = LedgerRemark
    rows = session.execute(
        select(r.hazard_id, r.id, r.sealed, RecordKey.key_version, RecordKey.wrapped)
        .join(RecordKey, (RecordKey.community_id == r.community_id) & (RecordKey.record_id == r.id))
        .where(r.community_id == community_id, r.hazard_id == func.any(list(hazard_ids)))
        .order_by(r.at_ms, r.id)
    )
    found: dict[UUID, dict[str, str]] = {}
    for row in rows:
        said = orjson.loads(sealer.open(row.id, Sealed(row.sealed, row.key_version, row.wrapped)))
        found.setdefault(row.hazard_id, dict.fromkeys(REMARKS, "")).update(said)
    return found
