"""What the projections hold, in natural keys: the same for the same facts in any community and any order."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.hazards.models import Hazard, LedgerNumber, Transition
from backend.rectification.models import RectificationTask, StepOutcome
from backend.rectification.projection_tables import ALL_TABLES, ProjectionTable
from tests.hazards.histories import History
from tests.hazards.oracle import Chain, hazard_of

Rows = dict[str, list[tuple[Any, ...]]]


def natural_rows(session: Session, community_id: UUID, history: History) -> Rows:
    """All rows of all projections. Left out: revisions, keyed hashes (every community has its own key), and numbered
    hazards that nothing supports (whether one got its number depends on when it was compiled)."""
    names = _names(session, community_id, history)
    gone = select(Hazard.id).where(Hazard.community_id == community_id, Hazard.state == "void", Hazard.cycle == 0)
    unsupported = set(session.scalars(gone))
    return {
        table.name: sorted(_rows(session, community_id, table, names, unsupported), key=repr) for table in ALL_TABLES
    }


def _names(session: Session, community_id: UUID, history: History) -> dict[UUID, Chain]:
    found: dict[UUID, Chain] = {}
    for row in session.scalars(select(LedgerNumber).where(LedgerNumber.community_id == community_id)):
        found[row.hazard_id] = (str(row.place_id), row.chain, row.locus)
    for fact in [*history["records"], *history["console"]]:
        if fact.get("step"):
            chain = fact["step"]["chain"]
            found[UUID(hazard_of(str(community_id), chain))] = chain
    return found


def _rows(
    session: Session, community_id: UUID, table: ProjectionTable, names: Mapping[UUID, Chain], gone: set[UUID]
) -> list[tuple[Any, ...]]:
    columns = [n for n in (*table.key, *table.values) if n not in ("responsible_party_key", "assignment_key")]
    found = select(*(table.table.c[n] for n in columns)).where(table.table.c.community_id == community_id)
    hazard = "id" if table.name == "hazard" else "hazard_id"
    rows = []
    for row in session.execute(found):
        values = row._mapping
        if table.name in ("hazard", "rectification_task") and values[hazard] in gone:
            continue
        rows.append(tuple((n, str(names.get(v, v) if n == hazard else v)) for n, v in values.items()))
    return rows


def hazards_in(session: Session, community_id: UUID) -> dict[Chain, dict[str, Any]]:
    """The hazards that something supports, in the oracle's words."""
    changes: dict[UUID, list[tuple[Any, ...]]] = {}
    for t in session.scalars(select(Transition).where(Transition.community_id == community_id).order_by(Transition.n)):
        told = (t.cycle, t.step, t.from_state, t.to_state, t.effective_ms, t.severity, t.cause, str(t.cause_id))
        changes.setdefault(t.hazard_id, []).append((*told, _text(t.actor_id)))
    rows = session.execute(
        select(Hazard, RectificationTask)
        .join(RectificationTask, RectificationTask.hazard_id == Hazard.id)
        .where(Hazard.community_id == community_id, RectificationTask.community_id == community_id, Hazard.cycle > 0)
    )
    return {
        (str(h.place_id), h.chain, h.locus): {
            "state": h.state,
            "cycle": h.cycle,
            "severity": h.severity,
            "proposed": h.severity_proposed,
            "deadline": h.deadline_ms,
            "registered": h.registered_ms,
            "last": h.last_present_ms,
            "closed": h.closed_ms,
            "submitter": _text(t.submitter_id),
            "revisit": _text(t.revisit_id),
            "contradicted": h.contradicted,
            "rules": h.rules,
            "assigned": _text(t.assign_step_id),
            "form": h.form,
            "extended": h.extensions,
            "holder": _text(t.assignee_id),
            "referred": t.referred_ms,
            "chased": t.chased_ms,
            "changes": changes[h.id],
        }
        for h, t in rows
    }


def outcomes_in(session: Session, community_id: UUID) -> dict[str, str | None]:
    """For every step why it does not apply (None: it does)."""
    rows = session.scalars(select(StepOutcome).where(StepOutcome.community_id == community_id)).all()
    assert len({row.step_id for row in rows}) == len(rows)
    return {str(row.step_id): row.reason for row in rows}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
