"""A sweep with hazards behind the real application, and PostgreSQL's programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from backend.app import create_app
from backend.db import Database
from backend.operations.server import database_of, maintenance
from backend.settings import Settings
from tests.factories.sweeps import Sweep, make_sweep


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture
def sweep(app: Flask, db: Database) -> Sweep:
    return make_sweep(app, db)


@contextmanager
def other_installation(settings: Settings, data_dir: Path) -> Iterator[Settings]:
    """Settings of a second installation: an empty database on the same server, a data folder of its own."""
    owner, name = settings.database_owner_url or "", f"t_{uuid4().hex[:12]}"
    with maintenance(owner) as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield replace(
        settings,
        database_url=database_of(settings.database_url, name),
        database_owner_url=database_of(owner, name),
        data_dir=data_dir,
    )
    with maintenance(owner) as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def rows_of(owner_url: str) -> dict[str, list[str]]:
    """Every row of every table as text, sorted."""
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        found = {n: sorted(connection.scalars(text(f'SELECT t::text FROM "{n}" t'))) for n in names}
    engine.dispose()
    return found
