"""Who must put a hazard right and how, as its assignment says: read from the sealed step, masked for a paper."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.identity.keys import Sealer
from backend.identity.masking import mask_party, mask_prose, persons_in
from backend.rectification.models import RectificationTask
from backend.rectification.step_bodies import open_steps


class Assignment(NamedTuple):
    responsible: str
    measures: str


def find_assignments(
    session: Session, sealer: Sealer, community_id: UUID, hazard_ids: Iterable[UUID]
) -> dict[UUID, Assignment]:
    """Hazard → its assignment in force; absent when nobody was assigned or the step was lawfully erased."""
    task = RectificationTask
    assigned = session.execute(
        select(task.hazard_id, task.assign_step_id).where(
            task.community_id == community_id,
            task.hazard_id == func.any(list(hazard_ids)),
            task.assign_step_id.is_not(None),
        )
    ).all()
    bodies = open_steps(session, sealer, community_id, [row.assign_step_id for row in assigned if row.assign_step_id])
    return {
        row.hazard_id: masked(body.get("responsible_party") or "", body.get("measures") or "")
        for row in assigned
        if (body := bodies.get(row.assign_step_id)) is not None
    }


def masked(party: str, measures: str) -> Assignment:
    """What an assignment says, as everybody may read it."""
    return Assignment(mask_party(party), mask_prose(measures, persons_in(party)))
