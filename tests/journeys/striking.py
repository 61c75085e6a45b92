"""Kills and wipes while phones push, and what must hold afterwards."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from backend import clock
from backend.demo.community import make_demo
from backend.demo.story import fleet_options
from backend.jobs.doorbell import redis_client
from backend.rectification import rebuild
from mobile_contract.conformance.checks import all_records, check_nothing_lost
from mobile_contract.conformance.fleet import Fleet
from tests.journeys.serving import Serving, wait_until

FLUSH = "FLUSHALL"
STRIKES = ("API process", "gunicorn", "job process", "Celery", "foreman", "PostgreSQL", "Valkey", FLUSH)
Progress = Callable[[str, int, int], None]


def strike(serving: Serving, what: str, rng: Random) -> None:
    """kill -9 a process of the role, as soon as there is one; or wipe the broker."""
    if what == FLUSH:
        wait_until(lambda: flush(serving), "the broker is wiped")
        return
    wait_until(lambda: serving.pids().get(what), f"there is a {what} to kill")
    with suppress(ProcessLookupError, IndexError):
        os.kill(rng.choice(serving.pids().get(what, [])), signal.SIGKILL)


def flush(serving: Serving) -> bool:
    """FLUSHALL; False when the broker is away just now."""
    client = redis_client(serving.settings.redis_url)
    try:
        client.flushall()
    except RedisError:
        return False
    finally:
        client.close()
    return True


class Sweep:
    """A community of its own, and the fleet that pushes to it."""

    def __init__(self, serving: Serving, progress: Progress, *, mirror: bool = False, **options: Any) -> None:
        self.serving = serving
        runtime = serving.runtime()
        try:
            state = make_demo(runtime, datetime.now(clock.SHANGHAI))
        finally:
            runtime.db.dispose()
        self.community_id = UUID(state.community_id)
        made = fleet_options(state, serving.base_url, progress, **options)
        self.fleet = Fleet(made if mirror else replace(made, mirror=None))

    def broken_promises(self) -> list[str]:
        """All that is not as promised once everything is up again; empty when all held."""
        wait_until(self.serving.is_well, "everything is up again")
        broken = [f"gave up: {trouble}" for trouble in self.fleet.troubles]
        broken += self.lost()
        self.drain()
        broken += [f"{c.promise} {c.name}: {c.detail}" for c in self.fleet.check() if c.ok is False]
        self.drain()
        self.fleet.close()
        return broken + self.dead_jobs() + self.differences()

    def lost(self) -> list[str]:
        """P1: what a phone was told is kept, and the database or the API does not know."""
        acknowledged = {r.id for r in all_records(self.fleet.phones).values() if r.status is not None}
        assert acknowledged
        rows = self.serving.as_owner(
            "SELECT id FROM record WHERE community_id = %(c)s"
            " UNION SELECT record_id FROM quarantine WHERE community_id = %(c)s",
            c=self.community_id,
        )
        gone = sorted(acknowledged - {str(row[0]) for row in rows})
        found = [f"acknowledged and lost: {record_id}" for record_id in gone]
        checks = check_nothing_lost(self.fleet.phones)
        return found + [f"{c.promise} {c.name}: {c.detail}" for c in checks if c.ok is False]

    def drain(self) -> None:
        """Wait until nothing is left to compile."""
        wait_until(lambda: not self.open_jobs(), "the jobs drain")

    def open_jobs(self) -> list[tuple[Any, ...]]:
        """Places that wait for compilation or are being compiled."""
        return self.serving.as_owner(
            "SELECT subject FROM job"
            " WHERE community_id = %(c)s AND kind = 'compile' AND done < wanted AND dead_at IS NULL",
            c=self.community_id,
        )

    def dead_jobs(self) -> list[str]:
        """Jobs that were given up."""
        rows = self.serving.as_owner(
            "SELECT kind, subject, last_error FROM job WHERE community_id = %(c)s AND dead_at IS NOT NULL",
            c=self.community_id,
        )
        return [f"given up: {row}" for row in rows]

    def differences(self) -> list[str]:
        """What `rebuild --check` finds."""
        runtime = self.serving.runtime()
        try:
            report = rebuild.check(runtime, self.community_id)
        finally:
            runtime.db.dispose()
        assert report.places > 0
        return [f"rebuild: {what}: {count}" for what, count in report.differences.items()]
