"""Servers and processes for the tests of the worker."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from backend.db import Database
from backend.jobs.doorbell import CeleryDoorbell
from backend.settings import Settings
from tests.factories.valkey import OwnValkey
from tests.worker.probe import TABLES
from tests.worker.probing import Probe, Workers


@pytest.fixture(scope="module")
def valkey() -> Iterator[OwnValkey]:
    server = OwnValkey()
    yield server
    server.close()


@pytest.fixture(scope="module")
def probe_settings(settings: Settings, valkey: OwnValkey) -> Settings:
    """The module's database with the probe's tables, and a broker that may be wiped."""
    engine = create_engine(settings.database_owner_url or "")
    with engine.begin() as connection:
        connection.execute(text(TABLES))
    engine.dispose()
    return replace(settings, redis_url=valkey.url)


@pytest.fixture
def workers(probe_settings: Settings) -> Iterator[Workers]:
    made = Workers(probe_settings)
    yield made
    made.stop()


@pytest.fixture
def probe(db: Database, probe_settings: Settings, valkey: OwnValkey) -> Iterator[Probe]:
    valkey.client.flushall()
    made = Probe(db, CeleryDoorbell(probe_settings.redis_url))
    yield made
    with db.transaction() as session:  # what a test left open must not busy the next one's workers
        session.execute(text("DELETE FROM job WHERE community_id = :c"), {"c": made.community_id})
