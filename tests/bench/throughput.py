"""Rounds of pushing, the floor, and compiling: each alone on the machine, in alternation."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend.jobs.doorbell import CeleryDoorbell
from tests.bench.clients import Clients, Outcome, Pushing
from tests.bench.floor import Floor
from tests.bench.phones import read_statuses
from tests.bench.sizes import Sizes
from tests.bench.stage import HOST, Community, Stage
from tests.bench.visits import HAZARD_EVERY, Visits

POLL_S = 0.05
DRAIN_LIMIT_S = 900.0


def span(outcomes: Sequence[Outcome]) -> float:
    """Seconds from the first client's start to the last one's end."""
    return max(o.ended for o in outcomes) - min(o.started for o in outcomes)


class Throughput:
    """The communities of the rounds, and what a round does."""

    def __init__(self, stage: Stage, clients: Clients, sizes: Sizes, main: Community, warm: Community) -> None:
        self.stage, self.clients, self.sizes = stage, clients, sizes
        self.main, self.warm = main, warm
        self._visits = Visits(main.phone)
        self._bell = CeleryDoorbell(stage.installation.settings.redis_url)

    def push(self, bodies: Sequence[Sequence[bytes]]) -> dict[str, Any]:
        """Push ready bodies, a list for each connection; no worker runs. Every record must have been stored."""
        works = [Pushing(HOST, self.stage.port, self.main.phone.token, list(part)) for part in bodies]
        with self.stage.cpu(**self._client_trees()) as cpu:
            outcomes = self.clients.run(works)
        statuses = [status for o in outcomes for answer in o.answers for status in read_statuses(*answer)]
        if set(statuses) != {"stored"}:
            raise RuntimeError(f"a push was not stored: {set(statuses)}")
        return _result(len(statuses), outcomes, cpu.seconds)

    def floor(self, floor: Floor, community: UUID) -> dict[str, Any]:
        """Write the floor's rows of as many records, with the same concurrency and transaction size."""
        sizes = self.sizes
        works = [floor.work(self.stage, community, sizes.batches_each) for _ in range(sizes.connections)]
        with self.stage.cpu(**self._client_trees()) as cpu:
            outcomes = self.clients.run(works)
        return _result(sizes.visits_a_round, outcomes, cpu.seconds)

    def bodies(self, count: int, batch: int, connections: int) -> list[list[bytes]]:
        """Push bodies of visits to ``count`` new doors, spread over the connections."""
        made = list(self._visits.bodies(self.main.take_doors(count), batch))
        return [made[n::connections] for n in range(connections)]

    def hold(self) -> None:
        """Keep the worker from the jobs there are."""
        self._set_run_after("'infinity'")

    def compile(self) -> dict[str, Any]:
        """Start a worker, let it warm up elsewhere, then time it over the jobs that were held."""
        held = self.open_jobs(self.main.id)
        before = self.compiled()
        self.stage.worker.start()
        try:
            self.warm_up()
            with self.stage.cpu() as cpu:
                started = self.release()
                self.wait_drained(self.main.id)
                ended = time.monotonic()
            return self._compiled_result(held, before, ended - started, cpu.seconds)
        finally:
            self.stage.worker.stop()

    def _compiled_result(
        self, held: int, before: dict[str, int], seconds: float, cpu: dict[str, float]
    ) -> dict[str, Any]:
        made = {name: count - before[name] for name, count in self.compiled().items()}
        wanted = {"visit": held, "observation": held, "hazard": held // HAZARD_EVERY}
        if made != wanted:
            raise RuntimeError(f"the worker made {made} instead of {wanted}")
        return {"records": held, "seconds": round(seconds, 4), "per_s": round(held / seconds, 1), "cpu_s": cpu}

    def release(self) -> float:
        """Let the worker at the held jobs and ring for it; the moment at which it could begin."""
        started = self._set_run_after("now()")
        self._bell.ring("compile", self.main.id)
        return started

    def warm_up(self) -> None:
        """Recompile another community's places, so that all worker processes have everything loaded."""
        with self.stage.connect() as connection:
            connection.execute(
                "UPDATE job SET wanted = wanted + 1, run_after = now() WHERE kind = 'compile' AND community_id = %s",
                [self.warm.id],
            )
        self._bell.ring("compile", self.warm.id)
        self.wait_drained(self.warm.id)

    def want_all_again(self) -> None:
        """Ask for a second compile of every place that was compiled, after what waits already."""
        with self.stage.connect() as connection:
            connection.execute(
                "UPDATE job SET wanted = wanted + 1, run_after = now() + interval '1 millisecond'"
                " WHERE kind = 'compile' AND community_id = %s AND done = wanted",
                [self.main.id],
            )

    def open_jobs(self, community: UUID) -> int:
        """Compile jobs that are not done."""
        with self.stage.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM job WHERE kind = 'compile' AND community_id = %s AND done < wanted", [community]
            ).fetchone()
        return int(row[0]) if row else 0

    def compiled(self) -> dict[str, int]:
        """How many rows the compile has made of the pushed visits so far."""
        with self.stage.connect(self.main.id) as connection:
            counts = {}
            for table in ("visit", "observation", "hazard"):
                row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                counts[table] = int(row[0]) if row else 0
        return counts

    def wait_drained(self, community: UUID) -> None:
        """Return when the ledger holds no open compile job of the community; a job that failed is an error."""
        ends = time.monotonic() + DRAIN_LIMIT_S
        # Cheap: it is asked all the time while the clock runs.
        query = "SELECT 1 FROM job WHERE kind = 'compile' AND community_id = %s AND done < wanted AND dead_at IS NULL"
        with self.stage.connect() as connection:
            while connection.execute(f"{query} LIMIT 1", [community]).fetchone():
                if time.monotonic() > ends:
                    raise RuntimeError(f"the compile queue did not drain in {DRAIN_LIMIT_S:.0f} s")
                time.sleep(POLL_S)
            if connection.execute("SELECT 1 FROM job WHERE dead_at IS NOT NULL").fetchone():
                raise RuntimeError("a compile job died: see the worker's log")

    def _set_run_after(self, moment: str) -> float:
        """Set the time of all open jobs; the moment just before the commit."""
        with self.stage.connect() as connection, connection.transaction():
            connection.execute(
                f"UPDATE job SET run_after = {moment} WHERE kind = 'compile' AND community_id = %s AND done < wanted",
                [self.main.id],
            )
            return time.monotonic()

    def _client_trees(self) -> dict[str, int]:
        return {f"client_{n}": pid for n, pid in enumerate(self.clients.pids)}


def _result(records: int, outcomes: Sequence[Outcome], cpu: dict[str, float]) -> dict[str, Any]:
    seconds = span(outcomes)
    clients = round(sum(cpu.pop(name) for name in list(cpu) if name.startswith("client_")), 3)
    return {
        "records": records,
        "seconds": round(seconds, 4),
        "per_s": round(records / seconds, 1),
        "cpu_s": {**cpu, "clients": clients} if cpu else {},
    }
