"""One start per data folder, for as long as any server process of it lives.

The lock is an exclusive `flock` that the servers inherit: when the starter is killed, the lock stays until the
last of them has ended. The file says who holds it and where the sockets are.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from backend.embedded.errors import FolderInUse

#: Servers of a killed start get this long to shut down by themselves.
ORPHAN_SECONDS = 20.0


class FolderLock:
    """`acquire` it, `publish` where the sockets are, `release` it when all servers have ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1
        self._held = False

    def acquire(self, end_orphans: Callable[[], None], progress: Callable[[str], None]) -> None:
        """Take the lock, or raise `FolderInUse` with the holder's pid.

        When the holder is dead, its servers are on their way out: wait for them, then end them.
        """
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._taken_within(0):
                progress("the servers of a killed start are shutting down; waiting for them")
                if not self._taken_within(ORPHAN_SECONDS):
                    end_orphans()
                    if not self._taken_within(ORPHAN_SECONDS):
                        raise FolderInUse(self.path.parent, None)
            self.publish({})
        except BaseException:
            self.release()
            raise

    def publish(self, facts: dict[str, str]) -> None:
        """Write who holds the lock, with facts for programs that look for the running servers."""
        text = json.dumps({"pid": os.getpid(), "started": process_start(os.getpid()), **facts}).encode()
        os.pwrite(self.fd, text, 0)
        os.ftruncate(self.fd, len(text))

    def release(self) -> None:
        """Give up our hold. Never an unlock: that would take it from the servers too."""
        if self.fd >= 0:
            if self._held:
                os.ftruncate(self.fd, 0)
            os.close(self.fd)
            self.fd, self._held = -1, False

    def _taken_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._held = True
                return True
            except BlockingIOError:
                holder = read_holder(self.path)
                if holder:
                    raise FolderInUse(self.path.parent, int(holder["pid"])) from None
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.05)


def read_holder(path: Path) -> dict[str, str] | None:
    """What the living holder published, or None when there is none (or its pid is another program's by now)."""
    try:
        facts = json.loads(path.read_bytes())
        pid = int(facts["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    started = process_start(pid)
    return facts if started and started == facts.get("started") else None


def process_start(pid: int) -> str:
    """What tells a process from a later one with the same number; empty when it is not running."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if fields[0] in "ZX" else f"{boot}/{fields[19]}"
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def processes_of(folder: Path, program: str) -> list[int]:
    """Processes of the named program that work in the folder; of other users' only what root may see."""
    if sys.platform != "linux":
        return _listed_by_lsof(folder, program)
    try:
        wanted = folder.stat()
    except OSError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            cwd = os.stat(entry / "cwd")
            executable = os.readlink(entry / "exe").removesuffix(" (deleted)")
        except OSError:
            continue
        if (cwd.st_dev, cwd.st_ino) == (wanted.st_dev, wanted.st_ino) and Path(executable).name == program:
            found.append(int(entry.name))
    return found


def end_processes(folder: Path, program: str, seconds: float = 5.0) -> None:
    """End every process of the named program that works in the folder: SIGQUIT, then SIGKILL."""
    for number in (signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + seconds
        for pid in processes_of(folder, program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while processes_of(folder, program):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)


def _listed_by_lsof(folder: Path, program: str) -> list[int]:
    command = ["lsof", "-a", "-d", "cwd", "-c", program, "-Fpn"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found, pid = [], 0
    for line in listed.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line == f"n{folder}":
            found.append(pid)
    return found
