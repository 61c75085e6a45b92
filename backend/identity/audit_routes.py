"""The office's API of the audit trail: search, export, proof."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from flask import Response

from backend import clock
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, decode_cursor, page, page_schema
from backend.http.spreadsheets import BYTE_ORDER_MARK, csv_line
from backend.identity import trail
from backend.identity.audit_schemas import AuditChainSchema, AuditEventSchema, AuditFilter, AuditQuery, ChainQuery
from backend.identity.exports import mark_export

blueprint = Blueprint(
    "audit", __name__, url_prefix="/api/v1", description="审计 · The audit trail: search, export, proof"
)
READS = requires("audit.read")
COLUMNS = ("序号", "时间", "账号", "操作", "对象", "详情", "请求编号", "链值")


@blueprint.get("/audit-events", guard=READS)
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, page_schema(AuditEventSchema))
def list_audit_events(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """The audit trail of the community, newest first; by who, what, on what, and when."""
    limit, key = query.pop("limit"), decode_cursor(query.pop("cursor"), 2)
    before = None if key is None else _position(key)
    rows = trail.list_audit_events(ctx.session, ctx.community_id, query, before, limit)
    return page(rows, limit, lambda e: [e.at_ms, e.id])


@blueprint.get("/audit-events.csv", guard=READS)
@blueprint.arguments(AuditFilter, location="query")
@blueprint.doc(responses={"200": {"description": "A table", "content": {"text/csv": {}}}})
def export_audit_events(ctx: RequestContext, query: dict[str, Any]) -> Response:
    """The same as a file, oldest first, with number and hash of each event's link: kept elsewhere, it proves the
    trail. The export is an event itself."""
    watermark = mark_export(ctx, "audit_trail", filters=sorted(name for name in query if query[name] is not None))
    db, community_id = ctx.runtime.db, ctx.community_id

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK + csv_line([watermark])
        yield csv_line(COLUMNS)
        with db.transaction([community_id]) as session:
            for event, n, hashed in trail.linked_events(session, community_id, query):
                yield csv_line(_cells(event, n, hashed))

    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(lines(), mimetype="text/csv", headers=headers)


@blueprint.get("/audit-chain", guard=READS)
@blueprint.arguments(ChainQuery, location="query")
@blueprint.response(200, AuditChainSchema)
def verify_audit_chain(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Compute the chain of all events again. ``known_n`` and ``known_hash``: a link out of an earlier export."""
    known = None
    if query["known_n"] is not None and query["known_hash"] is not None:
        known = trail.Head(query["known_n"], query["known_hash"])
    report = trail.verify_chain(ctx.session, ctx.community_id, known)
    return {
        "is_whole": report.is_whole,
        "head": report.head,
        "broken": [{"n": n, "event_id": event_id} for n, event_id in report.broken],
        "unlinked": report.unlinked,
        "known_holds": report.known_holds,
    }


def _cells(event: Any, n: int, hashed: str) -> list[Any]:
    details = orjson.dumps(event.details).decode()
    who = event.account_id or "系统"
    return [n, clock.iso(event.at_ms), who, event.action, event.subject, details, event.request_id, hashed]


def _position(key: list[Any]) -> tuple[int, UUID]:
    if type(key[0]) is not int or abs(key[0]) > 2**53:
        raise BadCursor
    try:
        return key[0], UUID(key[1])
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor from error
