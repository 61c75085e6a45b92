"""P1, P2 and P3 when processes die: kill -9 of everything and a wiped broker, while phones with faults push.

Real gunicorn, worker, PostgreSQL and Valkey under the supervisor of `serve`. The same checks must fail against an
installation whose commits are acknowledged before they are durable, and where jobs are lost with their messages.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random

import pytest

from tests.journeys.serving import Serving, family, wait_until
from tests.journeys.striking import FLUSH, STRIKES, Sweep, strike

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("serve") / "data of the chaos")
    yield made
    made.stop()


def silent(_what: str, _done: int, _total: int) -> None:
    pass


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def play_under_fire(serving: Serving, seed: int, strikes: list[str], **options: object) -> list[Sweep]:
    """Fleets push, one after the other, until every strike has hit a running one."""
    rng, sweeps = Random(f"chaos/{seed}"), list[Sweep]()
    with ThreadPoolExecutor(1) as pool:
        waiting = rng.sample(strikes, len(strikes))
        while waiting:
            sweeps.append(Sweep(serving, silent, seed=seed + len(sweeps), **options))
            running = pool.submit(sweeps[-1].fleet.run)
            while waiting and not running.done():
                time.sleep(rng.uniform(0.2, 1.5))
                if not running.done():
                    strike(serving, waiting.pop(), rng)
            running.result()
            wait_until(serving.is_well, "everything is up again")
    return sweeps


def test_kill_everything_amid_pushes_keeps_every_promise(serving: Serving) -> None:
    sweeps = play_under_fire(serving, 11, list(STRIKES), phones=6, days=4, visits_per_day=8)
    assert [sweep.broken_promises() for sweep in sweeps] == [[] for _ in sweeps]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [101, 202, 303, 404])
def test_kill_everything_again_and_again_keeps_every_promise(serving: Serving, seed: int) -> None:
    strikes = [*STRIKES, *STRIKES, "PostgreSQL", "API process", "job process", FLUSH]
    sweeps = play_under_fire(serving, seed, strikes, phones=12, days=7, visits_per_day=10, mirror=True)
    assert [sweep.broken_promises() for sweep in sweeps] == [[] for _ in sweeps]


def test_kill_postgres_after_answers_before_durability_is_noticed(serving: Serving) -> None:
    """The seeded bug: the answer says "stored" while the commit is in memory only."""

    def kill_at_the_end(what: str, done: int, total: int) -> None:
        if what == "last push" and done == total:
            strike(serving, "PostgreSQL", Random(2))

    sweep = Sweep(serving, kill_at_the_end, seed=5, phones=2, days=1, visits_per_day=8, faults=frozenset())
    try:
        serving.as_owner("ALTER ROLE saolou_app SET synchronous_commit = off")
        serving.as_owner("ALTER SYSTEM SET wal_writer_delay = '10s'")
        serving.as_owner("ALTER SYSTEM SET autovacuum = off")  # its commits would make ours durable
        strike(serving, "PostgreSQL", Random(1))
        wait_until(serving.is_well, "everything is up again")
        sweep.fleet.run()
        wait_until(serving.is_well, "everything is up again")
        assert any("acknowledged and lost" in broken for broken in sweep.lost())
        sweep.fleet.close()
    finally:
        serving.as_owner("ALTER ROLE saolou_app RESET synchronous_commit")
        serving.as_owner("ALTER SYSTEM RESET ALL")
        strike(serving, "PostgreSQL", Random(3))
        wait_until(serving.is_well, "everything is up again")


def test_lose_jobs_with_their_messages_is_noticed(serving: Serving) -> None:
    """The seeded bug: what was to be compiled is known to the broker only, and the broker is wiped."""
    worker = family(serving.pids()["foreman"][0])
    sweep = Sweep(serving, silent, seed=6, phones=2, days=1, visits_per_day=8, faults=frozenset())
    sweep.drain()
    signal_all(worker, signal.SIGSTOP)
    try:
        sweep.fleet.run()
        assert sweep.open_jobs()
        serving.as_owner("DELETE FROM job WHERE community_id = %(c)s AND kind = 'compile'", c=sweep.community_id)
        strike(serving, FLUSH, Random(1))
    finally:
        signal_all(worker, signal.SIGCONT)
    sweep.drain()
    assert sweep.lost() == []
    assert sweep.differences() != []
    sweep.fleet.close()
