"""What waits when a period ends, in figures: they say what is to be done next and are not corrected later."""

from sqlalchemy import ColumnElement, Subquery, exists, select

from backend.hazards.models import Hazard
from backend.meetings.figures import Figure, Rows, Scope
from backend.meetings.hazard_figures import standing


def _waiting(scope: Scope, *states: str) -> Rows:
    rows = standing(scope, scope.end_ms).subquery("standing")
    return select(rows).where(rows.c.state.in_(states))


def due_next(scope: Scope) -> Rows:
    """Open hazards whose deadline lies in the next period (or in what is left of a running one)."""
    rows = standing(scope, scope.end_ms).subquery("standing")
    return select(rows).where(_is_due(scope, rows))


def _is_due(scope: Scope, rows: Subquery) -> ColumnElement[bool]:
    return exists().where(
        Hazard.community_id == scope.community_id,
        Hazard.id == rows.c.row_id,
        Hazard.deadline_ms >= scope.as_of_ms,
        Hazard.deadline_ms < scope.next_end_ms,
    )


BY_SEVERITY = ("severity",)

OUTLOOK_FIGURES = (
    Figure("due_next", "下期到期", "处", "hazard", "期末未销号、整改期限在下期内的隐患", due_next, BY_SEVERITY),
    Figure(
        *("in_review", "待复查", "处", "hazard", "期末已报整改、等待复查的隐患"),
        lambda s: _waiting(s, "review"),
        BY_SEVERITY,
    ),
    Figure(
        *("awaiting", "移交待反馈", "处", "hazard", "期末已移交上级、尚未收到反馈的隐患"),
        lambda s: _waiting(s, "referred"),
        BY_SEVERITY,
    ),
)
