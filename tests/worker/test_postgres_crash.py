"""PostgreSQL is killed while jobs run; what was wanted is done once it is back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from backend.db import Database
from backend.embedded import EmbeddedServers
from backend.jobs.doorbell import CeleryDoorbell
from backend.schema import upgrade
from backend.settings import Settings
from tests.worker.probe import TABLES
from tests.worker.probing import Probe, Workers, eventually, is_running

pytestmark = pytest.mark.long
SUBJECTS = [f"s{n:03}" for n in range(200)]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    with EmbeddedServers.start(tmp_path / "data") as started:
        upgrade(started.owner_database_url)
        engine = create_engine(started.owner_database_url)
        with engine.begin() as connection:
            connection.execute(text(TABLES))
        engine.dispose()
        yield started


def postmaster(servers: EmbeddedServers) -> int:
    return int((servers.data.cluster / "postmaster.pid").read_text().splitlines()[0])


def test_kill_postgres_amid_work_loses_and_doubles_nothing(servers: EmbeddedServers, tmp_path: Path) -> None:
    settings = Settings(servers.database_url, servers.redis_url, b"k" * 32, tmp_path)
    db, workers = Database(settings.database_url, pool_size=2), Workers(settings)
    probe = Probe(db, CeleryDoorbell(settings.redis_url))
    try:
        workers.start()
        probe.order("sleep 0.3", *SUBJECTS[::20])
        probe.want(*SUBJECTS)
        eventually(lambda: probe.started(SUBJECTS[0]))
        pid = postmaster(servers)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_running(pid))
        db.dispose()
        servers.postgres.start()
        eventually(probe.is_idle)
        assert probe.effects() == {s: [1] for s in SUBJECTS}
    finally:
        workers.stop()
        db.dispose()
