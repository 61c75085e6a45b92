"""An application over a real database, a community with a tree of places, and phones in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine

from backend.app import create_app
from backend.db import Database
from backend.logs import configure_logs
from backend.settings import Settings
from tests.factories.identity import AccountFixture, make_account, make_community
from tests.factories.phones import Phone, publish_forms
from tests.factories.places import Tree, make_tree


class Bell:
    """A doorbell that writes down who rang."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, UUID]] = []

    def ring(self, kind: str, community_id: UUID) -> None:
        self.rung.append((kind, community_id))


@dataclass
class World:
    """A community of the test's own."""

    app: Flask
    db: Database
    bell: Bell
    community_id: UUID
    tree: Tree
    accounts: dict[str, AccountFixture] = field(default_factory=dict)

    def account(self, role: str = "grid_worker", place_id: UUID | None = None) -> AccountFixture:
        """A new account with this role."""
        return make_account(self.db, self.community_id, role, place_id)

    def phone(self, account: AccountFixture | None = None, **values: Any) -> Phone:
        """A signed-in phone, of a grid worker of the whole community unless told otherwise."""
        return Phone(self.app.test_client(), account or self.account(), **values)

    def office(self, account: AccountFixture | None = None) -> Phone:
        """A safety officer's client."""
        return self.phone(account or self.account("safety_officer"))

    @property
    def home(self) -> UUID:
        return self.tree.households[0]


@pytest.fixture(scope="session", autouse=True)
def quiet_logs() -> None:
    """As in production: rich tracebacks of the development console take seconds."""
    configure_logs("ERROR")


@pytest.fixture(scope="module")
def bell() -> Bell:
    return Bell()


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database, bell: Bell) -> Flask:
    publish_forms(db)
    return create_app(settings, db, bell)


@pytest.fixture
def make_world(app: Flask, db: Database, bell: Bell) -> Callable[..., World]:
    def make(**shape: Any) -> World:
        community_id = make_community(db)
        with db.transaction([community_id]) as session:
            tree = make_tree(session, community_id, **shape)
        return World(app, db, bell, community_id, tree)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture(scope="module")
def owner(settings: Settings) -> Iterator[Engine]:
    """The role that owns the tables (row level security binds it, too)."""
    engine = create_engine(settings.database_owner_url or "")
    yield engine
    engine.dispose()
