"""The start of a campaign: its denominator is frozen, in one statement a table, however many doors it has."""

from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, Uuid, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.campaigns.models import Campaign, CampaignTarget
from backend.campaigns.projecting import COMPILE, running_rounds
from backend.hazards.models import OPEN_STATES, Observation
from backend.inspections.models import Visit
from backend.jobs import ledger
from backend.places.models import Place

_BASE: Final = text(
    """
    INSERT INTO campaign_base (community_id, campaign_id, place_id, grid_id, building_id)
    SELECT p.community_id, :campaign, p.id, p.grid_id, p.building_id
    FROM place p
    WHERE p.community_id = :community AND p.kind = ANY (:kinds) AND p.merged_into IS NULL AND NOT p.withdrawn
      AND (p.origin <> 'field' OR p.registered_ms < :started_ms)
      AND EXISTS (SELECT 1 FROM place s WHERE s.community_id = p.community_id AND s.id = ANY (:scope)
                  AND p.path <@ s.path)
      AND (:rules = '{}'::text[] OR EXISTS (
            SELECT 1 FROM hazard h WHERE h.community_id = p.community_id AND h.place_id = p.id
            AND h.state = ANY (:open_states) AND h.rules && :rules))
    """
).bindparams(
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("scope", type_=ARRAY(Uuid)),
    bindparam("rules", type_=ARRAY(Text)),
    bindparam("open_states", type_=ARRAY(Text)),
)
#: What a compile makes of a frozen door without a visit.
_TARGETS: Final = text(
    """
    INSERT INTO campaign_target
        (community_id, place_id, campaign_id, round, kind, grid_id, building_id, frozen, state, attempts, slots,
         forms_left)
    SELECT b.community_id, b.place_id, b.campaign_id, r.n, p.kind, b.grid_id, b.building_id, 1, 'not_visited', 0, 0,
        ARRAY(SELECT f.key FROM jsonb_each(:forms) f WHERE f.value ? p.kind ORDER BY f.key COLLATE "C")
    FROM campaign_base b
    JOIN place p ON p.community_id = b.community_id AND p.id = b.place_id
    CROSS JOIN unnest(:rounds) AS r (n)
    WHERE b.community_id = :community AND b.campaign_id = :campaign
    """
).bindparams(bindparam("forms", type_=JSONB), bindparam("rounds", type_=ARRAY(Integer)))
_DOORS: Final = text(
    """
    WITH told AS (
        INSERT INTO target_door AS d (community_id, place_id, grid_id, last_contact_ms, rev)
        SELECT b.community_id, b.place_id, p.grid_id,
            (SELECT max(v.effective_ms) FROM visit v WHERE v.community_id = b.community_id
             AND v.place_id = b.place_id AND v.outcome IN ('done', 'refused')), 1
        FROM campaign_base b JOIN place p ON p.community_id = b.community_id AND p.id = b.place_id
        WHERE b.community_id = :community AND b.campaign_id = :campaign
        ON CONFLICT (community_id, place_id) DO UPDATE SET rev = d.rev + 1
        RETURNING place_id, grid_id, rev
    )
    INSERT INTO sync_change (community_id, scope_id, entity, entity_id, op, rev)
    SELECT :community, 'area:' || coalesce(grid_id, :community)::text, 'target', place_id::text, 'put', rev FROM told
    """
).bindparams(bindparam("community", type_=Uuid))


def freeze(session: Session, campaign: Campaign) -> int:
    """Freeze the denominator of a campaign that has just got its ``started_ms``; returns the number of doors.

    The tree and the campaigns are held by the caller. Visits of the period that are here already count: their places
    are compiled anew.
    """
    of_campaign = {"community": campaign.community_id, "campaign": campaign.id}
    frozen = session.execute(
        _BASE,
        {
            **of_campaign,
            "kinds": campaign.kinds,
            "scope": campaign.scope,
            "rules": campaign.rules,
            "open_states": list(OPEN_STATES),
            "started_ms": campaign.started_ms,
        },
    )
    numbers = [one.n for one in running_rounds(campaign)]
    session.execute(_TARGETS, {**of_campaign, "forms": campaign.forms, "rounds": numbers})
    session.execute(_DOORS, of_campaign)
    want_visited(session, campaign, campaign.starts_ms)
    return int(frozen.rowcount)  # type: ignore[attr-defined]


def want_visited(session: Session, campaign: Campaign, from_ms: int) -> None:
    """Compile what was visited in the period from ``from_ms`` on, and doors proposed with a clock ahead of ours."""
    community_id = campaign.community_id
    places: set[UUID] = set()
    for table in (Visit, Observation):
        seen = select(table.place_id).where(
            table.community_id == community_id, table.effective_ms >= from_ms, table.effective_ms < campaign.ends_ms
        )
        places |= set(session.scalars(seen.distinct()))
    ahead = select(Place.id).where(
        Place.community_id == community_id, Place.origin == "field", Place.registered_ms >= (campaign.started_ms or 0)
    )
    places |= set(session.scalars(ahead))
    ledger.want(session, COMPILE, community_id, sorted(map(str, places)))


def forget_later_rounds(session: Session, campaign: Campaign) -> None:
    """An ended campaign has no rounds that were still to begin."""
    numbers = [one.n for one in running_rounds(campaign)]
    session.execute(
        delete(CampaignTarget).where(
            CampaignTarget.community_id == campaign.community_id,
            CampaignTarget.campaign_id == campaign.id,
            CampaignTarget.round.not_in(numbers),
        )
    )
