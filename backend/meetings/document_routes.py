"""A paper's documents, and when papers are made."""

from typing import Any
from uuid import UUID

from flask import Response

from backend.http import Blueprint, RequestContext, requires
from backend.identity.audit import audit
from backend.meetings import errors, queries
from backend.meetings.paper_files import FORMATS, PaperFormatUnknown, file_name, get_file
from backend.meetings.plan import Plan, plan_of, set_plan
from backend.meetings.routes import ISSUES, READS, readable
from backend.meetings.schemas import PaperPlanSchema

blueprint = Blueprint("documents", __name__, url_prefix="/api/v1", description="简报文档 · Documents of papers")
AS_FILE = {
    "responses": {
        "200": {
            "description": "The document · 文档",
            "content": {kind.mime: {"schema": {"type": "string", "format": "binary"}} for kind in FORMATS.values()},
        }
    }
}


@blueprint.get(
    "/papers/<uuid:paper_id>.<any(pdf, docx, xlsx):name>",
    guard=READS,
    raises=(queries.PaperNotFound, PaperFormatUnknown, errors.PaperFileNotReady),
)
@blueprint.doc(**AS_FILE)
def get_paper_file(ctx: RequestContext, paper_id: UUID, name: str) -> Response:
    """A paper as PDF, as DOCX for WPS and Word, or its ledger as XLSX. Of an issued paper the same bytes for ever."""
    paper = readable(ctx, paper_id)
    found = get_file(ctx.session, paper, name)
    audit(
        *(ctx.session, ctx.community_id, "paper_file_read", f"paper:{paper_id}"),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        format=name,
    )
    answer = Response(found.body, mimetype=FORMATS[name].mime)
    answer.headers.set("Content-Disposition", "attachment", filename=file_name(paper.content or {}, name))
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
