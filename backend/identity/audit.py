"""The audit trail: who did what to what, and when. Written in the transaction of the deed itself."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import new_id
from backend.identity.models import AuditEvent


def audit(
    session: Session,
    community_id: UUID,
    action: str,
    subject: str,
    *,
    account_id: UUID | None = None,
    at_ms: int | None = None,
    **details: Any,
) -> None:
    """Record ``action`` (``role_granted``) on ``subject`` (``account:<id>``); ``details`` hold no personal data.

    ``account_id`` None: the installation itself (command line, worker). The request's id is taken from the log context.
    """
    session.execute(
        insert(AuditEvent).values(
            community_id=community_id,
            id=new_id(),
            at_ms=clock.now_ms() if at_ms is None else at_ms,
            account_id=account_id,
            action=action,
            subject=subject,
            details=details,
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        )
    )
