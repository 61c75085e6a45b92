"""The application over the module's own database."""

import pytest
from flask import Flask

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.contract.api.described import Described, make_described


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture(scope="module")
def described(app: Flask, db: Database) -> Described:
    return make_described(app, db)
