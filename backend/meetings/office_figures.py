"""Figures of what the office keeps: hazards of sweeps, notices to leave, emptied houses, the self-built houses."""

from typing import Final

from sqlalchemy import BigInteger, and_, cast, exists, func, literal, null, select, true, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from backend.campaigns.models import Campaign, CampaignTarget
from backend.evacuations.models import EvacuationMove
from backend.hazards.models import Hazard, Transition
from backend.meetings import answer_figures as answered
from backend.meetings.figures import AMOUNT, Rows, Scope
from backend.meetings.hazard_figures import opened
from backend.notices.models import Notice, NoticeService

HOUSES: Final = "self_built_house"
#: 敲门、扫楼、扫街: the forms of the sweeps whose hazards are counted together.
SWEPT: Final = ("street_shop", "multi_use_premises", "ebike_charging")


def swept(scope: Scope) -> Rows:
    """Hazards first registered in a started sweep: with one of its forms, at one of its doors, in its time."""
    t, h, c, door = Transition, Hazard, Campaign, CampaignTarget
    in_sweep = exists().where(
        and_(h.community_id == t.community_id, h.id == t.hazard_id),
        and_(door.community_id == h.community_id, door.place_id == h.place_id),
        and_(c.community_id == door.community_id, c.id == door.campaign_id, c.started_ms.is_not(None)),
        and_(t.effective_ms >= c.starts_ms, t.effective_ms < func.coalesce(c.ended_ms, c.ends_ms)),
        and_(t.form.in_(SWEPT), c.forms.has_key(t.form)),
    )
    return opened(scope).where(in_sweep)


def swept_and_closed(scope: Scope) -> Rows:
    """Those of them that were struck off when the period ended; at the time of it."""
    found, t = swept(scope).subquery("found"), aliased(Transition)
    last = (
        select(t.to_state, t.effective_ms, t.severity, t.n)
        .where(t.community_id == scope.community_id, t.hazard_id == found.c.row_id, t.effective_ms < scope.end_ms)
        .order_by(t.n.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            found.c.row_id,
            last.c.effective_ms.label("at_ms"),
            found.c.category,
            last.c.severity,
            last.c.to_state.label("state"),
            cast(last.c.n, Text).label("detail"),
        )
        .select_from(found.join(last, true()))
        .where(last.c.to_state == "closed")
    )


def notices_to_leave(scope: Scope) -> Rows:
    """Notices to leave first served in the period; one that was replaced counts as the one that replaced it."""
    n, s, newer = Notice, NoticeService, aliased(Notice)
    first = (
        select(s.notice_id, func.min(s.served_ms).label("served_ms"))
        .where(s.community_id == scope.community_id)
        .group_by(s.notice_id)
        .subquery("first")
    )
    replaced = exists().where(
        newer.community_id == n.community_id, newer.replaces == n.id, newer.issued_ms < scope.end_ms
    )
    return (
        select(
            n.id.label("row_id"),
            first.c.served_ms.label("at_ms"),
            n.kind.label("category"),
            cast(null(), Text).label("severity"),
            literal("served", Text).label("state"),
            n.number.label("detail"),
        )
        .join(first, first.c.notice_id == n.id)
        .where(
            n.community_id == scope.community_id,
            n.kind == "evacuation",
            first.c.served_ms >= scope.start_ms,
            first.c.served_ms < scope.end_ms,
            ~replaced,
        )
    )


def homes_evacuated(scope: Scope) -> Rows:
    """Households whose last move before the period's end was out of a dangerous house, and lies in the period."""
    m = EvacuationMove
    last = (
        select(m.household_id, m.kind, m.moved_ms)
        .where(m.community_id == scope.community_id, m.moved_ms >= scope.start_ms, m.moved_ms < scope.end_ms)
        .ext(distinct_on(m.household_id))
        .order_by(m.household_id, m.moved_ms.desc(), m.fact_id.desc())
        .subquery("last")
    )
    return select(
        last.c.household_id.label("row_id"),
        last.c.moved_ms.label("at_ms"),
        literal("household", Text).label("category"),
        cast(null(), Text).label("severity"),
        last.c.kind.label("state"),
        cast(null(), Text).label("detail"),
    ).where(last.c.kind == "left")


def houses(scope: Scope, *, appraised: bool) -> Rows:
    """Self-built houses: described in the period, or on the list of a sweep of houses that ran in it.

    ``appraised``: of which the last description says so. A house that nobody described is known and not appraised.
    """
    described = answered.houses(scope, appraised=appraised)
    if appraised:
        return described
    c, door = Campaign, CampaignTarget
    listed = (
        select(
            door.place_id.label("row_id"),
            c.started_ms.label("at_ms"),
            literal(HOUSES, Text).label("category"),
            cast(null(), Text).label("severity"),
            cast(null(), Text).label("state"),
            cast(null(), Text).label("detail"),
            cast(null(), BigInteger).label(AMOUNT),
        )
        .join(c, and_(c.community_id == door.community_id, c.id == door.campaign_id))
        .where(
            door.community_id == scope.community_id,
            door.kind == "building",
            door.state != "not_applicable",
            c.forms.has_key(HOUSES),
            c.starts_ms < scope.end_ms,
            func.coalesce(c.ended_ms, c.ends_ms) > scope.start_ms,
        )
    )
    either = union_all(described, listed).subquery("either")
    return select(either).ext(distinct_on(either.c.row_id)).order_by(either.c.row_id, either.c.detail.nulls_last())
