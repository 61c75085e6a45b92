"""The application with an outside world of its own, and a community in the middle of a sweep."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.outside import Mailbox, Robot, mail_server, robot_server
from tests.factories.sweeps import Sweep, make_sweep


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def robot() -> Iterator[Robot]:
    with robot_server() as made:
        yield made


@pytest.fixture(scope="module")
def outside(settings: Settings, mailbox: Mailbox) -> Settings:
    smtp_url = f"smtp://127.0.0.1:{mailbox.port}"
    return replace(settings, webhook_loopback=True, smtp_url=smtp_url, mail_from="saolou@example.org")


@pytest.fixture(scope="module")
def app(outside: Settings, db: Database) -> Flask:
    return create_app(outside, db)


@pytest.fixture
def sweep(app: Flask, db: Database) -> Sweep:
    return make_sweep(app, db)
