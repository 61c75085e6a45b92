"""The same week's paper over a short and a long history.

Two communities have the same doors, the same week (visits, new hazards, hazards struck off) and the same hazards that
stand open from before; they differ in how many earlier weeks lie behind, at the same density. The rows are projections
as a compile would leave them, put in by SQL: the paper reads nothing else.
"""

import time
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import UUID

import psycopg

from backend import clock
from backend.meetings import making, queries, service
from backend.meetings.periods import Period, period_at
from tests.bench.sizes import Sizes
from tests.bench.stage import Community, Stage
from worker.frame import limit_time

WEEK_MS = 7 * clock.DAY_MS
#: One visit in ten finds a hazard; before the week all but the newest few are struck off within two days.
HAZARD_EVERY = 10
STILL_OPEN = 300
LEASE = timedelta(minutes=10)

_VISITS = """
INSERT INTO visit (community_id, id, place_id, grid_id, building_id, record_id, effective_ms, outcome, author_id, forms,
                   time_quality)
SELECT %(community)s, md5(%(part)s::text || n)::uuid, d.id, d.grid_id, d.building_id, md5(%(part)s::text || n)::uuid,
       %(start)s + n::bigint * %(step)s,
       CASE n %% 20 WHEN 7 THEN 'no_answer' WHEN 13 THEN 'vacant' ELSE 'done' END, %(author)s, '{ebike_charging}',
       'anchored'
FROM generate_series(0, %(count)s - 1) AS n
JOIN (SELECT id, grid_id, building_id, row_number() OVER (ORDER BY id) - 1 AS i FROM place
      WHERE community_id = %(community)s AND kind = 'household') d ON d.i = n %% %(doors)s
"""
_OBSERVATIONS = """
INSERT INTO observation (community_id, visit_id, place_id, form, rule_version, effective_ms, results)
SELECT community_id, id, place_id, 'ebike_charging', 1, effective_ms,
       CASE WHEN (effective_ms - %(start)s) / %(step)s::bigint %% %(every)s = 0
            THEN '{"EBC-ROUTE": {"STAIR/3F": "present"}}'::jsonb ELSE '{}'::jsonb END
FROM visit WHERE community_id = %(community)s AND outcome = 'done' AND effective_ms >= %(start)s
  AND effective_ms < %(start)s + %(count)s * %(step)s::bigint
"""
_HAZARDS = """
INSERT INTO hazard (community_id, id, place_id, grid_id, building_id, form, chain, locus, rules, rule_version, severity,
                    service_gap, state, cycle, registered_ms, deadline_ms, last_present_ms, closed_ms, contradicted)
SELECT v.community_id, md5('hazard' || v.id)::uuid, v.place_id, v.grid_id, v.building_id, 'ebike_charging', 'EBC-ROUTE',
       md5('hazard' || v.id), '{EBC-02}', 1, 'orange', false,
       CASE WHEN v.n >= %(closed)s THEN 'assigned' ELSE 'closed' END, 1, v.effective_ms, v.effective_ms + %(day)s,
       v.effective_ms, CASE WHEN v.n < %(closed)s THEN v.effective_ms + 2 * %(day)s END, false
FROM (SELECT *, row_number() OVER (ORDER BY effective_ms, id) - 1 AS n FROM visit
      WHERE community_id = %(community)s AND effective_ms >= %(start)s
        AND effective_ms < %(start)s + %(count)s * %(step)s::bigint
        AND (effective_ms - %(start)s) / %(step)s::bigint %% %(every)s = 0) v
"""
_TRANSITIONS = """
INSERT INTO transition (community_id, hazard_id, n, cycle, step, from_state, to_state, effective_ms, severity, form,
                        grid_id, service_gap, cause, cause_id)
SELECT h.community_id, h.id, m.n, 1, m.step, m.before, m.after, h.registered_ms + m.later, h.severity, h.form,
       h.grid_id, false, 'step', h.id
FROM hazard h CROSS JOIN (VALUES
    (1, 'register', NULL, 'registered', 0), (2, 'assign', 'registered', 'assigned', 3600000),
    (3, 'accept', 'assigned', 'fixing', 7200000), (4, 'submit', 'fixing', 'review', 86400000),
    (5, 'close', 'review', 'closed', 172800000)) AS m (n, step, before, after, later)
WHERE h.community_id = %(community)s AND h.registered_ms >= %(start)s AND (h.state = 'closed' OR m.n <= 2)
  AND h.registered_ms < %(start)s + %(count)s * %(step)s::bigint
"""
_NUMBERS = """
INSERT INTO ledger_number (community_id, hazard_id, number, form, year, seq, place_id, chain, locus)
SELECT community_id, id, 'P-' || row_number() OVER (ORDER BY registered_ms, id), form, 2026,
       row_number() OVER (ORDER BY registered_ms, id), place_id, chain, locus
FROM hazard WHERE community_id = %(community)s
"""


def papers(stage: Stage, sizes: Sizes) -> dict[str, Any]:
    """Medians of making the paper over either history, in alternation, and their ratio."""
    period = period_at("weekly", clock.now_ms()).previous()
    made: dict[str, UUID] = {}
    for name, history in (("short", sizes.short_history), ("long", sizes.long_history)):
        stage.say(f"papers: a history of {history:,} visits")
        community = stage.make_community(sizes.week_visits)
        _fill(stage, community, sizes, period, history)
        made[name] = community.id
    stage.analyze()
    seconds: dict[str, list[float]] = {name: [] for name in made}
    contents: dict[str, dict[str, int]] = {}
    for turn in range(sizes.papers + 1):
        for name, community_id in made.items():
            took, contents[name] = _make(stage, community_id, period)
            if turn:
                seconds[name].append(took)
    if contents["short"] != contents["long"] or not contents["long"]["new"]:
        raise RuntimeError(f"the same week has different figures: {contents}")
    short, long = median(seconds["short"]), median(seconds["long"])
    return {
        "growth": round(long / short, 3),
        "short": {"visits": sizes.short_history, "ms": round(short * 1000, 1)},
        "long": {"visits": sizes.long_history, "ms": round(long * 1000, 1)},
        "rounds_s": seconds,
        "figures": {key: contents["long"][key] for key in ("new", "closed", "open_start", "open_end", "visits")},
    }


def _make(stage: Stage, community_id: UUID, period: Period) -> tuple[float, dict[str, int]]:
    """Make the paper as the worker does; its seconds and figures."""
    db = stage.runtime.db
    with db.transaction([community_id]) as session:
        paper = service.request_paper(session, community_id, period, clock.now_ms())
    started = time.perf_counter()
    with db.transaction([community_id], isolation="REPEATABLE READ") as session:
        limit_time(session, LEASE)
        making.make_paper(session, stage.runtime, community_id, paper.id)
    took = time.perf_counter() - started
    with db.transaction([community_id]) as session:
        content = queries.get_paper(session, community_id, paper.id).content or {}
    return took, dict(content["figures"])


def _fill(stage: Stage, community: Community, sizes: Sizes, period: Period, history: int) -> None:
    """Earlier weeks at the week's own density, then the week. The last hazards of either stand open."""
    step = WEEK_MS // sizes.week_visits
    earlier = period.start_ms - history * step
    open_before = min(STILL_OPEN, sizes.short_history // HAZARD_EVERY)
    with stage.connect(community.id) as connection:
        _part(connection, community, "earlier", earlier, history, step, history // HAZARD_EVERY - open_before)
        week = sizes.week_visits
        _part(connection, community, "week", period.start_ms, week, step, week // HAZARD_EVERY // 2)
        connection.execute(_NUMBERS, {"community": community.id})


def _part(
    connection: psycopg.Connection[Any], community: Community, part: str, start: int, count: int, step: int, closed: int
) -> None:
    values = {
        "community": community.id,
        "part": f"{community.id}{part}",
        "start": start,
        "count": count,
        "step": step,
        "closed": closed,
        "every": HAZARD_EVERY,
        "day": clock.DAY_MS,
        "doors": len(community.doors),
        "author": community.phone.account_id,
    }
    for statement in (_VISITS, _OBSERVATIONS, _HAZARDS, _TRANSITIONS):
        connection.execute(statement, values)
