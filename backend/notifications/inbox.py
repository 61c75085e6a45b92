"""An account's inbox: what it was told and may still see. ``scope``: ltree paths it is limited to; empty: no limit."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select, update
from sqlalchemy.orm import Session

from backend.hazards.models import Hazard
from backend.notifications.models import Notification
from backend.places.models import Place
from backend.places.queries import in_scope


def _own(community_id: UUID, account_id: UUID, scope: Sequence[str], *columns: Any) -> Select[Any]:
    """Of what the account was told, that about hazards at places it is still responsible for."""
    n = Notification
    return (
        select(*columns)
        .select_from(n)
        .join(Hazard, and_(Hazard.community_id == n.community_id, Hazard.id == n.hazard_id))
        .join(Place, and_(Place.community_id == Hazard.community_id, Place.id == Hazard.place_id))
        .where(n.community_id == community_id, n.account_id == account_id, in_scope(scope))
    )


def list_notifications(
    session: Session,
    community_id: UUID,
    account_id: UUID,
    scope: Sequence[str],
    *,
    read: bool | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` notifications, the newest first. ``read`` None: read ones and unread ones."""
    n = Notification
    found = _own(community_id, account_id, scope, n.id, n.kind, n.hazard_id, n.said, n.told_ms, n.read_ms)
    if read is not None:
        found = found.where(n.read_ms.is_not(None) if read else n.read_ms.is_(None))
    if before is not None:
        found = found.where(n.id < before)
    return session.execute(found.order_by(n.id.desc()).limit(limit + 1)).all()


def inbox_state(session: Session, community_id: UUID, account_id: UUID, scope: Sequence[str]) -> tuple[int, str]:
    """How many are unread, and a tag that changes whenever the inbox does."""
    n = Notification
    unread = func.count().filter(n.read_ms.is_(None))
    counted = _own(community_id, account_id, scope, unread, func.count(), func.max(n.told_ms), func.max(n.read_ms))
    row = session.execute(counted).one()
    tag = hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:24]
    return row[0], tag


def mark_read(
    session: Session, community_id: UUID, account_id: UUID, ids: Collection[UUID] | None, now_ms: int
) -> None:
    """Mark these of the account's own (None: all) as read; what is read already keeps its time."""
    n = Notification
    marked = update(n).where(n.community_id == community_id, n.account_id == account_id, n.read_ms.is_(None))
    if ids is not None:
        marked = marked.where(n.id.in_(ids))
    session.execute(marked.values(read_ms=now_ms))
