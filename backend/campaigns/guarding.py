"""The resident guard: how often and when people may be asked for their time, over all campaigns together."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.identity.models import Community

SETTING: Final = "resident_guard"
#: Days after a visit that met somebody in which no campaign asks again, and the hours in which nobody knocks.
DEFAULT: Final[dict[str, Any]] = {"cool_down_days": 14, "quiet_from": "21:00", "quiet_until": "08:00"}


def guard_of(session: Session, community_id: UUID) -> dict[str, Any]:
    """The community's guard, as phones are told: ``cool_down_days``, ``quiet_from``, ``quiet_until`` (HH:MM)."""
    settings = session.scalar(select(Community.settings).where(Community.community_id == community_id)) or {}
    return {**DEFAULT, **(settings.get(SETTING) or {})}
