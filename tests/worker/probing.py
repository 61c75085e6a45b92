"""Probe jobs of one community, and real worker processes that do them."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from backend.db import Database
from backend.jobs import ledger
from backend.jobs.doorbell import CeleryDoorbell
from backend.settings import PROJECT, Settings
from tests.worker.probe import KIND

PATIENCE_S = 120.0


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """The condition's first true value; fails when there is none for so long (far beyond what it takes)."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
    return value


@dataclass
class Workers:
    """Starts probe workers and sees to it that none is left."""

    settings: Settings
    command: Sequence[str] = ()
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *, sweeping: bool = True, deaf_seconds: int = 600) -> subprocess.Popen[bytes]:
        """A worker with its sweeper, or (the seeded bug) one that trusts the broker's messages alone."""
        probe = ("foreman", str(deaf_seconds)) if sweeping else ("consume",)
        command = self.command or [sys.executable, "-m", "tests.worker.probe", *probe]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SAOLOU_")}
        environment = {
            **kept,
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "SAOLOU_SECRET_KEY": b64encode(self.settings.secret_key).decode(),
        }
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=PROJECT, start_new_session=True)
        self.started.append(process)
        return process

    def signal_all(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Signal a worker and everything below it, foreman first."""
        for pid in family(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        for process in self.started:
            self.signal_all(process, signal.SIGKILL)
            process.wait()


def family(pid: int) -> list[int]:
    """The process and its descendants, ancestors first."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


@dataclass
class Probe:
    """Orders for the works of one community, and what came of them."""

    db: Database
    bell: CeleryDoorbell
    community_id: UUID = field(default_factory=uuid4)

    def order(self, action: str, *subjects: str) -> None:
        sql = (
            "INSERT INTO probe_order VALUES (:c, :s, :a) ON CONFLICT (community_id, subject) DO UPDATE SET action = :a"
        )
        with self.db.transaction() as session:
            for subject in subjects:
                session.execute(text(sql), {"c": self.community_id, "s": subject, "a": action})

    def want(self, *subjects: str, fact: int = 1, ring: bool = True, kind: str = KIND) -> None:
        """As a push does: facts and jobs in one transaction, then the bell."""
        with self.db.transaction() as session:
            for subject in subjects:
                values = {"c": self.community_id, "s": subject, "v": fact}
                session.execute(text("INSERT INTO probe_fact VALUES (:c, :s, :v)"), values)
            ledger.want(session, kind, self.community_id, subjects)
        if ring:
            self.bell.ring(kind, self.community_id)

    def rows(self, sql: str) -> list[Any]:
        with self.db.transaction() as session:
            return list(session.execute(text(sql), {"c": self.community_id}).all())

    def effects(self) -> dict[str, list[int]]:
        """subject → the total of each effect on it."""
        found: dict[str, list[int]] = {}
        sql = "SELECT subject, total FROM probe_run WHERE community_id = :c ORDER BY subject, total"
        for subject, total in self.rows(sql):
            found.setdefault(subject, []).append(total)
        return found

    def started(self, subject: str) -> list[int]:
        """The processes that began to work on a subject."""
        rows = self.rows("SELECT subject, pid FROM probe_started WHERE community_id = :c")
        return [pid for name, pid in rows if name == subject]

    def job(self, subject: str) -> Any:
        (row,) = (r for r in self.rows("SELECT * FROM job WHERE community_id = :c") if r.subject == subject)
        return row

    def is_idle(self) -> bool:
        open_jobs = "SELECT 1 FROM job WHERE community_id = :c AND done < wanted AND dead_at IS NULL"
        return not self.rows(open_jobs)

    def hurry(self) -> None:
        """Let every back-off be over."""
        with self.db.transaction() as session:
            later = "UPDATE job SET run_after = now() WHERE community_id = :c AND run_after > now()"
            session.execute(text(later), {"c": self.community_id})


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
