"""Hazards in figures: what changed in a period, and what stood open at an instant.

Changes are the period's transitions. What stood open at an instant follows from each candidate's last transition
before it; candidates are the hazards open now and those with a transition since that instant, for any other hazard
was not open then. So a paper costs what its own period and today's open items cost, however long the history is.
Service gaps (服务缺口) are no hazards and have figures of their own.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, cast, exists, or_, select, true, union
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from backend.hazards.models import OPEN_STATES, Hazard, Transition
from backend.meetings.figures import Figure, Rows, Scope


def is_open(state: Any) -> ColumnElement[bool]:
    """``state`` is one of the open ones (rendered as literals, so that the partial index of open hazards is used)."""
    condition: ColumnElement[bool] = state.in_(bindparam(None, list(OPEN_STATES), expanding=True, literal_execute=True))
    return condition


def changes(scope: Scope, *conditions: ColumnElement[bool], gap: bool = False) -> Rows:
    """Transitions inside the period that meet ``conditions``; a hazard may be counted for each of its changes."""
    t = Transition
    return select(
        t.hazard_id.label("row_id"),
        t.effective_ms.label("at_ms"),
        t.form.label("category"),
        t.severity.label("severity"),
        t.to_state.label("state"),
        cast(t.n, Text).label("detail"),
    ).where(
        t.community_id == scope.community_id,
        t.effective_ms >= scope.start_ms,
        t.effective_ms < scope.end_ms,
        t.service_gap.is_(gap),
        *conditions,
    )


def was_open() -> ColumnElement[bool]:
    return and_(Transition.from_state.is_not(None), is_open(Transition.from_state))


def was_not_open() -> ColumnElement[bool]:
    return or_(Transition.from_state.is_(None), ~is_open(Transition.from_state))


def opened(scope: Scope, gap: bool = False) -> Rows:
    """First registrations: cycle 1."""
    return changes(scope, was_not_open(), is_open(Transition.to_state), Transition.cycle == 1, gap=gap)


def rebounded(scope: Scope) -> Rows:
    return changes(scope, was_not_open(), is_open(Transition.to_state), Transition.cycle > 1)


def closed(scope: Scope, gap: bool = False) -> Rows:
    return changes(scope, was_open(), Transition.to_state == "closed", gap=gap)


def voided(scope: Scope) -> Rows:
    return changes(scope, was_open(), Transition.to_state == "void")


def referred(scope: Scope) -> Rows:
    return changes(scope, Transition.to_state == "referred", Transition.from_state != "referred")


def answered(scope: Scope) -> Rows:
    return changes(scope, Transition.from_state == "referred", Transition.to_state == "review")


def standing(scope: Scope, at_ms: int, *, gap: bool = False, overdue: bool = False) -> Rows:
    """Hazards open at the instant ``at_ms``, with the severity and state they had then.

    A severity that rose without a change of state is the hazard's own, as long as nothing happened after ``at_ms``.
    ``overdue``: only those whose deadline had passed by the scope's as-of instant; ``at_ms`` of a row is then the
    deadline. The deadline is that of the cycle that stood open.
    """
    cid = scope.community_id
    open_now = select(Hazard.id.label("id")).where(Hazard.community_id == cid, is_open(Hazard.state))
    moved_since = select(Transition.hazard_id).where(Transition.community_id == cid, Transition.effective_ms >= at_ms)
    candidate = union(open_now, moved_since).subquery("candidate")
    t, later = aliased(Transition), aliased(Transition)
    # Laterals with a limit are looked up by key for each candidate; a join might read every hazard there ever was.
    last = (
        select(t.cycle, t.effective_ms, t.form, t.severity, t.to_state, t.service_gap, t.n)
        .where(t.community_id == cid, t.hazard_id == candidate.c.id, t.effective_ms < at_ms)
        .order_by(t.n.desc())
        .limit(1)
        .lateral("last")
    )
    now = (
        select(Hazard.cycle, Hazard.deadline_ms, Hazard.severity)
        .where(Hazard.community_id == cid, Hazard.id == candidate.c.id)
        .limit(1)
        .lateral("now")
    )
    moved_on = exists().where(later.community_id == cid, later.hazard_id == candidate.c.id, later.n > last.c.n)
    conditions = [is_open(last.c.to_state), last.c.service_gap.is_(gap)]
    if overdue:
        conditions += [now.c.cycle == last.c.cycle, now.c.deadline_ms < scope.as_of_ms]
    return (
        select(
            candidate.c.id.label("row_id"),
            (now.c.deadline_ms if overdue else last.c.effective_ms).label("at_ms"),
            last.c.form.label("category"),
            case((moved_on, last.c.severity), else_=now.c.severity).label("severity"),
            last.c.to_state.label("state"),
            cast(last.c.n, Text).label("detail"),
        )
        .select_from(candidate.join(last, true()).join(now, true()))
        .where(*conditions)
    )


BOTH = ("severity", "category")

HAZARD_FIGURES = (
    Figure(
        "open_start",
        "期初未销号",
        "处",
        "hazard",
        "本期开始时尚未销号的隐患（含已移交的）",
        lambda s: standing(s, s.start_ms),
        BOTH,
    ),
    Figure("new", "新增隐患", "处", "hazard", "本期首次发现登记的隐患", opened, BOTH),
    Figure("rebound", "反弹", "处", "hazard", "销号（或撤销）后本期再次出现的隐患，沿用原编号", rebounded, BOTH),
    Figure("closed", "整改销号", "处", "hazard", "本期经复查销号的隐患", closed, BOTH),
    Figure("void", "撤销", "处", "hazard", "本期因误报或合并撤销的隐患", voided, BOTH),
    Figure("referred", "移交", "处", "hazard", "本期移交上级部门的隐患，销号前仍计入未销号", referred, BOTH),
    Figure("answered", "移交反馈", "处", "hazard", "本期收到移交反馈、转入待复查的隐患", answered, BOTH),
    Figure(
        "open_end",
        "期末未销号",
        "处",
        "hazard",
        "本期结束时尚未销号的隐患（含已移交的）",
        lambda s: standing(s, s.end_ms),
        BOTH,
    ),
    Figure(
        "overdue",
        "逾期未整改",
        "处",
        "hazard",
        "本期结束时已过整改期限而未销号的隐患",
        lambda s: standing(s, s.end_ms, overdue=True),
        BOTH,
    ),
    Figure(
        "gap_new",
        "新增服务缺口",
        "处",
        "hazard",
        "本期首次登记的服务缺口（不计入隐患）",
        lambda s: opened(s, gap=True),
    ),
    Figure(
        "gap_closed",
        "解决服务缺口",
        "处",
        "hazard",
        "本期解决的服务缺口（不计入隐患）",
        lambda s: closed(s, gap=True),
    ),
    Figure(
        "gap_open_end",
        "期末服务缺口",
        "处",
        "hazard",
        "本期结束时尚未解决的服务缺口（不计入隐患）",
        lambda s: standing(s, s.end_ms, gap=True),
    ),
)
