"""The office's API of dangerous houses: cases, duties, what is recorded about them, the notice to leave."""

from typing import Any
from uuid import UUID

from backend.evacuations import errors, queries, service
from backend.evacuations.duties import by_urgency, duties_of
from backend.evacuations.lifecycle import FACT_KINDS, HOUSEHOLD_STATES, NOT_APPLIED, STAGES, FactKind
from backend.evacuations.models import EvacuationHousehold
from backend.evacuations.schemas import (
    DutiesSchema,
    DutyQuery,
    FlowSchema,
    HouseDetailSchema,
    HouseQuery,
    HouseSchema,
)
from backend.evacuations.schemas_facts import FACT_SCHEMAS, EvacuationNoticeSchema
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import decode_cursor, page, page_schema
from backend.identity.permissions import PERMISSIONS
from backend.notices import routes as notices
from backend.notices.errors import DeadlinePast, NoticeReplacesWrong, NoticeWording
from backend.notices.schemas import NoticeDetailSchema
from backend.places.errors import PlaceNotFound
from backend.rectification.presenting import label, place_of
from backend.rectification.routes import as_uuid

blueprint = Blueprint(
    "evacuations", __name__, url_prefix="/api/v1/dangerous-houses", description="危房劝离 · Dangerous houses"
)
READS = requires("evacuation.read")
#: Houses whose duties are listed at once.
MOST_HOUSES = 2000
RECORDING = (
    PlaceNotFound,
    errors.NoHouse,
    errors.HouseholdElsewhere,
    errors.FactTimeWrong,
    errors.FactNotApplied,
)


@blueprint.get("", guard=READS)
@blueprint.arguments(HouseQuery, location="query")
@blueprint.response(200, page_schema(HouseSchema))
def list_dangerous_houses(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Houses that were appraised, with how their case stands."""
    key = decode_cursor(query["cursor"], 1)
    after = None if key is None else as_uuid(key[0])
    rows = queries.list_houses(ctx, query.get("stage", ()), query.get("grid"), after, query["limit"])
    found = page(rows, query["limit"], lambda row: [row.house_id])
    return {**found, "items": [queries.house_line(row) for row in found["items"]]}


@blueprint.get("/duties", guard=READS)
@blueprint.arguments(DutyQuery, location="query")
@blueprint.response(200, DutiesSchema)
def list_duties(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """What is to be done, the most urgent first: serving, telling, second visits, the daily look, closing."""
    rows = queries.list_houses(ctx, sorted(queries.OPEN_STAGES), query.get("grid"), None, MOST_HOUSES)
    ids = [row.house_id for row in rows]
    households = queries.households_by_house(ctx.session, ctx.community_id, ids)
    checks = queries.list_checks(ctx.session, ctx.community_id, ids)
    duties = [
        duty
        for row in rows
        for duty in duties_of(row, households.get(row.house_id, []), checks.get(row.house_id, {}), ctx.now_ms)
    ]
    return {"items": by_urgency(duties)}


@blueprint.get("/flow", guard=READS)
@blueprint.response(200, FlowSchema)
def get_flow(ctx: RequestContext) -> dict[str, Any]:
    """The sub-flow as tables: what may be recorded and by whom, the stages, why a record may not apply."""
    return {
        "kinds": [
            {
                "kind": kind.kind,
                "label": label(kind.label),
                "permission": kind.permission,
                "of_household": kind.of_household,
                "roles": [role for role, held in PERMISSIONS.items() if kind.permission in held],
            }
            for kind in FACT_KINDS.values()
        ],
        "stages": {name: label(text) for name, text in STAGES.items()},
        "household_states": {name: label(text) for name, text in HOUSEHOLD_STATES.items()},
        "not_applied": {name: label(text) for name, text in NOT_APPLIED.items()},
    }


@blueprint.get("/<uuid:house_id>", guard=READS, raises=(errors.EvacuationNotFound,))
@blueprint.response(200, HouseDetailSchema)
def get_dangerous_house(ctx: RequestContext, house_id: UUID) -> dict[str, Any]:
    """One house in full."""
    return detail(ctx, house_id)


@blueprint.post(
    "/<uuid:house_id>/notice",
    guard=requires("notice.issue"),
    raises=(
        PlaceNotFound,
        errors.NoHouse,
        errors.NothingAppraised,
        DeadlinePast,
        NoticeWording,
        NoticeReplacesWrong,
    ),
)
@blueprint.arguments(EvacuationNoticeSchema)
@blueprint.response(201, NoticeDetailSchema)
def issue_notice_to_leave(ctx: RequestContext, body: dict[str, Any], house_id: UUID) -> dict[str, Any]:
    """Issue a 危房劝离通知书 to all households of the house: numbered and frozen."""
    return notices.detail(ctx, service.issue_evacuation_notice(ctx, house_id, body))


def _add_fact_route(kind: FactKind) -> None:
    """One endpoint a kind of fact."""

    def record(ctx: RequestContext, body: dict[str, Any], house_id: UUID) -> dict[str, Any]:
        house = service.house_of(ctx, house_id)
        service.record_fact(ctx, house.id, kind.kind, body)
        return detail(ctx, house.id)

    record.__name__ = f"record_{kind.kind}"
    record.__doc__ = f"{kind.label[0]}: {kind.label[1]}. Applies as recorded, or stores nothing."
    view = blueprint.response(201, HouseDetailSchema)(record)
    view = blueprint.arguments(FACT_SCHEMAS[kind.kind])(view)
    blueprint.post(f"/<uuid:house_id>/{kind.kind}", guard=requires(kind.permission), raises=RECORDING)(view)


for _kind in FACT_KINDS.values():
    _add_fact_route(_kind)


def detail(ctx: RequestContext, house_id: UUID) -> dict[str, Any]:
    """A house in the shape of the API."""
    row = queries.get_house(ctx, house_id)
    session, community_id = ctx.session, ctx.community_id
    in_full = queries.may_see_persons(ctx, row.path)
    checks = queries.list_checks(session, community_id, [house_id]).get(house_id, {})
    households: list[EvacuationHousehold] = queries.households_by_house(session, community_id, [house_id]).get(
        house_id, []
    )
    return {
        **queries.house_line(row),
        "household_list": queries.list_households(ctx, house_id, in_full),
        "unlisted": [place_of(place) for place in queries.list_unlisted(session, community_id, house_id)],
        "every_household_left": queries.has_every_household_left(session, community_id, house_id),
        "duties": duties_of(row, households, checks, ctx.now_ms),
        "checks": [{"day": day, "returned": returned} for day, returned in sorted(checks.items())],
        "hazards": queries.hazards_of(community_id, house_id),
        "facts": queries.list_facts(ctx, house_id, in_full),
    }
