"""The office's API of dossiers (一楼一档)."""

from typing import Any
from uuid import UUID

from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import PageQuery, decode_cursor, page
from backend.places.errors import PlaceNotFound
from backend.places.queries import get_place, list_ancestors
from backend.places.routes import shown
from backend.rectification import dossier
from backend.rectification.dossier_schemas import DossierSchema
from backend.rectification.routes import as_ms, as_uuid

blueprint = Blueprint("dossier", __name__, url_prefix="/api/v1", description="一楼一档 · Dossiers of places")


@blueprint.get("/places/<uuid:place_id>/dossier", guard=requires("record.read"), raises=(PlaceNotFound,))
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DossierSchema)
def get_dossier(ctx: RequestContext, query: dict[str, Any], place_id: UUID) -> dict[str, Any]:
    """What is known of a place: latest answers, visits (``limit`` and ``cursor`` page them), hazards, steps, and the
    places below it."""
    place = get_place(ctx.session, ctx.community_id, place_id, ctx.actor.scope_paths)
    key = decode_cursor(query["cursor"], 2)
    before = None if key is None else (as_ms(key[0]), as_uuid(key[1]))
    rows = dossier.list_visits(ctx, place, before, query["limit"])
    visits = page(rows, query["limit"], lambda row: (row.effective_ms, row.id))
    hazards, more = dossier.list_hazards(ctx, place)
    children, children_more = dossier.list_children(ctx, place)
    return {
        "place": {**shown(place), "ancestors": list_ancestors(ctx.session, place)},
        "answers": dossier.latest_answers(ctx, place.id),
        "visits": {**visits, "items": [dossier.visit_line(row) for row in visits["items"]]},
        "hazards": hazards,
        "hazards_more": more,
        "steps": dossier.list_steps(ctx, place),
        "children": children,
        "children_more": children_more,
    }
