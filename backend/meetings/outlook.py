"""What lies ahead when a paper is made: sweeps that run on, houses to look at, decisions to be done."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from backend.campaigns.models import Campaign
from backend.evacuations.models import Evacuation
from backend.hazards.models import Transition
from backend.identity.models import Account, Membership
from backend.inspections.models import Visit
from backend.meetings.labels import grid_part
from backend.meetings.periods import Period
from backend.places.models import Place
from backend.places.public_names import find_places


class Task(NamedTuple):
    """A decision of a meeting, as a paper prints it."""

    text: str
    owner: str
    due: str
    state: str
    is_open: bool
    is_late: bool
    said: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """``heads``: names of grid heads by the part of a key that stands for their grid. ``sweeps``: names of sweeps that
    run in the next period, with their grids. ``houses``: emptied dangerous houses that are looked at daily.
    ``tasks``: what meetings gave and was open in the period."""

    heads: Mapping[str, str] = field(default_factory=dict)
    sweeps: Sequence[tuple[str, str]] = ()
    houses: Sequence[str] = ()
    tasks: Sequence[Task] = ()


def read_outlook(session: Session, community_id: UUID, period: Period, tasks: Sequence[Task]) -> Outlook:
    """What is known at the running snapshot about the period that follows."""
    return Outlook(
        _heads(session, community_id),
        _sweeps(session, community_id, period.following()),
        _houses(session, community_id),
        tasks,
    )


def has_begun_before(session: Session, community_id: UUID, at_ms: int) -> bool:
    """Whether anything was visited or registered before ``at_ms``."""
    visited = exists().where(Visit.community_id == community_id, Visit.effective_ms < at_ms)
    changed = exists().where(Transition.community_id == community_id, Transition.effective_ms < at_ms)
    return bool(session.scalar(select(or_(visited, changed))))


def _heads(session: Session, community_id: UUID) -> dict[str, str]:
    rows = session.execute(
        select(Membership.place_id, Account.name)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.community_id == community_id, Membership.role == "grid_head")
        .where(Membership.revoked_at.is_(None), Membership.place_id.is_not(None), Account.disabled_at.is_(None))
        .order_by(Membership.granted_at, Account.name)
    )
    names: dict[str, list[str]] = defaultdict(list)
    for place_id, name in rows:
        names[grid_part(place_id)].append(name)
    return {part: "、".join(dict.fromkeys(found)) for part, found in names.items()}


def _sweeps(session: Session, community_id: UUID, following: Period) -> list[tuple[str, str]]:
    c = Campaign
    rows = session.execute(
        select(c.name, c.scope)
        .where(c.community_id == community_id, c.started_ms.is_not(None), c.ended_ms.is_(None))
        .where(c.starts_ms < following.end_ms, c.ends_ms > following.start_ms)
        .order_by(c.starts_ms, c.id)
    ).all()
    wanted = list({place_id for row in rows for place_id in row.scope})
    named = select(Place.id, Place.name).where(Place.community_id == community_id, Place.id == func.any(wanted))
    names = {row.id: row.name for row in session.execute(named)}
    return [(row.name, "、".join(names[i] for i in row.scope if i in names)) for row in rows]


def _houses(session: Session, community_id: UUID) -> list[str]:
    e = Evacuation
    ids = session.scalars(
        select(e.house_id)
        .where(e.community_id == community_id, and_(e.check_from_ms.is_not(None), e.closed_ms.is_(None)))
        .where(e.cleared_ms.is_(None))
        .order_by(e.house_id)
    ).all()
    places = find_places(session, community_id, ids)
    return sorted(places[i].name for i in ids if i in places)
