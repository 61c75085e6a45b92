"""Rotation of a community's key: every record key is wrapped anew under the newest one; the archive is not touched.

A key that wraps nothing any more is destroyed by a later rotation, once nobody can still be writing with it.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from backend.identity.keys import Sealer
from backend.identity.models import CommunityKey
from backend.inspections.models import RecordKey

BATCH: Final = 1000
#: Longer than any transaction that may have begun before its successor was made.
RETIRED_FOR: Final = timedelta(days=1)


def rewrap_keys(session: Session, sealer: Sealer, community_id: UUID, limit: int = BATCH) -> int:
    """Wrap up to ``limit`` record keys of older versions under the newest; how many (0: none is left).

    Past those that somebody else holds: what is being erased or sealed this moment is found by the next call.
    """
    old = (
        select(RecordKey.record_id, RecordKey.key_version, RecordKey.wrapped)
        .where(RecordKey.community_id == community_id, RecordKey.key_version < sealer.newest)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(old).all()
    for record_id, version, wrapped in rows:
        newest, rewrapped = sealer.rewrap(record_id, version, wrapped)
        session.execute(
            update(RecordKey)
            .where(RecordKey.community_id == community_id, RecordKey.record_id == record_id)
            .values(key_version=newest, wrapped=rewrapped)
        )
    return len(rows)


def destroy_retired_keys(session: Session, community_id: UUID) -> int:
    """Destroy the community's keys that wrap nothing and were followed by another a day ago or more; how many."""
    later = aliased(CommunityKey)
    followed = select(later.version).where(
        later.community_id == CommunityKey.community_id,
        later.version > CommunityKey.version,
        later.created_at < func.now() - RETIRED_FOR,
    )
    used = select(RecordKey.key_version).where(RecordKey.community_id == community_id)
    gone = session.execute(
        delete(CommunityKey)
        .where(CommunityKey.community_id == community_id, followed.exists(), CommunityKey.version.not_in(used))
        .returning(CommunityKey.version)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)
