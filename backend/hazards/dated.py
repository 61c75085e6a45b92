"""Places whose hazards depend on the day: asked to be folded again when their next day has come."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.hazards.models import DatedFold
from backend.jobs import ledger


def want_due_folds(session: Session, community_id: UUID, now_ms: int) -> int:
    """Ask for a compile of every place whose dated condition falls due by ``now_ms``; returns how many.

    The compile moves the date on, so asking twice changes nothing.
    """
    due = select(DatedFold.place_id).where(DatedFold.community_id == community_id, DatedFold.next_ms <= now_ms)
    places = [str(place_id) for place_id in session.scalars(due)]
    ledger.want(session, "compile", community_id, places)
    return len(places)
