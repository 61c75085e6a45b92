"""The printable statement of a campaign: 不漏一栋、不落一户, with every missed door by name and why."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns import boards, queries
from backend.campaigns.coverage import STATES, TERMINAL
from backend.campaigns.models import Campaign, CampaignTarget
from backend.campaigns.rounds import Round
from backend.meetings.html import PAGES
from backend.meetings.labels import PLACE_KIND_ZH, load_labels
from backend.meetings.paper_blocks import chinese_date
from backend.places.queries import in_scope

Shape = dict[str, Any]
Doors = Sequence[Row[*tuple[Any, ...]]]


def statement_page(
    session: Session, campaign: Campaign, one: Round, scope: Sequence[str], now_ms: int, community: str
) -> str:
    """The page, as the facts stand at ``now_ms``; ``scope``: paths the reader is limited to."""
    day_ms = clock.day_start_ms(clock.local_day(now_ms))
    board = boards.board(session, campaign, one, day_ms, scope)
    labels = load_labels(session)
    return PAGES.get_template("statement.html").render(
        community=community,
        campaign=campaign.name,
        number=one.n if campaign.cadence != "once" else None,
        period=f"{chinese_date(clock.local_day(one.from_ms))}至{chinese_date(clock.local_day(one.to_ms - 1))}",
        forms="、".join(labels.form(code) for code in sorted(campaign.forms)),
        day=chinese_date(clock.local_day(now_ms)),
        at=clock.iso(now_ms),
        board=board,
        kinds=_by_kind(session, campaign, one.n, scope),
        states={state: zh for state, (zh, _) in STATES.items()},
        terminal=TERMINAL,
        missed=_missed(session, campaign, one.n, scope, labels.form),
        gone=[] if scope else _gone(session, campaign),
        whole=not scope,
    )


def _by_kind(session: Session, campaign: Campaign, n: int, scope: Sequence[str]) -> list[Shape]:
    """A line a kind of place: buildings say 不漏一栋, households 不落一户."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"target": 0, "settled": 0})
    for row in session.execute(queries.counts_by_kind(campaign, n, scope)):
        counts[row.kind]["target"] += row.doors
        counts[row.kind]["settled"] += row.doors if row.state in TERMINAL else 0
    return [
        {"kind": zh, **counts[kind], "outstanding": counts[kind]["target"] - counts[kind]["settled"]}
        for kind, zh in PLACE_KIND_ZH.items()
        if kind in counts
    ]


def _missed(session: Session, campaign: Campaign, n: int, scope: Sequence[str], form_of: Any) -> list[Shape]:
    """Grid by grid, every door that is still to be visited."""
    found = queries.select_doors(campaign, n).where(CampaignTarget.state.not_in(TERMINAL), in_scope(scope))
    doors: Doors = session.execute(found).all()
    names = queries.whole_names(session, campaign.community_id, {row.place_id: row.path for row in doors})
    grids: dict[UUID | None, list[Shape]] = defaultdict(list)
    for row in sorted(doors, key=lambda row: (names[row.place_id], str(row.place_id))):
        grids[row.grid_id].append(
            {
                "name": names[row.place_id],
                "code": row.field_code,
                "kind": PLACE_KIND_ZH.get(row.kind, row.kind),
                "reason": STATES[row.state][0],
                "forms": "、".join(form_of(code) for code in row.forms_left) if row.state == "partial" else "",
                "attempts": row.attempts,
                "slots": row.slots,
                "last": clock.iso(row.visit_ms),
                "found": not row.frozen,
                "for_head": row.for_head,
            }
        )
    titles = queries.names_of(session, campaign.community_id, grids)
    return [
        {"grid": titles.get(grid_id, "") if grid_id else "未划网格", "doors": grids[grid_id]}
        for grid_id in _sorted(grids, titles)
    ]


def _sorted(grids: Iterable[UUID | None], titles: dict[UUID, str]) -> list[UUID | None]:
    return sorted(grids, key=lambda g: (g is None, titles.get(g, "") if g else "", str(g)))


def _gone(session: Session, campaign: Campaign) -> list[Shape]:
    """Frozen doors that are none of their own any more, and why."""
    rows = queries.list_gone(session, campaign)
    names = queries.whole_names(session, campaign.community_id, {row.id: row.path for row in rows})
    into = queries.names_of(session, campaign.community_id, [row.merged_into for row in rows])
    return [
        {
            "name": names[row.id],
            "why": "新增登记已撤回" if row.withdrawn else f"与{into.get(row.merged_into, '')}为同一处，已合并",
        }
        for row in rows
    ]
