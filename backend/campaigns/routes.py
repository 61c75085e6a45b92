"""The office's API of campaigns. Figures and doors are those within the reader's places."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from backend import clock
from backend.campaigns import boards, queries, service
from backend.campaigns.coverage import STATES, TERMINAL
from backend.campaigns.errors import (
    BuildingHasMissedDoors,
    BuildingNotInCampaign,
    BuildingStepOutOfTurn,
    CampaignAlreadyStarted,
    CampaignEmpty,
    CampaignFormsUnfit,
    CampaignNotFound,
    CampaignNotRunning,
    CampaignPeriodWrong,
    CampaignScopeUnknown,
    RoundUnknown,
)
from backend.campaigns.guarding import guard_of
from backend.campaigns.models import Campaign
from backend.campaigns.projecting import COMPILE, running_rounds
from backend.campaigns.rounds import Round
from backend.campaigns.schemas import (
    BoardQuery,
    BoardSchema,
    BuildingSchema,
    BuildingStepSchema,
    CampaignRequestSchema,
    CampaignSchema,
    DoorQuery,
    DoorSchema,
    GuardSchema,
    MatrixSchema,
    RoundQuery,
)
from backend.forms.catalogue import FormCatalogue
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema

blueprint = Blueprint("campaigns", __name__, url_prefix="/api/v1", description="专项行动 · Campaigns")
READS, MANAGES = requires("campaign.read"), requires("campaign.manage")
DECLARES, APPROVES = requires("building.declare"), requires("building.approve")
ROUND_ERRORS = (CampaignNotFound, CampaignNotRunning, RoundUnknown)
STEP_ERRORS = (*ROUND_ERRORS, BuildingNotInCampaign, BuildingStepOutOfTurn)


def desk(ctx: RequestContext) -> service.Desk:
    """The caller at work."""
    actor = ctx.actor
    return service.Desk(ctx.session, ctx.community_id, ctx.now_ms, actor.account_id, str(actor.role), actor.scope_paths)


def shown(campaign: Campaign, now_ms: int) -> dict[str, Any]:
    """A campaign as CampaignSchema wants it."""
    is_over = now_ms >= campaign.ends_ms or campaign.ended_ms is not None
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": "over" if is_over else "running" if campaign.started_ms is not None else "draft",
        "scope": campaign.scope,
        "forms": campaign.forms,
        "kinds": campaign.kinds,
        "rules": campaign.rules,
        "cadence": campaign.cadence,
        "first_day": clock.local_day(campaign.starts_ms),
        "last_day": clock.local_day(campaign.ends_ms - 1),
        "started": clock.iso(campaign.started_ms),
        "ended": clock.iso(campaign.ended_ms),
        "rounds": running_rounds(campaign) if campaign.started_ms is not None else [],
    }


def found_round(ctx: RequestContext, campaign_id: UUID, n: int | None) -> tuple[Campaign, Round]:
    """A started campaign and one of its rounds."""
    campaign = queries.get_campaign(ctx.session, ctx.community_id, campaign_id)
    return campaign, queries.get_round(campaign, n, ctx.now_ms)


@blueprint.get("/campaigns", guard=READS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(CampaignSchema))
def list_campaigns(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Campaigns, newest first."""
    found = queries.list_campaigns(ctx.session, ctx.community_id, id_in(query["cursor"]), query["limit"])
    return page([shown(c, ctx.now_ms) for c in found], query["limit"], lambda c: (c["id"],))


@blueprint.post("/campaigns", guard=MANAGES, raises=(CampaignScopeUnknown, CampaignFormsUnfit, CampaignPeriodWrong))
@blueprint.arguments(CampaignRequestSchema)
@blueprint.response(201, CampaignSchema)
def create_campaign(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Note a campaign down. Nothing is frozen or counted before it is started."""
    return shown(service.create_campaign(desk(ctx), ctx.runtime.part(FormCatalogue), body), ctx.now_ms)


@blueprint.get("/campaigns/<uuid:campaign_id>", guard=READS, raises=(CampaignNotFound,))
@blueprint.response(200, CampaignSchema)
def get_campaign(ctx: RequestContext, campaign_id: UUID) -> dict[str, Any]:
    """One campaign."""
    return shown(queries.get_campaign(ctx.session, ctx.community_id, campaign_id), ctx.now_ms)


@blueprint.post(
    "/campaigns/<uuid:campaign_id>/start",
    guard=MANAGES,
    raises=(CampaignNotFound, CampaignAlreadyStarted, CampaignNotRunning, CampaignEmpty),
)
@blueprint.response(200, CampaignSchema)
def start_campaign(ctx: RequestContext, campaign_id: UUID) -> dict[str, Any]:
    """Start a campaign: the denominator is the registry of this moment, for good."""
    campaign = service.start_campaign(desk(ctx), campaign_id)
    ctx.ring(COMPILE)
    return shown(campaign, ctx.now_ms)


@blueprint.post("/campaigns/<uuid:campaign_id>/end", guard=MANAGES, raises=(CampaignNotFound, CampaignNotRunning))
@blueprint.response(200, CampaignSchema)
def end_campaign(ctx: RequestContext, campaign_id: UUID) -> dict[str, Any]:
    """End a campaign early: visits from now on do not count in it."""
    campaign = service.end_campaign(desk(ctx), campaign_id)
    ctx.ring(COMPILE)
    return shown(campaign, ctx.now_ms)


@blueprint.get("/campaigns/<uuid:campaign_id>/board", guard=READS, raises=ROUND_ERRORS)
@blueprint.arguments(BoardQuery, location="query")
@blueprint.response(200, BoardSchema)
def get_board(ctx: RequestContext, query: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """The daily board by grid: what is to be visited, what was, and the day's visits and hazards."""
    campaign, one = found_round(ctx, campaign_id, query["round"])
    day = query["day"] or clock.local_day(ctx.now_ms)
    found = boards.board(ctx.session, campaign, one, clock.day_start_ms(day), ctx.actor.scope_paths)
    return {"round": one, "day": day, **found}


@blueprint.get("/campaigns/<uuid:campaign_id>/doors", guard=READS, raises=ROUND_ERRORS)
@blueprint.arguments(DoorQuery, location="query")
@blueprint.response(200, page_schema(DoorSchema))
def list_doors(ctx: RequestContext, query: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Doors of a round: the missed ones with the reason, those for the grid head, or any others."""
    campaign, one = found_round(ctx, campaign_id, query["round"])
    scope, after = ctx.actor.scope_paths, id_in(query["cursor"])
    rows = queries.list_doors(ctx.session, campaign, one.n, query, scope, after, query["limit"])
    return page(door_lines(ctx, rows), query["limit"], lambda door: (door["place_id"],))


def door_lines(ctx: RequestContext, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """Doors as DoorSchema wants them."""
    names = queries.whole_names(ctx.session, ctx.community_id, {row.place_id: row.path for row in rows})
    return [
        {
            **row._mapping,
            "whole_name": names[row.place_id],
            "code": row.field_code,
            "found_in_field": not row.frozen,
            "reason": None if row.state in TERMINAL else STATES[row.state][0],
            "visited": clock.iso(row.visit_ms),
        }
        for row in rows
    ]


@blueprint.get("/campaigns/<uuid:campaign_id>/buildings", guard=READS, raises=ROUND_ERRORS)
@blueprint.arguments(DoorQuery(only=("limit", "cursor", "round")), location="query")
@blueprint.response(200, page_schema(BuildingSchema))
def list_buildings(ctx: RequestContext, query: dict[str, Any], campaign_id: UUID) -> dict[str, Any]:
    """Buildings of a round: how many doors are left, and whether they were declared complete, approved or reopened."""
    campaign, one = found_round(ctx, campaign_id, query["round"])
    scope, after, limit = ctx.actor.scope_paths, id_in(query["cursor"]), query["limit"]
    rows = queries.building_states(ctx.session, campaign, one.n, scope, after, limit + 1)
    return page(rows, limit, lambda row: (row["building"]["id"],))


@blueprint.get(
    "/campaigns/<uuid:campaign_id>/buildings/<uuid:building_id>",
    guard=READS,
    raises=(*ROUND_ERRORS, BuildingNotInCampaign),
)
@blueprint.arguments(RoundQuery, location="query")
@blueprint.response(200, MatrixSchema)
def get_matrix(ctx: RequestContext, query: dict[str, Any], campaign_id: UUID, building_id: UUID) -> dict[str, Any]:
    """The matrix of a building: floor × unit, how each door stands."""
    campaign, one = found_round(ctx, campaign_id, query["round"])
    return boards.matrix(ctx.session, campaign, one, building_id, ctx.actor.scope_paths)


@blueprint.post(
    "/campaigns/<uuid:campaign_id>/buildings/<uuid:building_id>/declare", guard=DECLARES, raises=STEP_ERRORS
)
@blueprint.arguments(BuildingStepSchema)
@blueprint.response(200, BuildingSchema)
def declare_building(ctx: RequestContext, body: dict[str, Any], campaign_id: UUID, building_id: UUID) -> dict[str, Any]:
    """Declare a building complete (本楼已查完); the grid head approves or reopens it."""
    return _step(ctx, campaign_id, building_id, "declared", body)


@blueprint.post(
    "/campaigns/<uuid:campaign_id>/buildings/<uuid:building_id>/approve",
    guard=APPROVES,
    raises=(*STEP_ERRORS, BuildingHasMissedDoors),
)
@blueprint.arguments(BuildingStepSchema)
@blueprint.response(200, BuildingSchema)
def approve_building(ctx: RequestContext, body: dict[str, Any], campaign_id: UUID, building_id: UUID) -> dict[str, Any]:
    """Approve a declared building; refused while doors are missed."""
    return _step(ctx, campaign_id, building_id, "approved", body)


@blueprint.post("/campaigns/<uuid:campaign_id>/buildings/<uuid:building_id>/reopen", guard=APPROVES, raises=STEP_ERRORS)
@blueprint.arguments(BuildingStepSchema)
@blueprint.response(200, BuildingSchema)
def reopen_building(ctx: RequestContext, body: dict[str, Any], campaign_id: UUID, building_id: UUID) -> dict[str, Any]:
    """Reopen a building that was declared complete or approved."""
    return _step(ctx, campaign_id, building_id, "reopened", body)


def _step(ctx: RequestContext, campaign_id: UUID, building_id: UUID, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return service.step_building(desk(ctx), campaign_id, body["round"], building_id, kind, body["note"])


@blueprint.get("/resident-guard", guard=READS)
@blueprint.response(200, GuardSchema)
def get_guard(ctx: RequestContext) -> dict[str, Any]:
    """How often and when residents may be asked for their time."""
    return guard_of(ctx.session, ctx.community_id)


@blueprint.put("/resident-guard", guard=MANAGES)
@blueprint.arguments(GuardSchema)
@blueprint.response(200, GuardSchema)
def set_guard(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Set it; phones learn it with the campaigns."""
    service.set_guard(desk(ctx), body)
    return guard_of(ctx.session, ctx.community_id)


def id_in(cursor: str | None) -> UUID | None:
    """The id in a cursor; BadCursor."""
    key = decode_cursor(cursor, 1)
    try:
        return None if key is None else UUID(key[0])
    except (TypeError, ValueError, AttributeError) as error:
        raise BadCursor from error
