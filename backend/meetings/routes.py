"""The office's API of papers. A reader who is bound to some grids sees issued papers, and receipts of those grids."""

from typing import Any
from uuid import UUID

from flask import Response

from backend.clock import iso
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.identity.exports import marked_page
from backend.meetings import errors, queries, service
from backend.meetings.html import paper_page, receipts_page
from backend.meetings.labels import load_labels
from backend.meetings.making import EVERY_FIGURE, JOB
from backend.meetings.models import Paper, PaperFile
from backend.meetings.paper_files import PRINTED_ROWS, paper_work
from backend.meetings.paper_ledger import read_rows
from backend.meetings.periods import period_from
from backend.meetings.plan import plan_of
from backend.meetings.receipts import definition_of, describe_rows, figure_label
from backend.meetings.schemas import (
    PaperDetailSchema,
    PaperQuery,
    PaperRequestSchema,
    PaperSchema,
    ReceiptPageSchema,
)
from backend.meetings.seals import verify_paper
from mobile_contract.forms.definition import SAFE_INTEGER

blueprint = Blueprint("meetings", __name__, url_prefix="/api/v1", description="例会简报 · The meeting's papers")
AS_PAGE = {
    "200": {
        "description": "可打印的页面 · A page that prints",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}
READS = requires("paper.read")
#: A paper speaks for the whole community.
MAKES, ISSUES = requires("paper.make"), requires("paper.issue")


def shown(paper: Paper) -> dict[str, Any]:
    """A paper as PaperSchema wants it."""
    period = period_from(paper.kind, paper.period_start_ms)
    return {
        "id": paper.id,
        "kind": paper.kind,
        "year": paper.year,
        "issue": paper.issue,
        "number": period.number,
        "first_day": period.first,
        "last_day": period.last,
        "state": paper.state,
        "cutoff": iso(paper.cutoff_ms),
        "issued": iso(paper.issued_ms),
        "sha256": paper.sha256,
    }


def readable(ctx: RequestContext, paper_id: UUID) -> Paper:
    """The paper, if the caller may read it: drafts only by those who answer for the whole community."""
    return queries.get_paper(ctx.session, ctx.community_id, paper_id, issued_only=bool(ctx.actor.scope_paths))


@blueprint.get("/papers", guard=READS)
@blueprint.arguments(PaperQuery, location="query")
@blueprint.response(200, page_schema(PaperSchema))
def list_papers(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Papers, newest period first."""
    rows = queries.list_papers(
        ctx.session,
        ctx.community_id,
        kind=query["kind"],
        issued_only=bool(ctx.actor.scope_paths),
        after=key_of(query["cursor"]),
        limit=query["limit"],
    )
    return page(
        [shown(p) | {"start": p.period_start_ms} for p in rows], query["limit"], lambda p: (p["start"], p["id"])
    )


def key_of(cursor: str | None) -> tuple[int, UUID] | None:
    """The sort key in a cursor of papers; BadCursor."""
    key = decode_cursor(cursor, 2)
    try:
        return None if key is None else (ordinal(key[0], SAFE_INTEGER), UUID(key[1]))
    except (TypeError, ValueError, AttributeError) as error:
        raise BadCursor from error


def ordinal(value: Any, most: int) -> int:
    """A whole number from 0 to ``most`` out of a cursor; BadCursor."""
    if not isinstance(value, int) or not 0 <= value <= most:
        raise BadCursor
    return value


@blueprint.post("/papers", guard=MAKES, raises=(errors.PeriodNotBegun,))
@blueprint.arguments(PaperRequestSchema)
@blueprint.response(202, PaperSchema)
def request_paper(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Have the paper of a period made, or its draft made again. An issued paper is answered as it is."""
    period = plan_of(ctx.session, ctx.community_id).period_of(body["kind"], body["period_start"])
    paper = service.request_paper(ctx.session, ctx.community_id, period, ctx.now_ms, ctx.actor.account_id)
    ctx.ring(JOB)
    return shown(paper)


@blueprint.get("/papers/<uuid:paper_id>", guard=READS, raises=(queries.PaperNotFound,))
@blueprint.response(200, PaperDetailSchema)
def get_paper(ctx: RequestContext, paper_id: UUID) -> dict[str, Any]:
    """A paper with its figures, sections and sentences, and whether its seal holds (null for a draft)."""
    paper = readable(ctx, paper_id)
    holds = verify_paper(ctx.session, paper) if paper.state == "issued" else None
    work = paper_work(ctx.session, ctx.community_id, paper_id)
    return {**shown(paper), "content": paper.content, "seal_holds": holds, **work}


@blueprint.get("/papers/<uuid:paper_id>.html", guard=READS, raises=(queries.PaperNotFound, errors.PaperNotReady))
@blueprint.doc(responses=AS_PAGE)
def get_paper_page(ctx: RequestContext, paper_id: UUID) -> Response:
    """A paper as a page that prints on A4."""
    paper = readable(ctx, paper_id)
    if paper.content is None:
        raise errors.PaperNotReady
    made = ctx.session.get(PaperFile, (ctx.community_id, paper_id, "html"))
    if made is not None:
        page = made.body.decode()
    else:
        page = paper_page(paper, list(read_rows(ctx.session, ctx.community_id, paper_id, PRINTED_ROWS)))
    return Response(marked_page(ctx, "paper", page, paper=str(paper_id)), mimetype="text/html")


@blueprint.post(
    "/papers/<uuid:paper_id>/issue",
    guard=ISSUES,
    raises=(
        queries.PaperNotFound,
        errors.PaperIssued,
        errors.PaperNotReady,
        errors.PeriodNotOver,
        errors.IdentityBroken,
    ),
)
@blueprint.response(200, PaperSchema)
def issue_paper(ctx: RequestContext, paper_id: UUID) -> dict[str, Any]:
    """Issue a draft: numbered, sealed, and never changed again."""
    return shown(
        service.issue_paper(ctx.session, ctx.runtime, ctx.community_id, paper_id, ctx.now_ms, ctx.actor.account_id)
    )


@blueprint.get(
    "/papers/<uuid:paper_id>/figures/<string:key>/rows",
    guard=READS,
    raises=(queries.PaperNotFound, queries.FigureNotFound),
)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, ReceiptPageSchema)
def list_receipts(ctx: RequestContext, query: dict[str, Any], paper_id: UUID, key: str) -> dict[str, Any]:
    """The rows behind one number of a paper."""
    return receipts(ctx, query, paper_id, key)


@blueprint.get(
    "/papers/<uuid:paper_id>/figures/<string:key>.html",
    guard=READS,
    raises=(queries.PaperNotFound, queries.FigureNotFound),
)
@blueprint.arguments(PageQuery, location="query")
@blueprint.doc(responses=AS_PAGE)
def get_receipts_page(ctx: RequestContext, query: dict[str, Any], paper_id: UUID, key: str) -> Response:
    """The rows behind one number of a paper, as a page."""
    found = receipts(ctx, query, paper_id, key)
    detail = definition_of(EVERY_FIGURE, key).detail
    html = receipts_page(readable(ctx, paper_id), found, detail)
    return Response(marked_page(ctx, "receipts", html, paper=str(paper_id), figure=key), mimetype="text/html")


def receipts(ctx: RequestContext, query: dict[str, Any], paper_id: UUID, key: str) -> dict[str, Any]:
    """A page of receipts within the caller's scope."""
    readable(ctx, paper_id)
    definition = definition_of(EVERY_FIGURE, key)
    figure = queries.get_figure(ctx.session, ctx.community_id, paper_id, key)
    after = decode_cursor(query["cursor"], 1)
    rows = queries.list_figure_rows(
        ctx.session,
        figure,
        scope=ctx.actor.scope_paths,
        after_n=ordinal(after[0], 2**31 - 1) if after else 0,
        limit=query["limit"],
    )
    labels = load_labels(ctx.session, ctx.community_id)
    found = page(rows, query["limit"], lambda row: (row.n,))
    return {
        "key": key,
        "label": figure_label(EVERY_FIGURE, labels, key),
        "unit": definition.unit,
        "meaning": definition.meaning,
        "value": figure.value,
        "items": describe_rows(ctx.session, ctx.community_id, figure, found["items"], labels),
        "next_cursor": found["next_cursor"],
    }
