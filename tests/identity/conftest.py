"""The application over the module's own database."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
