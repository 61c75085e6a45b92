"""`serve` as an administrator runs it: a process of its own, on a data folder and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from backend.app import make_runtime
from backend.commands.serving import answers
from backend.db import Database
from backend.embedded import find_running
from backend.http.context import Runtime
from backend.secret_file import read_or_make_secret
from backend.settings import PROJECT, VARIABLES, Settings
from tests.worker.probing import family

PATIENCE_S = 180.0
#: Compiled modules of all commands started here; the checkout stays as it is.
COMPILED = tempfile.TemporaryDirectory(prefix="saolou-compiled-", ignore_cleanup_errors=True)
KEPT = ("SAOLOU_POSTGRES_BIN", "SAOLOU_VALKEY_BIN")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of somebody who has set nothing; the packages are those of this interpreter."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES or name in KEPT}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # each start would compile everything anew
    return {**kept, "PYTHONPYCACHEPREFIX": COMPILED.name, "SAOLOU_VENV": "none", "PYTHONUNBUFFERED": "1", **more}


def command(*arguments: str) -> list[str]:
    """A command line of ours, with this interpreter."""
    return [sys.executable, "-m", "backend", *arguments]


def run(*arguments: str, seconds: float = PATIENCE_S, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=PROJECT,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Be patient, then say what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def command_line(pid: int) -> str:
    """The arguments of a process; empty when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def parent_of(pid: int) -> int:
    """The parent's number; 0 when the process is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def processes_naming(text_: str) -> list[int]:
    """Every process of the machine with this in its command line, this one left out."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and text_ in command_line(pid)]


class Serving:
    """A running `serve`, or another command that keeps serving, with its processes by what they do."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder.parent / "serve.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command(*(arguments or ("serve",)), "--data", str(folder), "--port", str(self.port)),
                cwd=PROJECT,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(self.said_serving, "it serves")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.log.read_text()}") from error
        addresses = find_running(folder)
        assert addresses
        self.addresses = addresses
        self.settings = Settings(
            database_url=addresses.database_url,
            database_owner_url=addresses.owner_database_url,
            redis_url=addresses.redis_url,
            secret_key=read_or_make_secret(folder),
            data_dir=folder,
            port=self.port,
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said_serving(self) -> bool:
        """Whether everything was started. Fails when the command ended instead."""
        assert self.process.poll() is None, f"it ended with {self.process.returncode}\n{self.log.read_text()}"
        return "serving at" in self.log.read_text()

    def runtime(self) -> Runtime:
        """The wired parts with connections that no earlier kill has broken."""
        return make_runtime(self.settings, Database(self.settings.database_url, pool_size=2))

    def as_owner(self, statement: LiteralString, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement, run as the owner of the database, who sees every community."""
        with psycopg.connect(self.addresses.owner_database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def pids(self) -> dict[str, list[int]]:
        """Processes by role: of those with children of their own kind, the parent stands apart."""
        found: dict[str, list[int]] = {}
        for pid in family(self.process.pid)[1:]:
            role = self._role(pid, command_line(pid))
            if role:
                found.setdefault(role, []).append(pid)
        return found

    def _role(self, pid: int, line: str) -> str | None:
        ours = parent_of(pid) == self.process.pid
        if "launcher.py" in line:
            return None
        if "gunicorn" in line:
            return "gunicorn" if ours else "API process"
        if "worker.consume" in line:
            return "Celery" if "worker.consume" not in command_line(parent_of(pid)) else "job process"
        if "-m worker" in line:
            return "foreman"
        if ours and "postgres" in line:
            return "PostgreSQL"
        return "Valkey" if ours and "valkey" in line else None

    def is_well(self) -> bool:
        """Whether every role is filled and the API is ready."""
        pids = self.pids()
        return len(pids) == 7 and len(pids["job process"]) >= 1 and answers(self.settings, "/readyz")

    def stop(self) -> None:
        """Ctrl-C, and whatever that leaves."""
        members = family(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(90)
        for pid in members:
            if self.process.poll() is None or command_line(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
