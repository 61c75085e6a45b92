"""A paper's documents, and when papers are made."""

from typing import Any
from uuid import UUID

from flask import Response

from backend.http import Blueprint, RequestContext, requires
from backend.identity.exports import mark_export
from backend.meetings import errors, queries
from backend.meetings.paper_files import FORMATS, file_name, get_file
from backend.meetings.plan import Plan, plan_of, set_plan
from backend.meetings.routes import ISSUES, READS, readable
from backend.meetings.schemas import PaperPlanSchema

blueprint = Blueprint("documents", __name__, url_prefix="/api/v1", description="简报文档 · Documents of papers")
RAISES = (queries.PaperNotFound, errors.PaperFileNotReady)


def as_file(name: str) -> dict[str, Any]:
    """The description of an answer that is a document."""
    content = {FORMATS[name].mime: {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {"200": {"description": "The document · 文档", "content": content}}}


def file_answer(body: bytes, name: str, saved_as: str) -> Response:
    """A document that a browser saves."""
    answer = Response(body, mimetype=FORMATS[name].mime)
    answer.headers.set("Content-Disposition", "attachment", filename=saved_as)
    return answer


@blueprint.get("/papers/<uuid:paper_id>.pdf", guard=READS, raises=RAISES)
@blueprint.doc(**as_file("pdf"))
def get_paper_pdf(ctx: RequestContext, paper_id: UUID) -> Response:
    """A paper to print. Of an issued one the same bytes for ever."""
    return _document(ctx, paper_id, "pdf")


@blueprint.get("/papers/<uuid:paper_id>.docx", guard=READS, raises=RAISES)
@blueprint.doc(**as_file("docx"))
def get_paper_docx(ctx: RequestContext, paper_id: UUID) -> Response:
    """A paper for WPS and Word. Of an issued one the same bytes for ever."""
    return _document(ctx, paper_id, "docx")


@blueprint.get("/papers/<uuid:paper_id>.xlsx", guard=READS, raises=RAISES)
@blueprint.doc(**as_file("xlsx"))
def get_paper_ledger(ctx: RequestContext, paper_id: UUID) -> Response:
    """The whole ledger attached to a paper. Of an issued one the same bytes for ever."""
    return _document(ctx, paper_id, "xlsx")


def _document(ctx: RequestContext, paper_id: UUID, name: str) -> Response:
    paper = readable(ctx, paper_id)
    found = get_file(ctx.session, paper, name)
    # Who took it is in the audit trail and not in the file: its bytes are those of the paper.
    mark_export(ctx, "paper", paper=str(paper_id), format=name)
    answer = file_answer(found.body, name, file_name(paper.content or {}, name))
    answer.set_etag(found.sha256)
    return answer


@blueprint.get("/paper-plan", guard=requires("paper.read"))
@blueprint.response(200, PaperPlanSchema)
def get_paper_plan(ctx: RequestContext) -> Plan:
    """Which papers are made by themselves, and when."""
    return plan_of(ctx.session, ctx.community_id)


@blueprint.put("/paper-plan", guard=ISSUES)
@blueprint.arguments(PaperPlanSchema)
@blueprint.response(200, PaperPlanSchema)
def set_paper_plan(ctx: RequestContext, body: dict[str, Any]) -> Plan:
    """Change when papers are made. Papers that are there keep their periods and numbers."""
    plan = Plan(**{**body, "kinds": tuple(dict.fromkeys(body["kinds"]))})
    set_plan(ctx.session, ctx.community_id, plan, ctx.now_ms, ctx.actor.account_id)
    return plan
