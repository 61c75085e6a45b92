"""The printable statement of a campaign's coverage."""

from typing import Any
from uuid import UUID

from flask import Response

from backend.campaigns.routes import ROUND_ERRORS, found_round
from backend.campaigns.schemas import RoundQuery
from backend.http import Blueprint, RequestContext, requires
from backend.identity.exports import marked_page
from backend.identity.models import Community
from backend.meetings.routes import AS_PAGE
from backend.meetings.statement import statement_page

blueprint = Blueprint("statements", __name__, url_prefix="/api/v1", description="覆盖说明 · Statements of coverage")


@blueprint.get("/campaigns/<uuid:campaign_id>/statement.html", guard=requires("campaign.read"), raises=ROUND_ERRORS)
@blueprint.arguments(RoundQuery, location="query")
@blueprint.doc(responses=AS_PAGE)
def get_statement_page(ctx: RequestContext, query: dict[str, Any], campaign_id: UUID) -> Response:
    """不漏一栋、不落一户: how far a campaign came, and every missed door with its reason. Prints on A4."""
    campaign, one = found_round(ctx, campaign_id, query["round"])
    name = ctx.session.get_one(Community, ctx.community_id).name
    page = statement_page(ctx.session, campaign, one, ctx.actor.scope_paths, ctx.now_ms, name)
    return Response(
        marked_page(ctx, "coverage_statement", page, campaign=str(campaign_id), round=one.n), mimetype="text/html"
    )
