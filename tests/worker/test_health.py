"""The worker's health check: idle is well, work that nobody takes is not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from backend.db import Database
from backend.jobs import ledger
from backend.jobs.models import Job
from backend.settings import Settings
from worker import health


@pytest.fixture(autouse=True)
def of_this_installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "load_settings", lambda: settings)


def test_check_health_without_work_is_well(db: Database) -> None:
    health.main()


def test_check_health_of_work_that_nobody_takes_is_bad_until_somebody_does(db: Database) -> None:
    community = uuid4()
    with db.transaction() as session:
        ledger.want(session, "compile", community, ["a"])
    health.main()
    long_ago = datetime.now(UTC) - timedelta(seconds=2 * health.UNWORKED_SECONDS)
    with db.transaction() as session:
        of_ours = update(Job).where(Job.community_id == community)
        session.execute(of_ours.values(run_after=long_ago, requested_at=long_ago))
    with pytest.raises(SystemExit, match="no worker took it"):
        health.main()
    with db.transaction() as session:
        assert ledger.claim(session, "compile", community, limit=1, lease=timedelta(minutes=1))
    health.main()
