"""The audit trail: who did what to what, and when. Written in the transaction of the deed itself."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import new_id
from backend.http.context import RequestContext
from backend.identity.models import AuditEvent

#: In a session's notes: something was written into the trail in this transaction.
_NOTED: Final = "audited"


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
    session.info[_NOTED] = True
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


def note_write(ctx: RequestContext, permission: str | None, call: str, url_values: Mapping[str, Any]) -> None:
    """Note a call that changed something and whose feature wrote no event by itself. Ids only, nothing of the body."""
    if ctx.session.info.get(_NOTED):
        return
    name, value = next(iter(url_values.items()), ("community_id", ctx.community_id))
    audit(
        ctx.session,
        ctx.community_id,
        permission or "changed",
        f"{name.removesuffix('_id')}:{value}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        call=call,
    )
