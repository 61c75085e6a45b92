"""The office's API of the registry: the tree of places and the roster import."""

from typing import Any
from uuid import UUID

from flask import Response, request

from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, decode_cursor, page, page_schema
from backend.places import service
from backend.places.errors import (
    FieldCodeInvalid,
    FieldCodeTaken,
    PlaceIsRoot,
    PlaceKindsDiffer,
    PlaceMerged,
    PlaceNotFound,
    PlaceParentWrong,
    RosterColumnMissing,
    RosterRefused,
    RosterTooLong,
    RosterUnreadable,
)
from backend.places.models import Place
from backend.places.queries import PlaceFilter, find_by_code, get_place, list_ancestors, list_places
from backend.places.roster import RosterReport, import_roster
from backend.places.roster_template import roster_template
from backend.places.schemas import (
    MergeSchema,
    MoveSchema,
    NewPlaceSchema,
    PlaceDetailSchema,
    PlaceQuery,
    PlaceSchema,
    RosterReportSchema,
)
from backend.places.service import Office, PlaceListeners

blueprint = Blueprint(
    "places", __name__, url_prefix="/api/v1", description="场所登记与名册导入 · The registry of places, and the roster"
)
READS = requires("place.read")
MANAGES = requires("place.manage")
IMPORTS = requires("roster.import")
ROSTER_BYTES = 16 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROSTER_BODY = {
    "requestBody": {
        "required": True,
        "description": "An XLSX or CSV file, as the body itself or as the part `file` of a form.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@blueprint.get("/places", guard=READS)
@blueprint.arguments(PlaceQuery, location="query")
@blueprint.response(200, page_schema(PlaceSchema))
def list_registered_places(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Places by pinyin, numbers as people count; those merged away are left out unless asked for."""
    limit, after = query.pop("limit"), decode_cursor(query.pop("cursor"), 2)
    if after is not None:
        _check_cursor(after)
    rows = list_places(ctx.session, ctx.community_id, PlaceFilter(**query), ctx.actor.scope_paths, after, limit)
    found = page(rows, limit, lambda place: (place.name_pinyin, place.id))
    return {**found, "items": [shown(place) for place in found["items"]]}


@blueprint.get("/places/<uuid:place_id>", guard=READS, raises=(PlaceNotFound,))
@blueprint.response(200, PlaceDetailSchema)
def get_registered_place(ctx: RequestContext, place_id: UUID) -> dict[str, Any]:
    """One place and all above it. One that was merged away still answers, and names the survivor."""
    return _detail(ctx, get_place(ctx.session, ctx.community_id, place_id, ctx.actor.scope_paths))


@blueprint.get("/places/by-code/<field_code>", guard=READS, raises=(PlaceNotFound,))
@blueprint.response(200, PlaceDetailSchema)
def get_place_by_code(ctx: RequestContext, field_code: str) -> dict[str, Any]:
    """The place whose plate was scanned or read out."""
    place = find_by_code(ctx.session, ctx.community_id, field_code, ctx.actor.scope_paths)
    if place is None:
        raise PlaceNotFound
    return _detail(ctx, place)


@blueprint.post(
    "/places", guard=MANAGES, raises=(PlaceNotFound, PlaceMerged, PlaceParentWrong, FieldCodeTaken, FieldCodeInvalid)
)
@blueprint.arguments(NewPlaceSchema)
@blueprint.response(201, PlaceDetailSchema)
def register_place(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Register a place."""
    return _fresh(ctx, service.register_place(office(ctx), **body))


@blueprint.post(
    "/places/<uuid:place_id>/move", guard=MANAGES, raises=(PlaceNotFound, PlaceIsRoot, PlaceMerged, PlaceParentWrong)
)
@blueprint.arguments(MoveSchema)
@blueprint.response(200, PlaceDetailSchema)
def move_place(ctx: RequestContext, body: dict[str, Any], place_id: UUID) -> dict[str, Any]:
    """Put a place, with all below it, under another parent. Figures of the past keep the grid of their time."""
    service.move_place(office(ctx), place_id, body["parent_id"])
    return _fresh(ctx, place_id)


@blueprint.post(
    "/places/<uuid:place_id>/merge", guard=MANAGES, raises=(PlaceNotFound, PlaceIsRoot, PlaceMerged, PlaceKindsDiffer)
)
@blueprint.arguments(MergeSchema)
@blueprint.response(200, PlaceDetailSchema)
def merge_place(ctx: RequestContext, body: dict[str, Any], place_id: UUID) -> dict[str, Any]:
    """Say that a place is another one: its records count for the survivor, which takes over what stands below it."""
    service.merge_place(office(ctx), place_id, body["into_id"])
    return _fresh(ctx, place_id)


@blueprint.get("/roster/template", guard=IMPORTS)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=XLSX)
def get_roster_template(ctx: RequestContext) -> Response:
    """The spreadsheet to fill in."""
    answer = Response(roster_template(), mimetype=XLSX)
    answer.headers.set("Content-Disposition", "attachment", filename="saolou-roster.xlsx")
    return answer


@blueprint.post(
    "/roster/dry-run",
    guard=IMPORTS,
    notes=False,
    max_bytes=ROSTER_BYTES,
    raises=(RosterUnreadable, RosterColumnMissing, RosterTooLong),
)
@blueprint.doc(**ROSTER_BODY)
@blueprint.response(200, RosterReportSchema)
def check_roster(ctx: RequestContext) -> dict[str, Any]:
    """What an import would do, with every bad row and why. Changes nothing."""
    return _import(ctx, dry_run=True).as_dict()


@blueprint.post(
    "/roster/import",
    guard=IMPORTS,
    max_bytes=ROSTER_BYTES,
    raises=(RosterUnreadable, RosterColumnMissing, RosterTooLong, RosterRefused),
)
@blueprint.doc(**ROSTER_BODY)
@blueprint.response(200, RosterReportSchema)
def take_in_roster(ctx: RequestContext) -> dict[str, Any]:
    """Import all rows, or none when one is bad (422 `roster_refused` with the report)."""
    report = _import(ctx, dry_run=False)
    if report.errors:
        raise RosterRefused(bad_rows=report.bad_rows, report=report.as_dict())
    return report.as_dict()


def office(ctx: RequestContext) -> Office:
    """The caller as one who changes the registry."""
    return Office(
        session=ctx.session,
        community_id=ctx.community_id,
        actor_id=ctx.actor.account_id,
        now_ms=ctx.now_ms,
        scope=ctx.actor.scope_paths,
        listeners=ctx.runtime.part(PlaceListeners),
    )


def shown(place: Place) -> dict[str, Any]:
    """A place in the shape of the API."""
    names = PlaceSchema().fields.keys() - {"location", "found_in_field"}
    location = None
    if place.latitude is not None:
        location = {
            "lat": place.latitude,
            "lon": place.longitude,
            "accuracy_m": place.accuracy_m,
            "source_datum": place.datum,
        }
    return {
        **{name: getattr(place, name) for name in names},
        "location": location,
        "found_in_field": place.origin == "field",
    }


def _detail(ctx: RequestContext, place: Place) -> dict[str, Any]:
    return {**shown(place), "ancestors": list_ancestors(ctx.session, place)}


def _fresh(ctx: RequestContext, place_id: UUID) -> dict[str, Any]:
    return _detail(ctx, get_place(ctx.session, ctx.community_id, place_id))


def _check_cursor(after: list[Any]) -> None:
    try:
        UUID(after[1])
    except (ValueError, AttributeError, TypeError) as error:
        raise BadCursor from error
    if not isinstance(after[0], str) or "\x00" in after[0]:
        raise BadCursor


def _import(ctx: RequestContext, dry_run: bool) -> RosterReport:
    upload = request.files.get("file")
    content = upload.read() if upload else request.get_data()
    return import_roster(
        ctx.session,
        ctx.community_id,
        content,
        upload.filename if upload else None,
        ctx.actor.account_id,
        ctx.now_ms,
        dry_run,
        listeners=ctx.runtime.part(PlaceListeners),
    )
