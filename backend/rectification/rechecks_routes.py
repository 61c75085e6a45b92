"""The office's API of 回头看 draws."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import PageQuery, decode_cursor, page, page_schema
from backend.rectification.rechecks import NothingToDraw, RecheckNotFound, list_draws, make_draw, read_draw
from backend.rectification.routes import as_ms, as_uuid
from mobile_contract.sync.fields import WireInt

blueprint = Blueprint("rechecks", __name__, url_prefix="/api/v1", description="回头看抽查 · Re-check draws")
DRAWS = requires("task.recheck")
_MOMENT = validate.Range(0, LATEST_MS)


class DrawSchema(Schema):
    """What to draw from: struck off between two times; how many; a seed, if it was drawn by lot elsewhere."""

    closed_from_ms = WireInt(required=True, validate=_MOMENT)
    closed_to_ms = WireInt(required=True, validate=_MOMENT)
    count = fields.Integer(required=True, validate=validate.Range(1, 1000))
    seed = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, 2**52 - 1))


class DrawLineSchema(Schema):
    """A draw. ``seed`` is a text, as it may have more digits than a browser's numbers hold."""

    id = fields.UUID(required=True)
    seed = fields.String(required=True)
    drawn_ms = WireInt(required=True)
    drawn_by = fields.UUID(required=True)
    closed_from_ms = WireInt(required=True)
    closed_to_ms = WireInt(required=True)
    population_size = fields.Integer(required=True)


class DrawnSchema(DrawLineSchema):
    """A draw in full: what was drawn from, ascending, and what was drawn, in order. ``reproducible``: drawn again, the
    same."""

    population = fields.List(fields.UUID(), required=True)
    drawn = fields.List(fields.UUID(), required=True)
    reproducible = fields.Boolean(required=True)


@blueprint.post("/rechecks", guard=DRAWS, raises=(NothingToDraw,))
@blueprint.arguments(DrawSchema)
@blueprint.response(201, DrawnSchema)
def draw_rechecks(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Draw by lot what somebody looks at again; the draw is kept, and phones are told."""
    made = make_draw(ctx, body["closed_from_ms"], body["closed_to_ms"], body["count"], body["seed"])
    return read_draw(ctx.session, ctx.community_id, made)


@blueprint.get("/rechecks", guard=DRAWS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(DrawLineSchema))
def list_rechecks(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """All draws, the newest first."""
    key = decode_cursor(query["cursor"], 2)
    before = None if key is None else (as_ms(key[0]), as_uuid(key[1]))
    rows = list_draws(ctx.session, ctx.community_id, before, query["limit"])
    return page(rows, query["limit"], lambda row: (row["drawn_ms"], row["id"]))


@blueprint.get("/rechecks/<uuid:draw_id>", guard=DRAWS, raises=(RecheckNotFound,))
@blueprint.response(200, DrawnSchema)
def get_recheck(ctx: RequestContext, draw_id: UUID) -> dict[str, Any]:
    """One draw, with the proof that it can be drawn again."""
    return read_draw(ctx.session, ctx.community_id, draw_id)
