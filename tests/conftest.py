"""Real servers for all tests: PostgreSQL and Valkey are started once, each xdist worker clones the migrated template.

``TEST_DATABASE_OWNER_URL`` and ``TEST_REDIS_URL`` name running servers to use instead (an empty PostgreSQL 18 whose
owner may create databases).
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from backend.db import Database
from backend.schema import upgrade
from backend.settings import Settings

TEMPLATE = "saolou_test_template"
OWNER, REDIS = "TEST_DATABASE_OWNER_URL", "TEST_REDIS_URL"
stack = ExitStack()

# The same examples in every run, and none that fails for being slow on a busy machine.
hypothesis.settings.register_profile(
    "saolou", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("saolou")


def on_server(owner_url: str, *statements: str) -> None:
    """Run statements outside a transaction on the maintenance database."""
    engine = create_engine(make_url(owner_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def url_of(owner_url: str, database: str, user: str | None = None) -> str:
    """The URL of another database (and role) on the same server."""
    url = make_url(owner_url).set(database=database)
    return (url.set(username=user) if user else url).render_as_string(hide_password=False)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if not os.environ.get(OWNER):
        from backend.embedded import EmbeddedServers

        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="saolou-test-", ignore_cleanup_errors=True))
        )
        servers = stack.enter_context(EmbeddedServers.start(folder / "data"))
        os.environ[OWNER], os.environ[REDIS] = servers.owner_database_url, servers.redis_url
    os.environ["TEST_RUN"] = uuid4().hex[:8]
    owner_url = os.environ[OWNER]
    on_server(
        owner_url,
        f"DROP DATABASE IF EXISTS {template()} WITH (FORCE)",
        f"CREATE DATABASE {template()}",
    )
    upgrade(url_of(owner_url, template()))


def template() -> str:
    return f"{TEMPLATE}_{os.environ['TEST_RUN']}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if os.environ.get("TEST_RUN"):
        on_server(os.environ[OWNER], f"DROP DATABASE IF EXISTS {template()} WITH (FORCE)")
    stack.close()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The broker; every xdist worker has its own database number."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = os.environ[REDIS]
    return f"{url}?virtual_host={worker}" if url.startswith("redis+socket") else f"{url.rstrip('/')}/{worker}"


class DatabaseMaker:
    """Makes migrated databases out of the template (0.1 s each) and drops them at the end."""

    def __init__(self, owner_url: str) -> None:
        self.owner_url, self.made = owner_url, list[str]()

    def make(self) -> str:
        """The application role's URL of a new database."""
        name = f"t_{uuid4().hex[:12]}"
        on_server(self.owner_url, f"CREATE DATABASE {name} TEMPLATE {template()}")
        self.made.append(name)
        return url_of(self.owner_url, name, "saolou_app")

    def owner_of(self, url: str) -> str:
        """The owner role's URL of a database made here."""
        return url_of(self.owner_url, make_url(url).database or "")

    def drop_all(self) -> None:
        on_server(self.owner_url, *(f"DROP DATABASE IF EXISTS {n} WITH (FORCE)" for n in self.made))


@pytest.fixture(scope="session")
def databases() -> Iterator[DatabaseMaker]:
    maker = DatabaseMaker(os.environ[OWNER])
    yield maker
    maker.drop_all()


@pytest.fixture(scope="module")
def settings(databases: DatabaseMaker, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings over a database of the module's own. Tests isolate themselves by communities of their own."""
    url = databases.make()
    return Settings(
        database_url=url,
        database_owner_url=databases.owner_of(url),
        redis_url=redis_url,
        secret_key=b"k" * 32,
        data_dir=tmp_path_factory.mktemp("data"),
    )


@pytest.fixture(scope="module")
def db(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url, application_name="saolou-test")
    yield database
    database.dispose()
