"""Rules changed for a community: every place where the form was ever filled is folded again."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.inspections.archive import places_of_families
from backend.inspections.models import Visit
from backend.jobs import ledger


def want_form_folds(session: Session, community_id: UUID, form_code: str, since_ms: int = 0) -> None:
    """Ask for a compile of those places (``since_ms``: where it was filled then or later). For
    ``RuleListeners.on_changed``.

    Found by the visits and not by what they observed: a form that had no rules yet observed nothing.
    """
    filled = select(Visit.id).where(Visit.community_id == community_id, Visit.forms.contains([form_code]))
    if since_ms:
        filled = filled.where(Visit.effective_ms >= since_ms)
    places = places_of_families(session, community_id, set(session.scalars(filled)))
    ledger.want(session, "compile", community_id, [str(place_id) for place_id in places])
