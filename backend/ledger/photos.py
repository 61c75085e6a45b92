"""How many pictures tell a hazard before and after it was put right."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.orm import Session

from backend.hazards.models import Hazard, Observation
from backend.identity.keys import Sealer
from backend.inspections.archive import load_records
from backend.inspections.models import Record
from backend.inspections.supervising import revisions
from backend.rectification.models import StepOutcome, TaskStep
from backend.rectification.step_bodies import open_steps
from mobile_contract.sync.ordering import effective_versions


def count_photos(
    session: Session, sealer: Sealer, community_id: UUID, rows: Sequence[Row[Any]]
) -> dict[UUID, tuple[str, str]]:
    """Hazard → pictures of the visit that saw it last, and those with which it was reported as put right (or fixed on
    the spot): ``("2张", "")``."""
    seen = _last_sightings(session, community_id, [row.id for row in rows])
    payloads = open_visits(session, sealer, community_id, set(seen.values()))
    before = {hazard_id: _pictures(payloads.get(visit_id, {})) for hazard_id, visit_id in seen.items()}
    after = _after(session, sealer, community_id, [row.id for row in rows])
    for row in rows:
        after[row.id] = after.get(row.id, 0) + _fixed(payloads.get(seen.get(row.id, row.id), {}), row)
    return {row.id: (_said(before.get(row.id, 0)), _said(after[row.id])) for row in rows}


def _said(count: int) -> str:
    return f"{count}张" if count else ""


def _pictures(payload: Mapping[str, Any]) -> int:
    return sum(str(a.get("mime", "")).startswith("image/") for a in payload.get("attachments") or ())


def _fixed(payload: Mapping[str, Any], row: Row[Any]) -> int:
    """Pictures after an immediate fix of one of the hazard's rules at its place."""
    blocks: Iterable[Any] = (payload.get("visit") or {}).get("blocks") or ()
    fixes = (fix for block in blocks if block.get("place_id") == str(row.place_id) for fix in block.get("fixed") or ())
    return max((len(fix.get("after") or ()) for fix in fixes if fix.get("rule") in row.rules), default=0)


def _last_sightings(session: Session, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Hazard → the visit that saw it present last."""
    o = Observation
    latest = (
        select(o.visit_id)
        .where(o.community_id == Hazard.community_id, o.place_id == Hazard.place_id, o.form == Hazard.form)
        .where(o.results[Hazard.chain][Hazard.locus].astext == "present")
        .order_by(o.effective_ms.desc(), o.visit_id.desc())
        .limit(1)
        .correlate(Hazard)
        .scalar_subquery()
    )
    found = select(Hazard.id, latest.label("visit_id")).where(
        Hazard.community_id == community_id, Hazard.id == func.any(list(ids))
    )
    return {row.id: row.visit_id for row in session.execute(found) if row.visit_id is not None}


def open_visits(
    session: Session, sealer: Sealer, community_id: UUID, visit_ids: Collection[UUID]
) -> dict[UUID, dict[str, Any]]:
    """What visits' records say, as last corrected; absent when lawfully erased."""
    wanted = list(visit_ids)
    family = session.scalars(
        select(Record.id).where(
            Record.community_id == community_id, or_(Record.id == func.any(wanted), Record.root_id == func.any(wanted))
        )
    ).all()
    records = {str(record.id): record for record in load_records(session, sealer, community_id, family)}
    found = {}
    for version in effective_versions(revisions(session, community_id, records.values())).effective:
        record = records.get(version.content_id or "")
        if record is not None and record.payload is not None:
            found[UUID(version.root_id)] = record.payload
    return found


def _after(session: Session, sealer: Sealer, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, int]:
    """Hazard → pictures of its last report as put right that applied."""
    steps = session.execute(
        select(StepOutcome.hazard_id, StepOutcome.step_id)
        .join(TaskStep, and_(TaskStep.community_id == StepOutcome.community_id, TaskStep.id == StepOutcome.step_id))
        .where(StepOutcome.community_id == community_id, StepOutcome.hazard_id == func.any(list(ids)))
        .where(StepOutcome.applied, TaskStep.kind == "submit")
        .order_by(TaskStep.effective_ms, TaskStep.install_id, TaskStep.seq, TaskStep.id)
    )
    last = {row.hazard_id: row.step_id for row in steps}
    bodies = open_steps(session, sealer, community_id, set(last.values()))
    return {hazard_id: len((bodies.get(step_id) or {}).get("photos") or ()) for hazard_id, step_id in last.items()}
