"""Rings the bells of waiting jobs again, so that no lost message loses work.

A plain loop and not a Celery schedule: it must work while the broker forgets everything. Several may run; one sweeps
at a time, and the lock is held for one sweep only, so that a frozen sweeper stops nobody.

    python -m worker.sweeper
"""

import threading
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend import clock
from backend.db import Database
from backend.http.context import Doorbell
from backend.identity.expiry import purge_expired_tokens
from backend.jobs import ledger
from backend.jobs.doorbell import CeleryDoorbell
from backend.logs import configure_logs, log
from backend.settings import load_settings
from worker.frame import limit_time

INTERVAL_S = 2.0
SWEEP_LIMIT = timedelta(seconds=10)
#: Any constant; it names "sweeping" among the database's advisory locks.
SWEEP_LOCK = 0x5A01_0002


class Sweeper:
    """Sweeps with a connection of its own; an outage of the database or the broker is survived and logged once."""

    def __init__(self, db: Database, bell: Doorbell) -> None:
        self._db, self._bell = db, bell
        self._purged_on: date | None = None
        self._well = True

    def run(self, stopping: threading.Event) -> None:
        """Sweep until ``stopping`` is set."""
        while not stopping.wait(INTERVAL_S):
            self.try_sweep()

    def try_sweep(self) -> float | None:
        """A sweep; None when the database is away (or did something unforeseen), to be tried again."""
        try:
            unworked = self.sweep()
        except DBAPIError:
            if self._well:
                log.warning("sweeper_waits_for_database", exc_info=True)
            self._well = False
            return None
        if not self._well:
            log.info("sweeper_resumed")
        self._well = True
        return unworked

    def sweep(self) -> float:
        """Ring for every (kind, community) with ready work, unless another sweeper is at it.

        Returns for how many seconds ready work has waited without anybody working (0: all is well).
        """
        with self._db.transaction() as session:
            limit_time(session, SWEEP_LIMIT)
            unworked = ledger.seconds_unworked(session)
            if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": SWEEP_LOCK}):
                return unworked
            waiting = ledger.waiting(session)
            today = clock.local_day(clock.now_ms())
            if self._purged_on != today:
                purge_expired_tokens(session)
                self._purged_on = today
        for kind, community_id in waiting:
            self._bell.ring(kind, community_id)
        return unworked


def main() -> None:
    settings = load_settings()
    configure_logs(settings.log_level)
    db = Database(settings.database_url, pool_size=1, application_name="saolou-sweeper")
    Sweeper(db, CeleryDoorbell(settings.redis_url)).run(threading.Event())


if __name__ == "__main__":
    main()
