"""Reads of tasks for the office. Place scope: ``scope`` are ltree paths the reader is limited to; empty: no limit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, not_, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.hazards.lifecycle import CHASE_EVERY_MS
from backend.hazards.models import Hazard, LedgerNumber, is_retracted
from backend.identity.models import Account
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.errors import TaskNotFound
from backend.rectification.models import RectificationTask, StepOutcome, TaskStep

Task = RectificationTask
Building = aliased(Place, name="building")
Assignee = aliased(Account, name="assignee")
Actor = aliased(Account, name="step_actor")

#: States in which a deadline no longer runs.
SETTLED = ("closed", "void")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What a list of tasks is narrowed by. ``place_id``: there or anywhere below; ``overdue``: at ``now_ms``."""

    now_ms: int
    grid_id: UUID | None = None
    building_id: UUID | None = None
    place_id: UUID | None = None
    form: str | None = None
    severity: Collection[str] = ()
    state: Collection[str] = ()
    overdue: bool | None = None
    assignee_id: UUID | None = None
    service_gap: bool | None = None
    contradicted: bool | None = None
    chase_due: bool | None = None
    recheck: bool | None = None


def is_overdue(now_ms: int) -> ColumnElement[bool]:
    """The deadline has passed and nothing settled the task. Asked, never stored."""
    return and_(Hazard.deadline_ms < now_ms, Hazard.state.not_in(SETTLED))


def is_chase_due(now_ms: int) -> ColumnElement[bool]:
    """It is with another who was last written to a week ago. Asked, never stored."""
    return and_(Hazard.state == "referred", func.coalesce(Task.chased_ms, 0) + CHASE_EVERY_MS <= now_ms)


def select_tasks(community_id: UUID, scope: Sequence[str] = ()) -> Select[Any]:
    """One row a task with all that a line of a list shows."""
    return (
        select(
            *Hazard.__table__.columns,
            *(getattr(Task, name) for name in _TASK_COLUMNS),
            LedgerNumber.number,
            Place.path.label("place_path"),
            Place.name.label("place_name"),
            Place.kind.label("place_kind"),
            Place.field_code.label("place_code"),
            Building.name.label("building_name"),
            Assignee.name.label("assignee_name"),
        )
        .select_from(Hazard)
        .join(Task, and_(Task.community_id == Hazard.community_id, Task.hazard_id == Hazard.id))
        .join(Place, and_(Place.community_id == Hazard.community_id, Place.id == Hazard.place_id))
        .outerjoin(Building, and_(Building.community_id == Hazard.community_id, Building.id == Hazard.building_id))
        .outerjoin(
            LedgerNumber,
            and_(LedgerNumber.community_id == Hazard.community_id, LedgerNumber.hazard_id == Hazard.id),
        )
        .outerjoin(Assignee, Assignee.id == Task.assignee_id)
        .where(Hazard.community_id == community_id, in_scope(scope))
    )


_TASK_COLUMNS = (
    "rev",
    "closer",
    "assignee_id",
    "assign_step_id",
    "responsible_party_key",
    "submitter_id",
    "revisit_id",
    "steps_not_applied",
    "referred_ms",
    "chased_ms",
    "recheck_ms",
)


def list_tasks(
    session: Session,
    community_id: UUID,
    narrowed: TaskFilter,
    scope: Sequence[str],
    after: tuple[int, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` tasks by deadline, then id, after the key ``(deadline_ms, id)``; one statement."""
    found = select_tasks(community_id, scope).where(~is_retracted(), *_conditions(community_id, narrowed))
    if after is not None:
        found = found.where(tuple_(Hazard.deadline_ms, Hazard.id) > after)
    return session.execute(found.order_by(Hazard.deadline_ms, Hazard.id).limit(limit + 1)).all()


def _conditions(community_id: UUID, narrowed: TaskFilter) -> list[ColumnElement[bool]]:
    equal: tuple[tuple[Any, Any], ...] = (
        (Hazard.grid_id, narrowed.grid_id),
        (Hazard.building_id, narrowed.building_id),
        (Hazard.form, narrowed.form),
        (Task.assignee_id, narrowed.assignee_id),
        (Hazard.service_gap, narrowed.service_gap),
        (Hazard.contradicted, narrowed.contradicted),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if narrowed.severity:
        found.append(Hazard.severity.in_(narrowed.severity))
    if narrowed.state:
        found.append(Hazard.state.in_(narrowed.state))
    if narrowed.overdue is not None:
        overdue = is_overdue(narrowed.now_ms)
        found.append(overdue if narrowed.overdue else not_(overdue))
    if narrowed.chase_due is not None:
        due = is_chase_due(narrowed.now_ms)
        found.append(due if narrowed.chase_due else not_(due))
    if narrowed.recheck is not None:
        found.append(Task.recheck_ms.is_not(None) if narrowed.recheck else Task.recheck_ms.is_(None))
    if narrowed.place_id is not None:
        found.append(_stands_below(community_id, narrowed.place_id))
    return found


def _stands_below(community_id: UUID, place_id: UUID) -> ColumnElement[bool]:
    above = aliased(Place)
    path = select(above.path).where(above.community_id == community_id, above.id == place_id).scalar_subquery()
    return Place.path.op("<@", is_comparison=True)(path)


def get_task(session: Session, community_id: UUID, hazard_id: UUID, scope: Sequence[str]) -> Row[Any]:
    """One task's row; TaskNotFound when it is not there or outside ``scope``."""
    row = session.execute(select_tasks(community_id, scope).where(Hazard.id == hazard_id)).one_or_none()
    if row is None:
        raise TaskNotFound
    return row


def select_steps(community_id: UUID) -> Select[Any]:
    """One row a step that the fold has judged, with who took it and the ledger number of its hazard."""
    return (
        select(*_STEP_COLUMNS)
        .join(TaskStep, and_(TaskStep.community_id == StepOutcome.community_id, TaskStep.id == StepOutcome.step_id))
        .join(Place, and_(Place.community_id == StepOutcome.community_id, Place.id == StepOutcome.place_id))
        .outerjoin(Actor, Actor.id == TaskStep.actor_id)
        .outerjoin(
            LedgerNumber,
            and_(
                LedgerNumber.community_id == StepOutcome.community_id,
                LedgerNumber.hazard_id == StepOutcome.hazard_id,
            ),
        )
        .where(StepOutcome.community_id == community_id)
    )


_STEP_COLUMNS: tuple[Any, ...] = (
    StepOutcome.step_id,
    StepOutcome.hazard_id,
    StepOutcome.applied,
    StepOutcome.reason,
    TaskStep.kind,
    TaskStep.effective_ms,
    TaskStep.wall_ms,
    TaskStep.received_at,
    TaskStep.actor_id,
    TaskStep.actor_role,
    TaskStep.from_record,
    Actor.name.label("actor_name"),
    LedgerNumber.number,
    StepOutcome.place_id,
    Place.name.label("place_name"),
    Place.kind.label("place_kind"),
    Place.field_code.label("place_code"),
)


def list_steps_not_applied(
    session: Session, community_id: UUID, scope: Sequence[str], before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` steps that took no effect, newest made first."""
    found = select_steps(community_id).where(
        StepOutcome.applied.is_(False), StepOutcome.reason != "undone", in_scope(scope)
    )
    if before is not None:
        found = found.where(StepOutcome.step_id < before)
    return session.execute(found.order_by(StepOutcome.step_id.desc()).limit(limit + 1)).all()


def open_first() -> ColumnElement[int]:
    """Sort key: open tasks before settled ones."""
    return case((Hazard.state.in_(SETTLED), 1), else_=0)
