"""The application over the module's own database, and a community in the middle of a sweep."""

import pytest
from flask import Flask

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.sweeps import Sweep, make_sweep


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture
def sweep(app: Flask, db: Database) -> Sweep:
    return make_sweep(app, db)
