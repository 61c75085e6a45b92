"""How long phones wait: small pushes while the compile queue is busy, a grid from scratch, a pull with nothing new."""

import math
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from tests.bench.clients import Pushing
from tests.bench.phones import read_statuses
from tests.bench.sizes import Sizes
from tests.bench.stage import HOST, Community, Stage
from tests.bench.throughput import Throughput, span
from tests.bench.visits import Visits

PAGE_ROWS = 2000


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def small_pushes(throughput: Throughput, sizes: Sizes) -> dict[str, Any]:
    """Pushes of a few visits, one after the other on each connection, while the worker works through a backlog.

    The backlog is of new visits first, then of places to be compiled again, so that it cannot run dry before the last
    push is answered; if it does all the same, that is an error.
    """
    stage, clients = throughput.stage, throughput.clients
    pushed = throughput.bodies(sizes.backlog, sizes.batch, sizes.connections)
    small = throughput.bodies(sizes.small_pushes * sizes.small_batch, sizes.small_batch, sizes.small_connections)
    stage.worker.start()
    try:
        throughput.warm_up()
        throughput.push(pushed)
        throughput.want_all_again()
        waiting = throughput.open_jobs(throughput.main.id)
        works = [Pushing(HOST, stage.port, throughput.main.phone.token, part) for part in small]
        with stage.cpu() as cpu:
            outcomes = clients.run(works)
        left = throughput.open_jobs(throughput.main.id)
    finally:
        stage.worker.stop()
    if not left:
        raise RuntimeError("the compile queue ran dry while small pushes were measured")
    statuses = {status for o in outcomes for answer in o.answers for status in read_statuses(*answer)}
    if statuses != {"stored"}:
        raise RuntimeError(f"a small push was not stored: {statuses}")
    seconds = [s for outcome in outcomes for s in outcome.seconds]
    new = len(seconds) * sizes.small_batch
    return {
        "pushes": len(seconds),
        "visits_each": sizes.small_batch,
        "connections": len(works),
        "p50_ms": round(percentile(seconds, 0.5) * 1000, 2),
        "p90_ms": round(percentile(seconds, 0.9) * 1000, 2),
        "p99_ms": round(percentile(seconds, 0.99) * 1000, 2),
        "max_ms": round(max(seconds) * 1000, 2),
        "queue_before": waiting,
        "queue_after": left,
        "compiled_per_s": round((waiting + new - left) / span(outcomes), 1),
        "cpu_s": cpu.seconds,
    }


class Pulls:
    """A grid with places and tasks, and a phone that pulls it."""

    def __init__(self, stage: Stage, throughput: Throughput, community: Community, sizes: Sizes) -> None:
        self.stage, self.community, self.sizes = stage, community, sizes
        self._fill(throughput)

    def _fill(self, throughput: Throughput) -> None:
        """Visits that saw something, until there are as many tasks as wanted, compiled by the worker."""
        visits, phone = Visits(self.community.phone, hazard_every=1), self.community.phone
        for body in visits.bodies(self.community.take_doors(self.sizes.grid_tasks), self.sizes.batch):
            phone.push(body)
        self.stage.worker.start()
        try:
            throughput.wait_drained(self.community.id)
        finally:
            self.stage.worker.stop()

    def grid(self) -> dict[str, Any]:
        """All pages of the grid's scope, with no cursor; every row must have come."""
        scope, seconds = f"area:{self.community.grids[0]}", []
        rows = pages = 0
        for turn in range(self.sizes.pulls + 1):
            started = time.perf_counter()
            found, pages = self._all_pages(scope)
            if turn:
                seconds.append(time.perf_counter() - started)
            rows = len(found)
            self._check(found)
        return {"ms": _ms(median(seconds)), "max_ms": _ms(max(seconds)), "rows": rows, "pages": pages}

    def idle(self) -> dict[str, Any]:
        """A pull of all the phone's scopes with current cursors: nothing comes."""
        phone, seconds = self.community.phone, list[float]()
        cursors = self._current()
        for turn in range(self.sizes.idle_pulls + 5):
            started = time.perf_counter()
            answer = phone.pull(cursors, 500)
            if turn >= 5:
                seconds.append(time.perf_counter() - started)
            if any(scope["changes"] or scope["has_more"] or scope["reset"] for scope in answer["scopes"]):
                raise RuntimeError("an idle pull brought something")
        return {"ms": _ms(median(seconds)), "p99_ms": _ms(percentile(seconds, 0.99)), "scopes": len(cursors)}

    def _all_pages(self, scope: str) -> tuple[list[dict[str, Any]], int]:
        cursor, changes, pages, more = None, list[dict[str, Any]](), 0, True
        while more:
            page = self.community.phone.pull({scope: cursor}, PAGE_ROWS)["scopes"][0]
            cursor, more, pages = page["cursor"], page["has_more"], pages + 1
            changes += page["changes"]
        return changes, pages

    def _check(self, changes: Sequence[dict[str, Any]]) -> None:
        by_entity = {name: {c["id"] for c in changes if c["entity"] == name} for name in ("place", "task")}
        if len(by_entity["place"]) < self.sizes.grid_places or len(by_entity["task"]) != self.sizes.grid_tasks:
            raise RuntimeError(f"the grid came incomplete: { ({k: len(v) for k, v in by_entity.items()}) }")

    def _current(self) -> dict[str, str | None]:
        phone = self.community.phone
        cursors: dict[str, str | None] = dict.fromkeys(phone.pull({}, 1)["allowed_scopes"])
        more = True
        while more:
            scopes = phone.pull(cursors, PAGE_ROWS)["scopes"]
            cursors |= {scope["id"]: scope["cursor"] for scope in scopes}
            more = any(scope["has_more"] for scope in scopes)
        return cursors


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
