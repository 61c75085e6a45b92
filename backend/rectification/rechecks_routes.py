"""The office's API of 回头看 draws."""

from typing import Any
from uuid import UUID

from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import PageQuery, decode_cursor, page, page_schema
from backend.rectification.rechecks import NothingToDraw, RecheckNotFound, list_draws, make_draw, read_draw
from backend.rectification.rechecks_schemas import DrawLineSchema, DrawnSchema, DrawSchema
from backend.rectification.routes import as_ms, as_uuid

blueprint = Blueprint("rechecks", __name__, url_prefix="/api/v1", description="回头看抽查 · Re-check draws")
DRAWS = requires("task.recheck")


@blueprint.post("/rechecks", guard=DRAWS, raises=(NothingToDraw,))
@blueprint.arguments(DrawSchema)
@blueprint.response(201, DrawnSchema)
def draw_rechecks(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Draw by lot what somebody looks at again; the draw is kept, and phones are told."""
    made = make_draw(ctx, body["closed_from_ms"], body["closed_to_ms"], body["count"], body["seed"])
    return read_draw(ctx, made)


@blueprint.get("/rechecks", guard=DRAWS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(DrawLineSchema))
def list_rechecks(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Draws, the newest first; of a caller with a part of the community the own ones."""
    key = decode_cursor(query["cursor"], 2)
    before = None if key is None else (as_ms(key[0]), as_uuid(key[1]))
    rows = list_draws(ctx, before, query["limit"])
    return page(rows, query["limit"], lambda row: (row["drawn_ms"], row["id"]))


@blueprint.get("/rechecks/<uuid:draw_id>", guard=DRAWS, raises=(RecheckNotFound,))
@blueprint.response(200, DrawnSchema)
def get_recheck(ctx: RequestContext, draw_id: UUID) -> dict[str, Any]:
    """One draw, with the proof that it can be drawn again."""
    return read_draw(ctx, draw_id)
