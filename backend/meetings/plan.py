"""When a community has its papers made: a setting of the community."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.identity.audit import audit
from backend.identity.models import Community
from backend.meetings.periods import MONDAY, Period, period_at, period_of

SETTING: Final = "papers"
#: Hour of the day from which the last period's paper is made: phones that come back in the night are in it.
HOUR: Final = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """``kinds`` of papers made by themselves; ``starts_on``: ISO weekday on which weeks begin; ``month_starts_on``:
    day on which months do (1–28); ``hour``: from when on the day after the period a paper is made."""

    kinds: tuple[str, ...] = ("weekly",)
    starts_on: int = MONDAY
    month_starts_on: int = 1
    hour: int = HOUR

    def start(self, kind: str) -> int:
        """The ``starts_on`` of periods of ``kind``."""
        return {"weekly": self.starts_on, "monthly": self.month_starts_on}.get(kind, 1)

    def period_of(self, kind: str, day: date) -> Period:
        """The community's period of ``kind`` that holds ``day``."""
        return period_of(kind, day, self.start(kind))

    def last_over(self, kind: str, now_ms: int) -> Period:
        """The last period of ``kind`` whose paper is due at ``now_ms``."""
        return period_at(kind, now_ms - self.hour * 3_600_000, self.start(kind)).previous()


def plan_in(settings: Mapping[str, Any]) -> Plan:
    """The plan in a community's settings; what they leave out is as by default."""
    said = settings.get(SETTING) or {}
    kinds = said.get("kind", "weekly")
    return Plan(
        (kinds,) if isinstance(kinds, str) else tuple(kinds),
        said.get("starts_on", MONDAY),
        said.get("month_starts_on", 1),
        said.get("hour", HOUR),
    )


def plan_of(session: Session, community_id: UUID) -> Plan:
    """A community's plan."""
    return plan_in(session.scalars(select(Community.settings).where(Community.community_id == community_id)).one())


def set_plan(session: Session, community_id: UUID, plan: Plan, now_ms: int, actor_id: UUID) -> None:
    """Change when papers are made. Papers that are there keep their periods."""
    community = session.get_one(Community, community_id, with_for_update=True)
    said = {
        "kind": list(plan.kinds),
        "starts_on": plan.starts_on,
        "month_starts_on": plan.month_starts_on,
        "hour": plan.hour,
    }
    settings = {**community.settings, SETTING: said}
    session.execute(update(Community).where(Community.community_id == community_id).values(settings=settings))
    audit(
        session,
        community_id,
        "paper_plan_set",
        f"community:{community_id}",
        account_id=actor_id,
        at_ms=now_ms,
        plan=said,
    )
