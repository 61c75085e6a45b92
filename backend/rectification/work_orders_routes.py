"""The office's API of work orders (交办单)."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.rectification import work_orders
from backend.rectification.errors import WorkOrderEmpty, WorkOrderNotFound
from backend.rectification.presenting import moment, named
from backend.rectification.routes import as_ms, as_uuid
from backend.rectification.work_orders import DraftKey
from backend.rectification.work_orders_schemas import (
    DraftOrderSchema,
    IssuedOrderDetailSchema,
    IssuedOrderSchema,
    IssueSchema,
)

blueprint = Blueprint("work_orders", __name__, url_prefix="/api/v1/work-orders", description="交办单 · Work orders")
ISSUES = requires("order.issue")


@blueprint.get("", guard=ISSUES)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(DraftOrderSchema))
def list_drafts(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Drafts: what is assigned and not yet on an order, by building, responsible party and closing role."""
    drafts = work_orders.list_drafts(ctx, _draft_key(query["cursor"]), query["limit"])
    found = page(drafts, query["limit"], lambda d: (d[0].site_id, d[0].responsible_party_key, d[0].closer))
    return {**found, "items": [shape for _, shape in found["items"]]}


@blueprint.post("/issue", guard=ISSUES, raises=(WorkOrderEmpty,))
@blueprint.arguments(IssueSchema)
@blueprint.response(201, IssuedOrderDetailSchema)
def issue_order(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Issue a draft: numbered and frozen. The draft is empty afterwards."""
    key = DraftKey(body["building_id"], body["responsible_party_key"], body["closer"])
    return _detail(ctx, work_orders.issue_order(ctx, key))


@blueprint.get("/issued", guard=ISSUES)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(IssuedOrderSchema))
def list_issued_orders(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Issued orders, newest first."""
    key = decode_cursor(query["cursor"], 2)
    before = None if key is None else (as_ms(key[0]), as_uuid(key[1]))
    rows = work_orders.list_issued(ctx, before, query["limit"])
    found = page(rows, query["limit"], lambda row: (row.issued_ms, row.id))
    return {**found, "items": [_shown(row) for row in found["items"]]}


@blueprint.get("/issued/<uuid:order_id>", guard=ISSUES, raises=(WorkOrderNotFound,))
@blueprint.response(200, IssuedOrderDetailSchema)
def get_issued_order(ctx: RequestContext, order_id: UUID) -> dict[str, Any]:
    """One issued order, as it was handed over."""
    return _detail(ctx, order_id)


def _detail(ctx: RequestContext, order_id: UUID) -> dict[str, Any]:
    row, snapshot = work_orders.get_issued(ctx, order_id)
    return {**_shown(row), "snapshot": snapshot}


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "building": named(row.building_id, row.building_name),
        "closer": row.closer,
        "issued": moment(row.issued_ms),
        "issued_by": named(row.issued_by, row.issuer_name),
        "tasks": row.tasks,
    }


def _draft_key(cursor: str | None) -> DraftKey | None:
    key = decode_cursor(cursor, 3)
    if key is None:
        return None
    site_id, party, closer = key
    if not all(isinstance(text, str) and text.isascii() and text.isprintable() for text in (party, closer)):
        raise BadCursor
    return DraftKey(as_uuid(site_id), party, closer)
