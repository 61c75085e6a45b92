"""Campaigns for tests: created and started as the office does."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns.models import Campaign
from backend.campaigns.service import Desk, create_campaign, start_campaign
from backend.db import NIL_ID
from backend.forms.catalogue import FormCatalogue
from backend.http.context import Runtime


def desk(session: Session, community_id: UUID, now_ms: int | None = None) -> Desk:
    """Somebody of the committee at work."""
    return Desk(session, community_id, clock.now_ms() if now_ms is None else now_ms, NIL_ID, "committee")


def make_campaign(
    session: Session,
    runtime: Runtime,
    community_id: UUID,
    *,
    now_ms: int | None = None,
    forms: Sequence[str] = ("ebike_charging",),
    kinds: Sequence[str] = ("household",),
    scope: Sequence[UUID] = (),
    days_before: int = 7,
    days_after: int = 7,
    **wanted: Any,
) -> Campaign:
    """A campaign that was just started; its period begins ``days_before`` and ends with ``days_after`` today."""
    at = desk(session, community_id, now_ms)
    today = clock.local_day(at.now_ms)
    body = {
        "name": "冬季消防安全专项行动",
        "scope": list(scope),
        "forms": list(forms),
        "kinds": list(kinds),
        "rules": [],
        "cadence": "once",
        "first_day": today - timedelta(days=days_before),
        "last_day": today + timedelta(days=days_after),
        **wanted,
    }
    return start_campaign(at, create_campaign(at, runtime.part(FormCatalogue), body).id)
