"""PostgreSQL on a private Unix socket: make the cluster, start, wait, recover, stop."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from backend.embedded.account import Account, can_reach, give
from backend.embedded.addresses import APP_ROLE, DATABASE, OWNER_ROLE, Addresses
from backend.embedded.binaries import Binaries
from backend.embedded.children import Program, end, spawn
from backend.embedded.errors import (
    DataFromAnotherMajor,
    DiskFull,
    FolderInUse,
    FolderNotWritable,
    FolderOutOfReach,
    ServerFailed,
)
from backend.embedded.folders import MINIMUM_FREE_BYTES, POSTGRES_SOCKET, DataFolder, free_bytes
from backend.embedded.lock import end_processes, process_start, processes_of
from backend.embedded.logfile import LogFile

#: For 2 cores and a few GB; durability is never traded for speed.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # A small /dev/shm (containers) fails parallel queries; two cores gain little from them.
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "10min",
    "password_encryption": "scram-sha-256",
    # Ledger and job tables change all the time: clean little and often.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}
START_SECONDS = 900.0
_HBA = """\
# Trust is sound here: the only way in is a socket in a folder that nobody else can enter.
local all all trust
"""
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass
class Postgres:
    """One cluster and its server process. `start` may be called again after the process died."""

    data: DataFolder
    addresses: Addresses
    binaries: Binaries
    account: Account | None
    lock_fd: int
    progress: Callable[[str], None]
    measure: Callable[[Path], int] = free_bytes
    name: str = "PostgreSQL"
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> LogFile:
        return LogFile(self.data.logs / "postgres.log")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start and return when it answers. Raises an `EmbeddedError`; nothing is left running then."""
        self._make_cluster()
        self._refuse_other_major()
        self._remove_stale_pid_file()
        try:
            self._start_once()
        except ServerFailed as error:
            if "shared memory" not in error.tail or "in use" not in error.tail:
                raise
            self.progress("PostgreSQL processes of a killed start are still there; ending them")
            self.end_leftovers()
            self._start_once()
        self._make_roles()

    def stop(self) -> None:
        """A fast, clean shutdown: open transactions are rolled back."""
        if self.process is not None:
            end(self.process, [(signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0)])

    def end_leftovers(self) -> None:
        """End our own processes of exactly this cluster that outlived their postmaster."""
        end_processes(self.data.cluster, "postgres")

    def _make_cluster(self) -> None:
        """`initdb` beside the real place, then one rename: a start that is cut off leaves no half cluster."""
        if (self.data.cluster / "PG_VERSION").exists():
            return
        if self.data.cluster.exists():
            raise FolderNotWritable(self.data.cluster, "it exists but holds no PostgreSQL cluster")
        fresh = self.data.new_cluster
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        give(fresh, self.account)
        self.progress("making a new PostgreSQL cluster")
        argv = [str(self.binaries.initdb), "-D", self._named(fresh), "-U", OWNER_ROLE, "--auth=trust"]
        argv += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        with self.log.open() as output:
            made = self._spawn([*argv, "--data-checksums", "--no-instructions"], fresh, output.fileno())
            code = made.wait()
        if code:
            raise self._failure()
        (fresh / "pg_hba.conf").write_text(_HBA)
        fresh.rename(self.data.cluster)
        folder = os.open(self.data.root, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _refuse_other_major(self) -> None:
        found = (self.data.cluster / "PG_VERSION").read_text().strip()
        ours = self.binaries.major()
        if found != ours:
            raise DataFromAnotherMajor(self.data.cluster, found, ours)

    def _remove_stale_pid_file(self) -> None:
        """A pid file from before a crash may name a process that is something else by now; we hold the lock.

        One that names a dead process stays: from it PostgreSQL learns which shared memory must be unused.
        """
        pid_file = self.data.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        first = pid_file.read_text().partition("\n")[0].strip()
        pid = int(first) if first.isdigit() else None
        ours = processes_of(self.data.cluster, "postgres")
        if pid in ours:
            raise FolderInUse(self.data.cluster, pid)
        if pid and not process_start(pid):
            return
        if ours:
            self.end_leftovers()
        pid_file.unlink()

    def _start_once(self) -> None:
        settings = {**SETTINGS, "unix_socket_directories": str(self.addresses.folder)}
        argv = [str(self.binaries.postgres), "-D", self._named(self.data.cluster)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        # A lock file of the socket that names another program would stop PostgreSQL; under our lock it is stale.
        for left in (POSTGRES_SOCKET, f"{POSTGRES_SOCKET}.lock"):
            (self.addresses.folder / left).unlink(missing_ok=True)
        with self.log.open() as output:
            self.process = self._spawn(argv, self.data.cluster, output.fileno())
        try:
            self._wait(self.process)
        except BaseException:
            self.stop()
            raise

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        begun = time.monotonic()
        told = begun + 5
        while not self._ready(process.pid):
            if process.poll() is not None or time.monotonic() > begun + START_SECONDS:
                raise self._failure()
            if time.monotonic() > told:
                self.progress("PostgreSQL is still recovering after a crash")
                told += 15
            time.sleep(0.02)

    def _ready(self, pid: int) -> bool:
        try:
            lines = (self.data.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _spawn(self, argv: list[str], folder: Path, output: int) -> subprocess.Popen[bytes]:
        return spawn(Program(argv, folder, signal.SIGINT, self.account, _ENV, output, (self.lock_fd,)))

    def _named(self, folder: Path) -> str:
        """The folder's path for the server: as it is, or as "where I am" when its user may not walk there.

        The launcher enters the folder as root before dropping, so data below a private home works too.
        """
        if self.account is None or can_reach(self.account, [folder]):
            return str(folder)
        if not Path("/proc/self/cwd").exists():
            raise FolderOutOfReach(folder, self.account.name)
        return "/proc/self/cwd"

    def _make_roles(self) -> None:
        """The application's role and database, if they are not there: a start cut off here goes on next time."""
        with psycopg.connect(self.addresses.url_of("postgres", owner=True), autocommit=True) as connection:
            role = sql.Identifier(APP_ROLE)
            if not connection.execute("select 1 from pg_roles where rolname = %s", [APP_ROLE]).fetchone():
                connection.execute(
                    sql.SQL("create role {} login nosuperuser nobypassrls nocreatedb nocreaterole").format(role)
                )
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(DATABASE)))

    def _failure(self) -> ServerFailed | DiskFull:
        tail = self.log.tail()
        if "No space left on device" in tail:
            return DiskFull(self.data.root, self.measure(self.data.root), MINIMUM_FREE_BYTES)
        return ServerFailed(self.name, self.log.path, tail)
