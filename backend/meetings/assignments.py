"""Who must put a hazard right and how, as its assignment says: read from the sealed step, masked for a paper."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.identity.keys import Sealer
from backend.identity.masking import mask_party, mask_text
from backend.inspections.archive import load_records, revision_of
from backend.inspections.models import Record, RecordKey
from backend.rectification.loading import open_step
from backend.rectification.models import RectificationTask, TaskStep
from mobile_contract.sync.ordering import effective_versions


class Assignment(NamedTuple):
    responsible: str
    measures: str


def find_assignments(
    session: Session, sealer: Sealer, community_id: UUID, hazard_ids: Iterable[UUID]
) -> dict[UUID, Assignment]:
    """Hazard → its assignment in force; absent when nobody was assigned or the step was lawfully erased."""
    assigned: dict[UUID, UUID] = {
        step_id: hazard_id
        for hazard_id, step_id in session.execute(
            select(RectificationTask.hazard_id, RectificationTask.assign_step_id).where(
                RectificationTask.community_id == community_id,
                RectificationTask.hazard_id == func.any(list(hazard_ids)),
                RectificationTask.assign_step_id.is_not(None),
            )
        )
        if step_id is not None
    }
    bodies = _console_steps(session, sealer, community_id, list(assigned))
    bodies |= _phone_steps(session, sealer, community_id, [i for i in assigned if i not in bodies])
    return {
        assigned[step_id]: Assignment(
            mask_party(body.get("responsible_party") or ""), mask_text(body.get("measures") or "")
        )
        for step_id, body in bodies.items()
    }


def _console_steps(session: Session, sealer: Sealer, community_id: UUID, ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = session.execute(
        select(TaskStep, RecordKey)
        .join(
            RecordKey,
            (RecordKey.community_id == TaskStep.community_id) & (RecordKey.record_id == TaskStep.id),
        )
        .where(TaskStep.community_id == community_id, TaskStep.id == func.any(ids))
        .where(TaskStep.from_record.is_(False), TaskStep.sealed.is_not(None))
    )
    return {step.id: open_step(sealer, step, key) for step, key in rows}


def _phone_steps(session: Session, sealer: Sealer, community_id: UUID, ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """Steps that came as records, each as its last accepted correction says it."""
    family = session.scalars(
        select(Record.id).where(
            Record.community_id == community_id,
            or_(Record.id == func.any(ids), Record.root_id == func.any(ids)),
        )
    ).all()
    records = {str(r.id): r for r in load_records(session, sealer, community_id, family)}
    bodies: dict[UUID, dict[str, Any]] = {}
    for version in effective_versions(revision_of(record) for record in records.values()).effective:
        record = records.get(version.content_id or "")
        if record is not None and record.payload is not None:
            bodies[UUID(version.root_id)] = record.payload["step"]
    return bodies
