"""A real worker for tests, whose work does what a table tells it: ``-m tests.worker.probe foreman``."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.db import Database
from backend.errors import Unauthenticated
from backend.http.context import Actor, Runtime
from backend.identity.audit import note_write
from backend.jobs.doorbell import CeleryDoorbell
from backend.logs import configure_logs
from backend.settings import Settings, load_settings
from worker.foreman import Foreman
from worker.frame import NotYet, Work
from worker.process import make_worker, serve
from worker.sweeper import Sweeper

KIND = "probe"
LEASE = timedelta(seconds=3)
BATCH = 20
#: Not tenant tables: the test reads them as the owner does.
TABLES = """
CREATE TABLE probe_order (community_id uuid, subject text, action text, PRIMARY KEY (community_id, subject));
CREATE TABLE probe_fact (community_id uuid, subject text, value int);
CREATE TABLE probe_started (community_id uuid, subject text, pid int);
CREATE TABLE probe_run (community_id uuid, subject text, total bigint);
GRANT ALL ON probe_order, probe_fact, probe_started, probe_run TO saolou_app;
"""


def run(session: Session, runtime: Runtime, community_id: UUID, subjects: Sequence[str]) -> None:
    """Sum up each subject's facts; one row of ``probe_run`` for each effect, so that a double one shows."""
    for subject in subjects:
        key = {"c": community_id, "s": subject}
        order = "SELECT action FROM probe_order WHERE community_id = :c AND subject = :s"
        action = session.scalar(text(order), key) or ""
        with runtime.db.transaction() as apart:  # commits by itself: the work began, whatever comes of it
            apart.execute(text("INSERT INTO probe_started VALUES (:c, :s, :p)"), {**key, "p": os.getpid()})
        obey(action)
        effect = (
            "INSERT INTO probe_run SELECT :c, :s, coalesce(sum(value), 0) FROM probe_fact"
            " WHERE community_id = :c AND subject = :s"
        )
        session.execute(text(effect), key)


def obey(action: str) -> None:
    what, _, seconds = action.partition(" ")
    if what == "sleep":
        time.sleep(float(seconds))
    elif what == "raise":
        raise RuntimeError("王小明 13800138000")
    elif what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "not-yet":
        raise NotYet(0.1)


WORKS = (Work(KIND, run, batch=BATCH, lease=LEASE), Work("probe_tick", run, repeat=timedelta(seconds=1)))


def bare_runtime(settings: Settings, db: Database, bell: CeleryDoorbell) -> Runtime:
    """No features are wired: a probe needs none, and starts sooner."""

    def nobody(session: Session, token: str, community: str | None) -> Actor:
        raise Unauthenticated

    return Runtime(settings, db, bell, authenticate=nobody, note_write=note_write)


def main() -> None:
    settings = load_settings()
    configure_logs(settings.log_level)
    if sys.argv[1] == "consume":
        serve(make_worker(settings, WORKS, bare_runtime), ["--concurrency=2"])
    else:
        sweeper = Sweeper(Database(settings.database_url, pool_size=1), CeleryDoorbell(settings.redis_url))
        foreman = Foreman(
            sweeper, (sys.executable, "-m", "tests.worker.probe", "consume"), deaf_seconds=float(sys.argv[2])
        )
        signal.signal(signal.SIGTERM, foreman.stop)
        foreman.run()


if __name__ == "__main__":
    main()
