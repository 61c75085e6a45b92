"""The application over the module's own database, and a community in the middle of a sweep."""

from collections.abc import Callable

import pytest
from flask import Flask

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.sweeps import Sweep, make_sweep
from tests.hazards.delivering import Town, publish_all


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture
def sweep(app: Flask, db: Database) -> Sweep:
    return make_sweep(app, db)


@pytest.fixture(scope="module")
def make_town(app: Flask, db: Database) -> Callable[[], Town]:
    """Makes communities into which plain histories are played."""
    publish_all(db)
    return lambda: Town(db, app.extensions["saolou"])


@pytest.fixture
def town(make_town: Callable[[], Town]) -> Town:
    return make_town()
