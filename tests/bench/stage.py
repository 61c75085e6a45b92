"""Where everything is measured: embedded servers in a temporary folder, the real API, the real worker."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from backend.commands.installation import Installation, open_installation
from backend.commands.serving import base_url, services
from backend.db import new_id
from backend.embedded import Service, find_port
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.places.events import PlaceFact
from backend.places.service import record_place_events
from tests.bench.cpu import CpuWatch
from tests.bench.phones import RemotePhone
from tests.factories.identity import make_account, make_community
from tests.factories.places import registered

Say = Callable[[str], None]
HOST = "127.0.0.1"
#: One grid holds about this many doors.
GRID_DOORS = 2000
BUILDING_DOORS = 48


@dataclass
class Community:
    """A community with a grid worker's phone, and doors nobody has visited yet."""

    id: UUID
    phone: RemotePhone
    grids: list[UUID] = field(default_factory=list)
    doors: list[UUID] = field(default_factory=list)

    def take_doors(self, count: int) -> list[UUID]:
        """New doors: each is handed out once."""
        if count > len(self.doors):
            raise RuntimeError(f"{count} doors wanted, {len(self.doors)} left")
        taken, self.doors = self.doors[:count], self.doors[count:]
        return taken


@dataclass
class Stage:
    """The running parts."""

    installation: Installation
    runtime: Runtime
    api: Service
    worker: Service
    say: Say

    @property
    def url(self) -> str:
        return base_url(self.installation.settings)

    @property
    def port(self) -> int:
        return self.installation.settings.port

    @property
    def conninfo(self) -> str:
        """The application role's database, for psycopg."""
        return self.installation.settings.database_url

    def connect(self, *communities: UUID) -> psycopg.Connection[Any]:
        """An autocommit connection of the application's role that sees these communities."""
        connection = psycopg.connect(self.conninfo, autocommit=True)
        connection.execute(
            "SELECT set_config('app.communities', %s, false)", ["{" + ",".join(map(str, communities)) + "}"]
        )
        return connection

    def analyze(self) -> None:
        """Statistics for every table, and dead rows gone: what autovacuum would do in a while, before each round."""
        owner = self.installation.settings.database_owner_url or ""
        with psycopg.connect(owner, autocommit=True) as connection:
            names = connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall()
            for (name,) in names:
                connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))

    def cpu(self, **more: int) -> CpuWatch:
        """Watches the processors: PostgreSQL, the API, the worker, and further process trees."""
        servers = self.installation.servers
        trees = dict(servers.pids) if servers else {}
        for service in (self.api, self.worker):
            if service.process is not None and service.alive():
                trees[service.name] = service.process.pid
        return CpuWatch({**trees, **more})

    def make_community(self, doors: int) -> Community:
        """A community whose registry holds ``doors`` doors, in grids of 2,000 and buildings of 48."""
        community_id = make_community(self.runtime.db, self.runtime.part(Keyring))
        account = make_account(self.runtime.db, community_id)
        made = Community(community_id, RemotePhone(self.url, account))
        while len(made.doors) < doors:
            facts: list[PlaceFact] = []
            _add_grid(facts, made, min(GRID_DOORS, doors - len(made.doors)))
            with self.runtime.db.transaction([community_id]) as session:
                record_place_events(session, community_id, facts)
        return made


def _add_grid(facts: list[PlaceFact], made: Community, doors: int) -> None:
    def add(kind: str, name: str, parent: UUID) -> UUID:
        facts.append(registered(place_id := new_id(), kind, name, parent))
        return place_id

    grid = add("grid", f"第{len(made.grids) + 1}网格", made.id)
    made.grids.append(grid)
    unit = grid
    for door in range(doors):
        if door % BUILDING_DOORS == 0:
            building = add("building", f"{door // BUILDING_DOORS + 1}栋", grid)
            unit = add("unit", "1单元", building)
        made.doors.append(add("household", f"{door % BUILDING_DOORS // 4 + 1}0{door % 4 + 1}室", unit))


@contextmanager
def open_stage(say: Say) -> Iterator[Stage]:
    """Everything started but the worker, which each measurement starts when it wants it; all gone at the end."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="saolou-bench-", ignore_cleanup_errors=True))
        )
        installation = stack.enter_context(open_installation(folder / "data", port=find_port(HOST, 8400), progress=say))
        logs = folder / "logs"
        logs.mkdir()
        api, worker = services(installation, logs)
        stage = Stage(installation, installation.runtime(), api, worker, say)
        stack.callback(stage.runtime.db.dispose)
        for service in (api, worker):
            stack.callback(service.stop)
        say("starting the API")
        api.start()
        yield stage
