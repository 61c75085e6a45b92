"""Rules changed for a community: every place that was ever seen through the form is folded again."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.hazards.models import Observation
from backend.jobs import ledger


def want_form_folds(session: Session, community_id: UUID, form_code: str) -> None:
    """Ask for a compile of those places. For ``RuleListeners.on_changed``."""
    seen = select(Observation.place_id).where(Observation.community_id == community_id, Observation.form == form_code)
    ledger.want(session, "compile", community_id, [str(place_id) for place_id in session.scalars(seen.distinct())])
