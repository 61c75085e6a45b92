"""Valkey on a private Unix socket. It holds nothing that the database could not give again."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.account import Account, give
from backend.embedded.addresses import Addresses
from backend.embedded.binaries import Binaries
from backend.embedded.children import Program, end, spawn
from backend.embedded.errors import DiskFull, ServerFailed
from backend.embedded.folders import MINIMUM_FREE_BYTES, VALKEY_SOCKET, DataFolder, free_bytes
from backend.embedded.logfile import LogFile

START_SECONDS = 120.0


@dataclass
class Valkey:
    """One Valkey process. `start` may be called again after the process died."""

    data: DataFolder
    addresses: Addresses
    binaries: Binaries
    account: Account | None
    lock_fd: int
    progress: Callable[[str], None]
    measure: Callable[[Path], int] = free_bytes
    name: str = "Valkey"
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> LogFile:
        return LogFile(self.data.logs / "valkey.log")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start and return when it answers. Raises an `EmbeddedError`; nothing is left running then."""
        try:
            self._start_once()
        except ServerFailed as error:
            if "append only file" not in error.tail.lower():
                raise
            # The jobs' truth is in PostgreSQL: an unreadable queue is put aside, never a reason not to start.
            aside = self.data.valkey.with_name(f"valkey.damaged-{int(time.time())}")
            self.progress(f"Valkey cannot read its files; they are put aside as {aside.name}")
            self.data.valkey.rename(aside)
            self._start_once()

    def stop(self) -> None:
        """Write out what is pending and end."""
        if self.process is not None:
            end(self.process, [(signal.SIGTERM, 20.0)])

    def _start_once(self) -> None:
        if not self.data.valkey.exists():
            self.data.valkey.mkdir(mode=0o700)
            give(self.data.valkey, self.account)
        # It works in its folder and is told no path, so blanks and quotes in the data folder's name do no harm.
        argv = [
            str(self.binaries.valkey),
            "--port",
            "0",
            "--unixsocket",
            str(self.addresses.folder / VALKEY_SOCKET),
        ]
        argv += ["--unixsocketperm", "700", "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        argv += ["--daemonize", "no", "--maxmemory-policy", "noeviction"]
        (self.addresses.folder / VALKEY_SOCKET).unlink(missing_ok=True)
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        with self.log.open() as output:
            kept = (self.lock_fd,)
            self.process = spawn(
                Program(argv, self.data.valkey, signal.SIGTERM, self.account, env, output.fileno(), kept)
            )
        try:
            self._wait(self.process)
        except BaseException:
            self.stop()
            raise

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                tail = self.log.tail()
                if "No space left on device" in tail:
                    raise DiskFull(self.data.root, self.measure(self.data.root), MINIMUM_FREE_BYTES)
                raise ServerFailed(self.name, self.log.path, tail)
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether PING is answered with PONG; while it loads its file it answers otherwise."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(self.addresses.folder / VALKEY_SOCKET))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        return False
