"""Reads of campaigns and their coverage. ``scope``: ltree paths the reader is limited to; empty means no limit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from backend.campaigns.coverage import SLOTS_FOR_HEAD, STATES, TERMINAL
from backend.campaigns.errors import BuildingNotInCampaign, CampaignNotFound, CampaignNotRunning, RoundUnknown
from backend.campaigns.models import Campaign, CampaignBase, CampaignStep, CampaignTarget
from backend.campaigns.projecting import running_rounds
from backend.campaigns.rounds import Round, round_at
from backend.places.facts import among
from backend.places.models import Place
from backend.places.queries import in_scope

T = CampaignTarget


def get_campaign(session: Session, community_id: UUID, campaign_id: UUID) -> Campaign:
    """A campaign; CampaignNotFound."""
    found = select(Campaign).where(Campaign.community_id == community_id, Campaign.id == campaign_id)
    campaign = session.scalar(found.execution_options(populate_existing=True))
    if campaign is None:
        raise CampaignNotFound
    return campaign


def list_campaigns(session: Session, community_id: UUID, before: UUID | None, limit: int) -> Sequence[Campaign]:
    """Up to ``limit + 1`` campaigns, newest first."""
    found = select(Campaign).where(Campaign.community_id == community_id)
    if before is not None:
        found = found.where(Campaign.id < before)
    return session.scalars(found.order_by(Campaign.id.desc()).limit(limit + 1)).all()


def get_round(campaign: Campaign, n: int | None, now_ms: int) -> Round:
    """The ``n``-th round of a started campaign, or the one that runs now. CampaignNotRunning or RoundUnknown."""
    if campaign.started_ms is None:
        raise CampaignNotRunning
    rounds = running_rounds(campaign)
    found = round_at(rounds, now_ms) if n is None else next((one for one in rounds if one.n == n), None)
    if found is None:
        raise RoundUnknown
    return found


def of_round(campaign: Campaign, n: int) -> ColumnElement[bool]:
    """Targets of one round."""
    return and_(T.community_id == campaign.community_id, T.campaign_id == campaign.id, T.round == n)


def scoped(found: Select[*tuple[Any, ...]], scope: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Only targets within the reader's paths."""
    if not scope:
        return found
    return found.join(Place, and_(Place.community_id == T.community_id, Place.id == T.place_id)).where(in_scope(scope))


def is_for_head() -> ColumnElement[bool]:
    """Tried in vain in three different time slots: the grid head's."""
    return and_(T.state.not_in(TERMINAL), T.slots >= SLOTS_FOR_HEAD)


def counts_by_grid(
    session: Session, campaign: Campaign, n: int, scope: Sequence[str] = ()
) -> dict[UUID | None, dict[str, int]]:
    """Grid → how many doors in each state, and ``frozen`` (frozen doors they stand for), ``base`` (targets that were
    frozen), ``found`` and ``for_head``."""
    columns = (
        T.grid_id,
        T.state,
        func.count().label("doors"),
        func.sum(T.frozen).label("frozen"),
        func.count().filter(T.frozen == 0).label("found"),
        func.count().filter(is_for_head()).label("for_head"),
    )
    found = scoped(select(*columns).where(of_round(campaign, n)), scope).group_by(T.grid_id, T.state)
    grids: dict[UUID | None, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys((*STATES, "frozen", "base", "found", "for_head"), 0)
    )
    for row in session.execute(found):
        counts = grids[row.grid_id]
        counts[row.state] += row.doors
        counts["frozen"] += int(row.frozen)
        counts["found"] += row.found
        counts["base"] += row.doors - row.found
        counts["for_head"] += row.for_head
    return dict(grids)


def counts_by_kind(campaign: Campaign, n: int, scope: Sequence[str] = ()) -> Select[*tuple[Any, ...]]:
    """``kind``, ``state`` and ``doors`` of a round."""
    found: Select[*tuple[Any, ...]] = select(T.kind, T.state, func.count().label("doors"))
    return scoped(found.where(of_round(campaign, n)), scope).group_by(T.kind, T.state)


def list_gone(session: Session, campaign: Campaign) -> Sequence[Row[*tuple[Any, ...]]]:
    """Doors of the frozen denominator that are no targets of their own any more: merged into another, or withdrawn."""
    p = Place
    found = select(p.id, p.name, p.kind, p.path, p.merged_into, p.withdrawn).join(
        CampaignBase, and_(CampaignBase.community_id == p.community_id, CampaignBase.place_id == p.id)
    )
    found = found.where(CampaignBase.community_id == campaign.community_id, CampaignBase.campaign_id == campaign.id)
    return session.execute(found.where(p.withdrawn | p.merged_into.is_not(None)).order_by(p.id)).all()


def count_frozen(session: Session, campaign: Campaign) -> int:
    """The size of the frozen denominator."""
    counted = select(func.count()).select_from(CampaignBase)
    here = (CampaignBase.community_id == campaign.community_id, CampaignBase.campaign_id == campaign.id)
    return session.scalar(counted.where(*here)) or 0


def select_doors(campaign: Campaign, n: int) -> Select[*tuple[Any, ...]]:
    """Targets with their places."""
    columns = (
        *(T.place_id, T.kind, T.grid_id, T.building_id, T.frozen, T.state, T.attempts, T.slots, T.forms_left),
        *(T.visit_id, T.visit_ms, Place.name, Place.field_code, Place.path, Place.parent_id, Place.address),
        is_for_head().label("for_head"),
    )
    joined = and_(Place.community_id == T.community_id, Place.id == T.place_id)
    return select(*columns).join(Place, joined).where(of_round(campaign, n))


def list_doors(
    session: Session,
    campaign: Campaign,
    n: int,
    narrowed: Mapping[str, Any],
    scope: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Up to ``limit + 1`` doors by id. ``narrowed``: ``grid``, ``building``, ``state``, ``missed``, ``for_head``."""
    found = select_doors(campaign, n).where(in_scope(scope))
    if narrowed.get("grid") is not None:
        found = found.where(T.grid_id == narrowed["grid"])
    if narrowed.get("building") is not None:
        found = found.where(T.building_id == narrowed["building"])
    if narrowed.get("state") is not None:
        found = found.where(T.state == narrowed["state"])
    if narrowed.get("missed") is not None:
        found = found.where(T.state.not_in(TERMINAL) if narrowed["missed"] else T.state.in_(TERMINAL))
    if narrowed.get("for_head"):
        found = found.where(is_for_head())
    if after is not None:
        found = found.where(T.place_id > after)
    return session.execute(found.order_by(T.place_id).limit(limit + 1)).all()


def names_of(session: Session, community_id: UUID, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Place id → name."""
    wanted = {place_id for place_id in ids if place_id is not None}
    found = select(Place.id, Place.name).where(Place.community_id == community_id, among(Place.id, wanted))
    return {row.id: row.name for row in session.execute(found)}


def whole_names(session: Session, community_id: UUID, paths: Mapping[UUID, str]) -> dict[UUID, str]:
    """Place id → ``1栋 2单元 301室``: its name after those of all above it, down from below the grid. ``paths``: id →
    ltree path."""
    lines = {place_id: [UUID(label) for label in path.split(".")] for place_id, path in paths.items()}
    every = {above for line in lines.values() for above in line}
    found = select(Place.id, Place.name, Place.kind).where(Place.community_id == community_id, among(Place.id, every))
    known = {row.id: row for row in session.execute(found)}
    above_doors = ("community", "grid", "micro_grid")
    return {
        place_id: " ".join(known[i].name for i in line if i in known and known[i].kind not in above_doors)
        for place_id, line in lines.items()
    }


# --- buildings --------------------------------------------------------------------------------------------------------


def building_states(
    session: Session,
    campaign: Campaign,
    n: int,
    scope: Sequence[str] = (),
    after: UUID | None = None,
    limit: int | None = None,
    only: UUID | None = None,
) -> list[dict[str, Any]]:
    """Buildings with targets by id: counts, and what was last said about them (``open`` when nothing was).

    ``contradicted``: approved, and yet doors are to be visited (a record came late, or a door was found since).
    A building that was merged into another is counted with it.
    """
    named, door = aliased(Place), aliased(Place)
    building = func.coalesce(named.merged_into, named.id)
    settled = case((T.state.in_(TERMINAL), 1), else_=0)
    found = (
        select(building.label("id"), func.count().label("doors"), func.sum(settled).label("settled"))
        .select_from(T)
        .join(named, and_(named.community_id == T.community_id, named.id == T.building_id))
        .where(of_round(campaign, n))
        .group_by(building)
        .order_by(building)
    )
    if scope:
        found = found.join(door, and_(door.community_id == T.community_id, door.id == building))
        found = found.where(door.id.in_(select(Place.id).where(Place.community_id == T.community_id, in_scope(scope))))
    if only is not None:
        found = found.where(among_buildings(session, campaign, only))
    if after is not None:
        found = found.where(building > after)
    rows = session.execute(found if limit is None else found.limit(limit)).all()
    said = _last_said(session, campaign, n, [row.id for row in rows])
    names = names_of(session, campaign.community_id, [row.id for row in rows])
    return [_building(row, names.get(row.id), said.get(row.id)) for row in rows]


def among_buildings(session: Session, campaign: Campaign, building_id: UUID) -> ColumnElement[bool]:
    """Targets of a building and of those merged into it."""
    same = select(Place.id).where(Place.community_id == campaign.community_id, Place.merged_into == building_id)
    return T.building_id == func.any([building_id, *session.scalars(same)])


def get_building(
    session: Session, campaign: Campaign, n: int, building_id: UUID, scope: Sequence[str]
) -> dict[str, Any]:
    """One building of a round; BuildingNotInCampaign."""
    found = building_states(session, campaign, n, scope, only=building_id)
    if not found:
        raise BuildingNotInCampaign
    return found[0]


def _building(row: Row[*tuple[Any, ...]], name: str | None, said: Row[*tuple[Any, ...]] | None) -> dict[str, Any]:
    state, outstanding = (said.kind if said else "open"), row.doors - int(row.settled)
    return {
        "building": {"id": row.id, "name": name},
        "doors": row.doors,
        "settled": int(row.settled),
        "outstanding": outstanding,
        "state": state,
        "contradicted": state == "approved" and outstanding > 0,
        "since_ms": said.effective_ms if said else None,
        "by": said.actor_id if said else None,
        "note": said.note if said else None,
    }


def _last_said(
    session: Session, campaign: Campaign, n: int, buildings: Sequence[UUID]
) -> dict[UUID, Row[*tuple[Any, ...]]]:
    s = CampaignStep
    found = select(s.building_id, s.kind, s.effective_ms, s.actor_id, s.note).where(
        s.community_id == campaign.community_id, s.campaign_id == campaign.id, s.round == n
    )
    found = found.where(among(s.building_id, buildings)).order_by(s.building_id, s.effective_ms, s.id)
    return {row.building_id: row for row in session.execute(found)}
