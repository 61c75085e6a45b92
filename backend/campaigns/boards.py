"""The daily board by grid, and the matrix of a building: building × floor × unit, a state a door."""

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns import queries
from backend.campaigns.coverage import STATES, TERMINAL
from backend.campaigns.models import Campaign, CampaignTarget
from backend.campaigns.rounds import Round
from backend.hazards.models import Hazard, Transition
from backend.inspections.models import Visit
from backend.places.models import Place
from backend.places.queries import in_scope

T = CampaignTarget
Shape = dict[str, Any]
_ROOM: Final = re.compile(r"(?:^|-|\D)(\d{1,2}?)(\d{2})[A-Z]?(?:室|房|号房|号)?$")


def board(session: Session, campaign: Campaign, one: Round, day_ms: int, scope: Sequence[str]) -> Shape:
    """How a round stands, by grid and in total: target = settled + outstanding, whatever was pushed in what order.

    ``frozen + found − merged − withdrawn = target`` says how the frozen denominator became what is to be visited;
    it is told to readers of the whole community only. ``day_ms``: the beginning of the day whose visits and hazards
    are counted.
    """
    counts = queries.counts_by_grid(session, campaign, one.n, scope)
    visits, hazards = _today(session, campaign, one, day_ms, scope)
    names = queries.names_of(session, campaign.community_id, counts)
    grids = [
        {
            "grid": None if grid_id is None else {"id": grid_id, "name": names.get(grid_id)},
            **_line(counts[grid_id], visits.get(grid_id, 0), hazards.get(grid_id, 0)),
        }
        for grid_id in sorted(counts, key=lambda g: (names.get(g, "") if g else "￿", str(g)))
    ]
    every = {key: sum(line[key] for line in counts.values()) for key in _KEYS}
    total = _line(every, sum(visits.values()), sum(hazards.values()))
    return {"grids": grids, "total": total, "denominator": None if scope else _denominator(session, campaign, every)}


_KEYS: Final = (*STATES, "frozen", "base", "found", "for_head")


def _line(counts: dict[str, int], visits: int, hazards: int) -> Shape:
    target, settled = sum(counts[state] for state in STATES), sum(counts[state] for state in TERMINAL)
    return {
        "target": target,
        "base": counts["base"],
        "found": counts["found"],
        "settled": settled,
        "outstanding": target - settled,
        "ratio": round(settled / target, 4) if target else None,
        "states": {state: counts[state] for state in STATES},
        "for_head": counts["for_head"],
        "visits_today": visits,
        "hazards_today": hazards,
    }


def _denominator(session: Session, campaign: Campaign, every: dict[str, int]) -> Shape:
    frozen = queries.count_frozen(session, campaign)
    return {
        "frozen": frozen,
        "found": every["found"],
        "merged": every["frozen"] - every["base"],
        "withdrawn": frozen - every["frozen"],
        "target": every["base"] + every["found"],
    }


def _today(
    session: Session, campaign: Campaign, one: Round, day_ms: int, scope: Sequence[str]
) -> tuple[dict[UUID | None, int], dict[UUID | None, int]]:
    """Visits of the day at the round's doors, and hazards registered there with its forms, by the doors' grid."""
    until = day_ms + clock.DAY_MS
    v, t, h = Visit, Transition, Hazard
    visited = (
        select(T.grid_id, func.count().label("number"))
        .select_from(v)
        .join(T, and_(T.community_id == v.community_id, T.place_id == v.place_id))
        .where(v.community_id == campaign.community_id, v.effective_ms >= day_ms, v.effective_ms < until)
        .where(queries.of_round(campaign, one.n), or_(v.outcome != "done", v.forms.overlap(list(campaign.forms))))
    )
    registered = (
        select(T.grid_id, func.count(h.id.distinct()).label("number"))
        .select_from(t)
        .join(h, and_(h.community_id == t.community_id, h.id == t.hazard_id))
        .join(T, and_(T.community_id == h.community_id, T.place_id == h.place_id))
        .where(t.community_id == campaign.community_id, t.effective_ms >= day_ms, t.effective_ms < until)
        .where(t.to_state == "registered", t.form.in_(list(campaign.forms)), ~t.service_gap)
        .where(queries.of_round(campaign, one.n))
    )
    visits, hazards = (
        {row.grid_id: int(row.number) for row in session.execute(queries.scoped(found, scope).group_by(T.grid_id))}
        for found in (visited, registered)
    )
    return visits, hazards


def matrix(session: Session, campaign: Campaign, one: Round, building_id: UUID, scope: Sequence[str]) -> Shape:
    """The doors of a building by unit and floor, with how each stands. BuildingNotInCampaign."""
    head = queries.get_building(session, campaign, one.n, building_id, scope)
    doors = queries.select_doors(campaign, one.n).where(queries.among_buildings(session, campaign, building_id))
    rows = session.execute(doors.where(in_scope(scope)).order_by(Place.name_pinyin, Place.id)).all()
    units = queries.names_of(session, campaign.community_id, {row.parent_id for row in rows})
    cells: dict[tuple[str, UUID], dict[int | None, list[Shape]]] = {}
    for row in rows:
        unit = row.place_id if row.place_id == building_id else row.parent_id
        floors = cells.setdefault((units.get(unit, row.name), unit), {})
        floors.setdefault(floor_of(row.name, row.address), []).append(
            {"place_id": row.place_id, "name": row.name, "kind": row.kind, "state": row.state, "found": not row.frozen}
        )
    return {
        **head,
        "units": [
            {
                "unit": {"id": unit_id, "name": name},
                "floors": [
                    {"floor": floor, "doors": floors[floor]}
                    for floor in sorted(floors, key=lambda f: (f is None, -(f or 0)))
                ],
            }
            for (name, unit_id), floors in sorted(cells.items(), key=lambda item: (item[0][0], str(item[0][1])))
        ],
    }


def floor_of(name: str, address: dict[str, Any] | None = None) -> int | None:
    """The floor that a room's number tells: 301室 is on the third, 1502 on the fifteenth; None when it tells none."""
    for said in (name, str((address or {}).get("room", ""))):
        if found := _ROOM.search(said.strip().upper()):
            return int(found[1]) or None
    return None
