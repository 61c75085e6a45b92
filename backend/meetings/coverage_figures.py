"""Coverage in figures: doors registered, doors visited in the period, and how each visited door stands.

A door's visits of one period say one thing: inspected (``done``) before otherwise finished (``vacant``,
``not_applicable``) before the latest of the rest. So every visited door is counted once and
走访 = 完成 + 未见面 + 拒访 + 地址不符. An unanswered door is never finished. A place at which a visit to another one
filled a form was inspected too.
"""

from sqlalchemy import ColumnElement, Subquery, and_, case, cast, func, literal, null, select, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from backend.campaigns.coverage import TERMINAL as FINISHED
from backend.hazards.models import Observation
from backend.inspections.models import Visit
from backend.meetings.figures import PLACE_KINDS, Figure, Rows, Scope
from backend.places.models import Place

KINDS = list(PLACE_KINDS)


def registered(scope: Scope) -> Rows:
    """Places of the registry when the period ended; merged ones are counted under the one that stays."""
    return select(
        Place.id.label("row_id"),
        Place.registered_ms.label("at_ms"),
        Place.kind.label("category"),
        cast(null(), Text).label("severity"),
        Place.origin.label("state"),
        cast(null(), Text).label("detail"),
    ).where(
        Place.community_id == scope.community_id,
        Place.kind.in_(KINDS),
        Place.registered_ms < scope.end_ms,
        Place.merged_into.is_(None),
        ~Place.withdrawn,
    )


def in_period(scope: Scope) -> ColumnElement[bool]:
    return and_(
        Visit.community_id == scope.community_id,
        Visit.effective_ms >= scope.start_ms,
        Visit.effective_ms < scope.end_ms,
    )


def doors(scope: Scope) -> Subquery:
    """One row a visited door: its place, kind, outcome of the period, and the visit that says so."""
    at_header = select(Visit.place_id, Visit.id.label("visit_id"), Visit.effective_ms, Visit.outcome).where(
        in_period(scope)
    )
    o = Observation
    # A reassessment is an observation too, at a time of its own: it is no visit.
    beside = (
        select(o.place_id, o.visit_id, o.effective_ms, literal("done", Text))
        .join(Visit, and_(Visit.community_id == o.community_id, Visit.id == o.visit_id))
        .where(
            o.community_id == scope.community_id,
            o.effective_ms >= scope.start_ms,
            o.effective_ms < scope.end_ms,
            # The times are equal, but only a condition of its own keeps the planner from reading every visit ever made.
            in_period(scope),
            o.effective_ms == Visit.effective_ms,
            o.place_id != Visit.place_id,
        )
    )
    seen = union_all(at_header, beside).subquery("seen")
    rank = case((seen.c.outcome == "done", 0), (seen.c.outcome.in_(FINISHED), 1), else_=2)
    named, door = aliased(Place), aliased(Place)
    cid = scope.community_id
    return (
        select(
            door.id.label("row_id"),
            seen.c.effective_ms.label("at_ms"),
            door.kind.label("category"),
            cast(null(), Text).label("severity"),
            seen.c.outcome.label("state"),
            cast(seen.c.visit_id, Text).label("detail"),
        )
        .select_from(seen)
        .join(named, and_(named.community_id == cid, named.id == seen.c.place_id))
        .join(door, and_(door.community_id == cid, door.id == func.coalesce(named.merged_into, named.id)))
        .where(door.kind.in_(KINDS), ~door.withdrawn)
        .ext(distinct_on(door.id))
        .order_by(door.id, rank, seen.c.effective_ms.desc(), seen.c.visit_id.desc())
        .subquery("doors")
    )


def doors_with(scope: Scope, *outcomes: str) -> Rows:
    """Visited doors whose outcome is one of ``outcomes`` (any, when none is named)."""
    found = doors(scope)
    return select(found).where(found.c.state.in_(outcomes) if outcomes else true())


def visits(scope: Scope) -> Rows:
    """Every visit of the period, at whatever kind of place."""
    return (
        select(
            Visit.id.label("row_id"),
            Visit.effective_ms.label("at_ms"),
            Place.kind.label("category"),
            cast(null(), Text).label("severity"),
            Visit.outcome.label("state"),
            cast(null(), Text).label("detail"),
        )
        .join(Place, and_(Place.community_id == Visit.community_id, Place.id == Visit.place_id))
        .where(in_period(scope))
    )


def unverified(scope: Scope) -> Rows:
    """What the last visit of the period to each place and form could not see (待核), by chain and locus."""
    last = (
        select(Observation.visit_id, Observation.form, Observation.effective_ms, Observation.results)
        .where(
            Observation.community_id == scope.community_id,
            Observation.effective_ms >= scope.start_ms,
            Observation.effective_ms < scope.end_ms,
        )
        .ext(distinct_on(Observation.place_id, Observation.form))
        .order_by(Observation.place_id, Observation.form, Observation.effective_ms.desc(), Observation.visit_id.desc())
        .subquery("last")
    )
    chain = func.jsonb_each(last.c.results).table_valued("key", "value", name="chain").render_derived()
    locus = func.jsonb_each_text(chain.c.value).table_valued("key", "value", name="locus").render_derived()
    identity = last.c.form.concat("|").concat(chain.c.key)
    return (
        select(
            last.c.visit_id.label("row_id"),
            last.c.effective_ms.label("at_ms"),
            last.c.form.label("category"),
            cast(null(), Text).label("severity"),
            locus.c.value.label("state"),
            chain.c.key.concat(case((locus.c.key == "", ""), else_=literal(" ", Text).concat(locus.c.key))).label(
                "detail"
            ),
        )
        .select_from(last.join(chain, true()).join(locus, true()))
        .where(
            locus.c.value == "unknown",
            identity != func.all(cast(list(scope.service_gap_chains), ARRAY(Text))),
        )
    )


BY_KIND = ("category",)

COVERAGE_FIGURES = (
    Figure("registered", "登记", "个", "place", "本期结束时台账登记的楼栋、户和场所", registered, BY_KIND),
    Figure("visited", "走访", "个", "place", "本期走访过的楼栋、户和场所（不论结果）", doors_with, BY_KIND),
    Figure("reached", "入户", "个", "place", "本期入户检查的", lambda s: doors_with(s, "done"), BY_KIND),
    Figure(
        "completed",
        "完成",
        "个",
        "place",
        "本期已查、空置或不适用的；无人应答不算完成",
        lambda s: doors_with(s, *FINISHED),
        BY_KIND,
    ),
    Figure("not_met", "未见面", "个", "place", "本期走访均无人应答的", lambda s: doors_with(s, "no_answer"), BY_KIND),
    Figure("refused", "拒访", "个", "place", "本期最后一次走访被拒的", lambda s: doors_with(s, "refused"), BY_KIND),
    Figure(
        "wrong_address",
        "地址不符",
        "个",
        "place",
        "本期走访地址不符的",
        lambda s: doors_with(s, "wrong_address"),
        BY_KIND,
    ),
    Figure("visits", "走访次数", "次", "visit", "本期的每一次走访", visits),
    Figure("unverified", "待核", "项", "visit", "本期最后一次检查仍无法判定有无的项目", unverified, BY_KIND, "项目"),
)
