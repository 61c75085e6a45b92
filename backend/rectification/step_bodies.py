"""What steps say: the console's from their sealed rows, the phones' from the archive as last corrected."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.identity.keys import Sealed, Sealer
from backend.inspections.archive import load_records
from backend.inspections.models import Record, RecordKey
from backend.inspections.supervising import revisions
from backend.rectification.models import TaskStep
from mobile_contract.sync.ordering import effective_versions

StepBody = dict[str, Any]


def open_steps(
    session: Session, sealer: Sealer, community_id: UUID, step_ids: Collection[UUID]
) -> dict[UUID, StepBody]:
    """The fields of steps by step id, as phones send them; absent when voided or lawfully erased."""
    wanted = list(step_ids)
    if not wanted:
        return {}
    bodies = _console_steps(session, sealer, community_id, wanted)
    from_phones = [step_id for step_id in wanted if step_id not in bodies]
    return bodies | _phone_steps(session, sealer, community_id, from_phones) if from_phones else bodies


def _console_steps(session: Session, sealer: Sealer, community_id: UUID, ids: list[UUID]) -> dict[UUID, StepBody]:
    rows = session.execute(
        select(TaskStep.id, TaskStep.sealed, RecordKey.key_version, RecordKey.wrapped)
        .join(
            RecordKey,
            (RecordKey.community_id == TaskStep.community_id) & (RecordKey.record_id == TaskStep.id),
        )
        .where(TaskStep.community_id == community_id, TaskStep.id == func.any(ids))
        .where(TaskStep.from_record.is_(False), TaskStep.sealed.is_not(None))
    )
    return {
        step_id: orjson.loads(sealer.open(step_id, Sealed(sealed or b"", key_version, wrapped)))["step"]
        for step_id, sealed, key_version, wrapped in rows
    }


def _phone_steps(session: Session, sealer: Sealer, community_id: UUID, ids: list[UUID]) -> dict[UUID, StepBody]:
    family = session.scalars(
        select(Record.id).where(
            Record.community_id == community_id,
            or_(Record.id == func.any(ids), Record.root_id == func.any(ids)),
        )
    ).all()
    records = {str(record.id): record for record in load_records(session, sealer, community_id, family)}
    bodies: dict[UUID, StepBody] = {}
    for version in effective_versions(revisions(session, community_id, records.values())).effective:
        record = records.get(version.content_id or "")
        if record is not None and record.payload is not None:
            bodies[UUID(version.root_id)] = record.payload["step"]
    return bodies
