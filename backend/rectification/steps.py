"""Taking a step at the console: stored and folded in the same transaction, or refused with nothing stored."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from backend.db import NIL_ID, new_id
from backend.hazards.models import Hazard
from backend.http.context import Runtime
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.models import Membership
from backend.inspections.models import RecordKey
from backend.rectification.compile import lock_places, store
from backend.rectification.errors import AssigneeUnknown, TaskChanged, TaskNotFound, not_applied
from backend.rectification.evidence import note_cited, refuse_unknown
from backend.rectification.models import RectificationTask, StepOutcome, TaskStep
from backend.rectification.projecting import Projector
from mobile_contract.version import CURRENT_SCHEMA


def take_step(
    session: Session,
    runtime: Runtime,
    community_id: UUID,
    hazard_id: UUID,
    kind: str,
    body: Mapping[str, Any],
    *,
    actor_id: UUID,
    actor_role: str,
    rev: int,
    now_ms: int,
) -> UUID:
    """Append a step and fold it; returns the step's id.

    ``body`` holds the kind's own fields as phones send them (ids as text). Raises TaskNotFound; TaskChanged when
    ``rev`` is not the task's present revision; AttachmentUnknown; StepNotApplied with the fold's reason.
    """
    hazard = session.get(Hazard, (community_id, hazard_id))
    if hazard is None:
        raise TaskNotFound
    place_id = hazard.place_id
    held = lock_places(session, community_id, [place_id])
    task = session.get(RectificationTask, (community_id, hazard_id), populate_existing=True)
    if task is None:
        raise TaskNotFound
    if task.rev != rev:
        raise TaskChanged(rev=task.rev)
    if kind in ("assign", "reassign"):
        _refuse_stranger(session, community_id, body.get("assignee_account_id"))
    refuse_unknown(session, community_id, body)
    step = TaskStep(
        community_id=community_id,
        id=new_id(),
        hazard_id=hazard_id,
        place_id=place_id,
        kind=kind,
        effective_ms=max(now_ms, _last_step_ms(session, community_id, hazard_id) + 1),
        install_id=NIL_ID,
        seq=0,
        actor_id=actor_id,
        actor_role=actor_role,
        from_record=False,
        wall_ms=None,
        schema_version=CURRENT_SCHEMA,
    )
    _keep(session, runtime, step, body)
    note_cited(session, community_id, step.id, place_id, body)
    projector = Projector.make(session, runtime, community_id)
    store(session, community_id, projector.project(session, held, lambda _: now_ms))
    _refuse_without_effect(session, step, rev)
    step_id = step.id
    session.expire_all()
    return step_id


def _refuse_without_effect(session: Session, step: TaskStep, rev: int) -> None:
    judged = select(StepOutcome).where(StepOutcome.community_id == step.community_id, StepOutcome.step_id == step.id)
    outcome = session.scalars(judged).one_or_none()
    if outcome is None:  # its place was merged into another this very moment
        raise TaskChanged(rev=rev)
    if not outcome.applied:
        raise not_applied(outcome.reason or "wrong_state")


def _keep(session: Session, runtime: Runtime, step: TaskStep, body: Mapping[str, Any]) -> None:
    """Store the step with its sealed body and the key to it."""
    content = {"step": {**body, "kind": step.kind, "hazard_id": str(step.hazard_id), "place_id": str(step.place_id)}}
    sealed = runtime.part(Keyring).sealer(session, step.community_id).seal(step.id, orjson.dumps(content))
    key = {"record_id": step.id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
    session.execute(insert(RecordKey).values(community_id=step.community_id, **key))
    step.sealed = sealed.body
    session.add(step)
    session.flush()
    audit(
        session,
        step.community_id,
        "step_taken",
        f"step:{step.id}",
        account_id=step.actor_id,
        at_ms=step.effective_ms,
        hazard=str(step.hazard_id),
        kind=step.kind,
        sha256=hashlib.sha256(sealed.body).hexdigest(),
    )


def _last_step_ms(session: Session, community_id: UUID, hazard_id: UUID) -> int:
    """Two steps of one task never share a millisecond, so that their order is the order they were taken in."""
    last = select(func.max(TaskStep.effective_ms)).where(
        TaskStep.community_id == community_id,
        TaskStep.hazard_id == hazard_id,
        TaskStep.from_record.is_(False),
    )
    return session.scalar(last) or 0


def _refuse_stranger(session: Session, community_id: UUID, account_id: str | None) -> None:
    if account_id is None:
        return
    found = select(Membership.id).where(
        Membership.community_id == community_id,
        Membership.account_id == UUID(account_id),
        Membership.revoked_at.is_(None),
    )
    if session.scalar(found.limit(1)) is None:
        raise AssigneeUnknown
