"""Days became worked or free: the places whose deadlines that may move are folded again, and no others."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import Session

from backend.calendar.working_days import LONGEST_REST
from backend.forms.models import RuleOverride, RuleVersion
from backend.hazards.models import Hazard
from backend.jobs import ledger
from backend.jobs.models import Job
from mobile_contract.rules.deadlines import day_end_ms


def want_moved_deadlines(session: Session, community_id: UUID, days: Collection[int], effective_from_ms: int) -> None:
    """Ask for a compile of the places with a hazard seen since, whose deadline lies where the change may reach.

    A deadline in days can only come from a changed day, or move onto or off one; one in working days may have counted
    any changed day before it. Places that are being compiled right now may have read the calendar before it changed.
    For ``CalendarListeners.on_changed``.
    """
    reached = Hazard.deadline_ms > day_end_ms(min(days) - 1)
    if not _counts_working_days(session, community_id):
        reached &= Hazard.deadline_ms <= day_end_ms(max(days) + LONGEST_REST)
    moved = select(Hazard.place_id).where(
        Hazard.community_id == community_id, Hazard.last_present_ms >= effective_from_ms, reached
    )
    places = {str(place_id) for place_id in session.scalars(moved.distinct())}
    in_work = select(Job.subject).where(Job.kind == "compile", Job.community_id == community_id, Job.done < Job.wanted)
    ledger.want(session, "compile", community_id, places.union(session.scalars(in_work)))


def _counts_working_days(session: Session, community_id: UUID) -> bool:
    """Whether any rule, as published or as the community changed it, has a deadline in working days."""
    path = cast('$.rules[*] ? (@.due like_regex "wd$")', JSONPATH)
    published = func.jsonb_path_exists(RuleVersion.definition, path)
    overridden = (RuleOverride.community_id == community_id) & RuleOverride.due.like("%wd")
    found = or_(exists().where(published), exists().where(overridden))
    return bool(session.scalar(select(found)))
