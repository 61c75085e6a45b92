"""The office's API of notices: drafting, issuing, printing, service, and the register."""

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Row

from backend.attachments.errors import AttachmentNotFound
from backend.attachments.service import find_attachment
from backend.documents.blocks import texts_of
from backend.http import Blueprint, RequestContext, requires
from backend.http.guards import PermissionDenied
from backend.http.paging import decode_cursor, page, page_schema
from backend.identity.audit import audit
from backend.identity.exports import mark_export
from backend.identity.models import Community
from backend.notices import drafting, errors, queries, service
from backend.notices.models import Notice
from backend.notices.printing import DOCX, PDF, file_name, print_notice
from backend.notices.queries import NoticeFilter
from backend.notices.register_export import as_csv, as_xlsx, rows_of
from backend.notices.schemas import (
    HazardsSchema,
    NewNoticeSchema,
    NewServiceSchema,
    NoticeDetailSchema,
    NoticeDraftSchema,
    NoticeFilterSchema,
    NoticeQuery,
    NoticeSchema,
)
from backend.rectification.routes import as_ms, as_uuid

blueprint = Blueprint("notices", __name__, url_prefix="/api/v1/notices", description="告知与通知文书 · Notices")
READS, ISSUES, SERVES = requires("notice.read"), requires("notice.issue"), requires(queries.SERVES)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Notices in one exported register.
MOST_EXPORTED = 5000
UNFIT = (errors.NoticeHazardUnfit, errors.NoticeHazardsApart)


def file_doc(*mimes: str) -> dict[str, Any]:
    """How a file is described."""
    content = {mime: {"schema": {"type": "string", "format": "binary"}} for mime in mimes}
    return {"responses": {"200": {"description": "The file", "content": content}}}


@blueprint.post("/draft", guard=ISSUES, raises=UNFIT)
@blueprint.arguments(HazardsSchema)
@blueprint.response(200, NoticeDraftSchema)
def draft_notice(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """What to start a 隐患整改告知书 about these hazards from. Uses no number and stores nothing."""
    return drafting.draft(ctx, body["hazard_ids"])


@blueprint.post(
    "",
    guard=ISSUES,
    raises=(
        *UNFIT,
        errors.DeadlinePast,
        errors.NoticeWording,
        errors.NoticePhotoUnknown,
        errors.NoticeReplacesWrong,
    ),
)
@blueprint.arguments(NewNoticeSchema)
@blueprint.response(201, NoticeDetailSchema)
def issue_notice(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Issue a 隐患整改告知书: numbered and frozen. A mistake is put right by a new one that replaces it."""
    return detail(ctx, service.issue_rectification(ctx, body))


@blueprint.get("", guard=READS)
@blueprint.arguments(NoticeQuery, location="query")
@blueprint.response(200, page_schema(NoticeSchema))
def list_notices(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """The register, newest first."""
    limit, key = query.pop("limit"), decode_cursor(query.pop("cursor"), 2)
    before = None if key is None else (as_ms(key[0]), as_uuid(key[1]))
    rows = queries.list_notices(ctx, NoticeFilter(**query), before, limit)
    found = page(rows, limit, lambda row: (row.issued_ms, row.id))
    return {**found, "items": [_line(ctx, row) for row in found["items"]]}


@blueprint.get("/register.csv", guard=READS)
@blueprint.arguments(NoticeFilterSchema, location="query")
@blueprint.doc(**file_doc("text/csv"))
def export_register_csv(ctx: RequestContext, query: dict[str, Any]) -> Response:
    """The register as CSV; names masked."""
    rows, mark = _exported(ctx, query)
    return _file(as_csv(rows, mark), "text/csv", "文书登记簿.csv")


@blueprint.get("/register.xlsx", guard=READS)
@blueprint.arguments(NoticeFilterSchema, location="query")
@blueprint.doc(**file_doc(XLSX))
def export_register_xlsx(ctx: RequestContext, query: dict[str, Any]) -> Response:
    """The register as a spreadsheet; names masked, marked with who made it when."""
    name = ctx.session.get_one(Community, ctx.community_id).name
    rows, mark = _exported(ctx, query)
    made = as_xlsx(rows, f"{name}告知与通知文书登记簿", f"填报单位：{name}居民委员会　{mark}")
    return _file(made, XLSX, "文书登记簿.xlsx")


@blueprint.get("/<uuid:notice_id>", guard=READS, raises=(errors.NoticeNotFound,))
@blueprint.response(200, NoticeDetailSchema)
def get_notice(ctx: RequestContext, notice_id: UUID) -> dict[str, Any]:
    """One notice, as it was issued, and how it was served."""
    return detail(ctx, notice_id)


@blueprint.get("/<uuid:notice_id>.pdf", guard=SERVES, raises=(errors.NoticeNotFound, errors.NoticeErased))
@blueprint.doc(**file_doc(PDF))
def print_notice_pdf(ctx: RequestContext, notice_id: UUID) -> Response:
    """Both copies to print (一式两份), out of what was frozen at issue."""
    return _printed(ctx, notice_id, PDF, "pdf")


@blueprint.get("/<uuid:notice_id>.docx", guard=SERVES, raises=(errors.NoticeNotFound, errors.NoticeErased))
@blueprint.doc(**file_doc(DOCX))
def print_notice_docx(ctx: RequestContext, notice_id: UUID) -> Response:
    """Both copies for WPS or Word."""
    return _printed(ctx, notice_id, DOCX, "docx")


@blueprint.post("/<uuid:notice_id>/services", guard=SERVES, raises=(errors.NoticeNotFound, errors.ServiceWrong))
@blueprint.arguments(NewServiceSchema)
@blueprint.response(201, NoticeDetailSchema)
def record_notice_service(ctx: RequestContext, body: dict[str, Any], notice_id: UUID) -> dict[str, Any]:
    """Record how it was served (送达). Records are only added; several households and several tries are several."""
    queries.get_notice(ctx, notice_id)
    service.record_service(ctx, ctx.session.get_one(Notice, (ctx.community_id, notice_id)), body)
    return detail(ctx, notice_id)


@blueprint.get(
    "/<uuid:notice_id>/services/<uuid:service_id>/copy",
    guard=SERVES,
    raises=(errors.NoticeNotFound, AttachmentNotFound),
)
@blueprint.doc(**file_doc("image/jpeg", "image/png", "application/pdf"))
def get_served_copy(ctx: RequestContext, notice_id: UUID, service_id: UUID) -> Response:
    """The photo or scan of the served copy, once it was uploaded."""
    queries.get_notice(ctx, notice_id)
    fact = queries.get_service(ctx, notice_id, service_id)
    held = fact.copy_sha256 and find_attachment(ctx.session, ctx.runtime, ctx.community_id, fact.copy_sha256)
    if not held:
        raise AttachmentNotFound
    _note(ctx, notice_id, "served_copy_read")
    return Response(held[1], mimetype=held[0])


def detail(ctx: RequestContext, notice_id: UUID) -> dict[str, Any]:
    """A notice in the shape of the API."""
    row = queries.get_notice(ctx, notice_id)
    in_full = queries.may_see_persons(ctx, row.path)
    snapshot = queries.open_snapshot(ctx, row)
    addressee = None if snapshot is None else snapshot["content"].get("addressee")
    return {
        **queries.notice_line(ctx, row, snapshot, in_full=in_full),
        "text": texts_of(snapshot["blocks"]) if snapshot is not None and in_full else None,
        "services": queries.list_services(ctx, notice_id, addressee, in_full),
    }


def _line(ctx: RequestContext, row: Row[Any]) -> dict[str, Any]:
    return queries.notice_line(ctx, row, queries.open_snapshot(ctx, row))


def _exported(ctx: RequestContext, query: dict[str, Any]) -> tuple[list[tuple[str, ...]], str]:
    """The rows, and the mark of who took them when."""
    rows = queries.list_notices(ctx, NoticeFilter(**query), None, MOST_EXPORTED)[:MOST_EXPORTED]
    return rows_of(_line(ctx, row) for row in rows), mark_export(ctx, "notice_register", rows=len(rows))


def _printed(ctx: RequestContext, notice_id: UUID, mime: str, suffix: str) -> Response:
    row = queries.get_notice(ctx, notice_id)
    if not queries.may_see_persons(ctx, row.path):
        raise PermissionDenied(permission=queries.SERVES)
    made = print_notice(ctx, row, mime)
    _note(ctx, notice_id, "notice_printed", format=suffix)
    return _file(made, mime, file_name(row, suffix))


def _note(ctx: RequestContext, notice_id: UUID, action: str, **details: Any) -> None:
    audit(
        *(ctx.session, ctx.community_id, action, f"notice:{notice_id}"),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )


def _file(content: bytes, mime: str, name: str) -> Response:
    answer = Response(content, mimetype=mime)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
