"""The inbox of whoever is signed in. Asking whether anything changed is cheap: the answers bear a tag (ETag)."""

import hashlib
from typing import Any
from uuid import UUID

from flask import Response, request

from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, decode_cursor, page, page_schema
from backend.notifications import inbox
from backend.notifications.schemas import InboxQuery, MarkReadSchema, NotificationSchema, UnreadSchema
from backend.notifications.texts import text_of

blueprint = Blueprint("notifications", __name__, url_prefix="/api/v1", description="通知 · Notifications")
READS = requires("task.read")
NOT_CHANGED = {"responses": {"304": {"description": "与 If-None-Match 相同 · As If-None-Match has it"}}}
Answer = Response | tuple[dict[str, Any], int, dict[str, str]]


@blueprint.get("/notifications", guard=READS)
@blueprint.doc(**NOT_CHANGED)
@blueprint.arguments(InboxQuery, location="query")
@blueprint.response(200, page_schema(NotificationSchema))
def list_notifications(ctx: RequestContext, query: dict[str, Any]) -> Answer:
    """What the caller was told, the newest first."""
    _, tag = _state(ctx)
    tag = hashlib.sha256(repr((tag, sorted(query.items()))).encode()).hexdigest()[:24]
    if request.if_none_match.contains(tag):
        return _unchanged(tag)
    rows = inbox.list_notifications(
        ctx.session,
        ctx.community_id,
        ctx.actor.account_id,
        ctx.actor.scope_paths,
        read=None if query["state"] == "all" else query["state"] == "read",
        before=_before(query["cursor"]),
        limit=query["limit"],
    )
    found = page([shown(row) for row in rows], query["limit"], lambda item: (item["id"],))
    return found, 200, {"ETag": f'"{tag}"'}


@blueprint.get("/notifications/unread", guard=READS)
@blueprint.doc(**NOT_CHANGED)
@blueprint.response(200, UnreadSchema)
def count_unread(ctx: RequestContext) -> Answer:
    """How many the caller has not read yet."""
    unread, tag = _state(ctx)
    if request.if_none_match.contains(tag):
        return _unchanged(tag)
    return {"unread": unread}, 200, {"ETag": f'"{tag}"'}


@blueprint.post("/notifications/read", guard=READS)
@blueprint.arguments(MarkReadSchema)
@blueprint.response(200, UnreadSchema)
def mark_read(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Mark as read: some, or all. Others' and unknown ids change nothing."""
    inbox.mark_read(ctx.session, ctx.community_id, ctx.actor.account_id, body["ids"], ctx.now_ms)
    return {"unread": _state(ctx)[0]}


def _state(ctx: RequestContext) -> tuple[int, str]:
    return inbox.inbox_state(ctx.session, ctx.community_id, ctx.actor.account_id, ctx.actor.scope_paths)


def _unchanged(tag: str) -> Response:
    return Response(status=304, headers={"ETag": f'"{tag}"'})


def _before(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    try:
        return None if key is None else UUID(key[0])
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCursor from error


def shown(row: Any) -> dict[str, Any]:
    """A notification in the shape of the API."""
    names = ("id", "kind", "hazard_id", "told_ms", "read_ms")
    return {**{name: getattr(row, name) for name in names}, "text": text_of(row.kind, row.said)}
