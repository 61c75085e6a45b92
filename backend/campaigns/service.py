"""What people do with campaigns: create, start (which freezes the doors), end early; declare a building complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns import queries
from backend.campaigns.errors import (
    BuildingHasMissedDoors,
    BuildingStepOutOfTurn,
    CampaignAlreadyStarted,
    CampaignEmpty,
    CampaignFormsUnfit,
    CampaignNotRunning,
    CampaignPeriodWrong,
    CampaignScopeUnknown,
)
from backend.campaigns.feed import tell_campaigns
from backend.campaigns.freezing import forget_later_rounds, freeze, want_visited
from backend.campaigns.guarding import SETTING
from backend.campaigns.models import Campaign, CampaignStep
from backend.campaigns.projecting import hold_campaigns, list_started
from backend.campaigns.rounds import rounds_of
from backend.db import new_id
from backend.forms.catalogue import FormCatalogue
from backend.identity.audit import audit
from backend.identity.models import Community
from backend.places.facts import lock_places
from backend.places.queries import find_place
from mobile_contract.forms import Form

MOST_ROUNDS: Final = 60
#: Step → the states of a building it may follow.
BUILDING_STEPS: Final = {
    "declared": ("open", "reopened"),
    "approved": ("declared",),
    "reopened": ("declared", "approved"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Who does it, where and when. ``scope``: paths the actor is limited to."""

    session: Session
    community_id: UUID
    now_ms: int
    actor_id: UUID
    actor_role: str
    scope: Sequence[str] = ()

    def note(self, action: str, campaign_id: UUID, **details: Any) -> None:
        """Write a deed into the audit trail."""
        subject = f"campaign:{campaign_id}"
        audit(
            self.session,
            self.community_id,
            action,
            subject,
            account_id=self.actor_id,
            at_ms=self.now_ms,
            **details,
        )


def create_campaign(desk: Desk, catalogue: FormCatalogue, wanted: dict[str, Any]) -> Campaign:
    """Note a campaign down; nothing is counted before it is started.

    ``wanted``: name, scope, forms, kinds, rules, cadence, first_day, last_day. CampaignScopeUnknown,
    CampaignFormsUnfit or CampaignPeriodWrong.
    """
    scope = wanted["scope"] or [desk.community_id]
    if any(find_place(desk.session, desk.community_id, place_id, desk.scope) is None for place_id in scope):
        raise CampaignScopeUnknown
    starts_ms, ends_ms = _period(wanted["first_day"], wanted["last_day"], wanted["cadence"], desk.now_ms)
    campaign = Campaign(
        community_id=desk.community_id,
        id=new_id(),
        name=wanted["name"],
        scope=sorted(set(scope)),
        forms=_due_at(desk, catalogue, wanted["forms"], wanted["kinds"]),
        kinds=sorted(set(wanted["kinds"])),
        rules=sorted(set(wanted["rules"])),
        cadence=wanted["cadence"],
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        created_ms=desk.now_ms,
        created_by=desk.actor_id,
        rev=1,
    )
    desk.session.add(campaign)
    desk.session.flush()
    desk.note("campaign_created", campaign.id)
    return campaign


def _period(first_day: date, last_day: date, cadence: str, now_ms: int) -> tuple[int, int]:
    starts_ms, ends_ms = clock.day_start_ms(first_day), clock.day_start_ms(last_day + timedelta(days=1))
    is_right = starts_ms < ends_ms and now_ms < ends_ms and ends_ms - starts_ms < 10 * 366 * clock.DAY_MS
    if not is_right or len(rounds_of(cadence, starts_ms, ends_ms, 0, None)) > MOST_ROUNDS:
        raise CampaignPeriodWrong
    return starts_ms, ends_ms


def _due_at(desk: Desk, catalogue: FormCatalogue, codes: Sequence[str], kinds: Sequence[str]) -> dict[str, list[str]]:
    """Form → the kinds it is due at, as its newest version says now."""
    newest: dict[str, Form] = {}
    for form in catalogue.rule_book(desk.session, desk.community_id).forms.values():
        if form.code not in newest or newest[form.code].version < form.version:
            newest[form.code] = form
    due = {code: sorted(k for k in set(kinds) if code in newest and newest[code].fits(k)) for code in set(codes)}
    if not all(due.values()) or {kind for fitting in due.values() for kind in fitting} != set(kinds):
        raise CampaignFormsUnfit
    return due


def start_campaign(desk: Desk, campaign_id: UUID) -> Campaign:
    """Start a campaign: its doors are those of the registry at this moment, for good.

    CampaignNotFound, CampaignAlreadyStarted, CampaignNotRunning (its period is over) or CampaignEmpty.
    """
    lock_places(desk.session, desk.community_id)
    hold_campaigns(desk.session, desk.community_id, alone=True)
    campaign = queries.get_campaign(desk.session, desk.community_id, campaign_id)
    if campaign.started_ms is not None:
        raise CampaignAlreadyStarted
    if desk.now_ms >= campaign.ends_ms:
        raise CampaignNotRunning
    campaign.started_ms, campaign.started_by = desk.now_ms, desk.actor_id
    desk.session.flush()
    doors = freeze(desk.session, campaign)
    if not doors:
        raise CampaignEmpty
    tell_campaigns(desk.session, desk.community_id, [campaign])
    desk.note("campaign_started", campaign_id, doors=doors)
    return campaign


def end_campaign(desk: Desk, campaign_id: UUID) -> Campaign:
    """End a campaign before its last day: visits from now on do not count. CampaignNotFound or CampaignNotRunning."""
    hold_campaigns(desk.session, desk.community_id, alone=True)
    campaign = queries.get_campaign(desk.session, desk.community_id, campaign_id)
    if campaign.started_ms is None or campaign.ended_ms is not None or desk.now_ms >= campaign.ends_ms:
        raise CampaignNotRunning
    campaign.ended_ms, campaign.ended_by, campaign.rev = desk.now_ms, desk.actor_id, campaign.rev + 1
    desk.session.flush()
    want_visited(desk.session, campaign, desk.now_ms)
    forget_later_rounds(desk.session, campaign)
    tell_campaigns(desk.session, desk.community_id, [campaign])
    desk.note("campaign_ended", campaign_id)
    return campaign


def step_building(
    desk: Desk, campaign_id: UUID, n: int | None, building_id: UUID, kind: str, note: str | None
) -> dict[str, Any]:
    """Declare a building complete, approve that or reopen it; returns it as ``queries.building_states`` shows it.

    An approval is refused while doors are missed. CampaignNotFound, RoundUnknown, BuildingNotInCampaign,
    BuildingStepOutOfTurn or BuildingHasMissedDoors.
    """
    hold_campaigns(desk.session, desk.community_id, alone=True)
    campaign = queries.get_campaign(desk.session, desk.community_id, campaign_id)
    one = queries.get_round(campaign, n, desk.now_ms)
    before = queries.get_building(desk.session, campaign, one.n, building_id, desk.scope)
    if before["state"] not in BUILDING_STEPS[kind]:
        raise BuildingStepOutOfTurn
    if kind == "approved" and before["outstanding"]:
        raise BuildingHasMissedDoors(doors=before["outstanding"])
    last_ms = before["since_ms"] or 0
    desk.session.add(
        CampaignStep(
            community_id=desk.community_id,
            id=new_id(),
            campaign_id=campaign_id,
            round=one.n,
            building_id=building_id,
            kind=kind,
            note=note,
            # Two steps about one building never share a millisecond, so that their order is the order they came in.
            effective_ms=max(desk.now_ms, last_ms + 1),
            actor_id=desk.actor_id,
            actor_role=desk.actor_role,
        )
    )
    desk.session.flush()
    desk.note(f"building_{kind}", campaign_id, building=str(building_id), round=one.n)
    return queries.get_building(desk.session, campaign, one.n, building_id, desk.scope)


def set_guard(desk: Desk, guard: dict[str, Any]) -> None:
    """Set the community's resident guard; phones learn it with the campaigns."""
    community = desk.session.get_one(Community, desk.community_id, with_for_update=True)
    settings = {**community.settings, SETTING: guard}
    desk.session.execute(update(Community).where(Community.community_id == desk.community_id).values(settings=settings))
    hold_campaigns(desk.session, desk.community_id, alone=True)
    campaigns = list_started(desk.session, desk.community_id)
    for campaign in campaigns:
        campaign.rev += 1
    desk.session.flush()
    tell_campaigns(desk.session, desk.community_id, campaigns)
    audit(
        desk.session,
        desk.community_id,
        "resident_guard_set",
        f"community:{desk.community_id}",
        account_id=desk.actor_id,
        at_ms=desk.now_ms,
        **guard,
    )
