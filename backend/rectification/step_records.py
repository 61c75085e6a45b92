"""The record type ``task_step``: a step taken on a phone, perhaps days before it arrives."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from backend.inspections.record_kinds import AcceptedRecord, FormLookup, Intake, Payload, RecordKind, Reference
from backend.rectification.models import TaskStep
from mobile_contract.sync.outcomes import Problem


def places_of(payload: Payload) -> Sequence[str]:
    """The place of the hazard the step is about."""
    step = payload.get("step")
    return () if step is None else (step["place_id"].lower(),)


def references(payload: Payload) -> Sequence[Reference]:
    """Its place. A hazard that is not known yet is no reference: the fold looks again at every compile."""
    return tuple(Reference("place", place) for place in places_of(payload))


def validate(payload: Payload, form_of: FormLookup) -> list[Problem]:
    """Nothing beyond the frame: an unknown kind of step is kept and does not apply."""
    return []


def keep_steps(intake: Intake, records: Sequence[AcceptedRecord]) -> None:
    """One row a step, for lists and trays; its content stays in the archive, corrections included."""
    rows = [
        {
            "community_id": intake.community_id,
            "id": record.id,
            "hazard_id": UUID(record.payload["step"]["hazard_id"]),
            "place_id": UUID(record.payload["step"]["place_id"]),
            "kind": record.payload["step"]["kind"],
            "effective_ms": record.effective_ms,
            "install_id": record.install_id,
            "seq": record.seq,
            "actor_id": record.author_id,
            "actor_role": record.actor_role,
            "actor_scopes": list(record.actor_scopes),
            "from_record": True,
            "wall_ms": record.wall_ms,
        }
        for record in records
        if record.root_id is None
    ]
    if rows:
        keep = insert(TaskStep)
        again = {name: keep.excluded[name] for name in ("effective_ms", "install_id")}
        intake.session.connection().execute(
            keep.on_conflict_do_update(index_elements=[TaskStep.community_id, TaskStep.id], set_=again), rows
        )


TASK_STEP = RecordKind("task_step", places_of, references, validate, keep_steps, keeps_facts=True)
