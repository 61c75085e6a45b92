"""Prometheus metrics: of requests, gathered by each API process, and of the installation, asked when scraped.

Under gunicorn every process writes to files in ``PROMETHEUS_MULTIPROC_DIR`` (``gunicorn_conf`` makes it), and whichever
answers adds them up.
"""

import os
import time
from collections.abc import Iterable

from flask import Response, g, request
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from backend.attachments.file_store import free_bytes
from backend.http.context import Runtime
from backend.operations import queries
from backend.operations.health import check_broker
from backend.sync.epoch import server_facts

#: Seconds; fine around the promise of 100 ms for a small push.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

requests_registry = CollectorRegistry()
request_seconds = Histogram(
    "saolou_http_request_seconds",
    "Time from reading a request to its answer, by route and status class",
    ("method", "route", "status"),
    buckets=BUCKETS,
    registry=requests_registry,
)


def observe_request(response: Response) -> Response:
    """Flask's after-request hook. Routes are labelled by their rule, never by the path that was asked for."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    started = g.get("started")
    if started is not None:
        labels = (request.method, route, f"{response.status_code // 100}xx")
        request_seconds.labels(*labels).observe(time.perf_counter() - started)
    return response


def render(runtime: Runtime) -> bytes:
    """Everything, in Prometheus' text format."""
    registry = requests_registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    state = CollectorRegistry()
    state.register(StateCollector(runtime))
    return generate_latest(registry) + generate_latest(state)


class StateCollector(Collector):
    """The installation's state as gauges; says ``saolou_database_up 0`` and no more when it cannot ask."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        settings = self._runtime.settings
        yield gauge("saolou_broker_up", "1 while the broker answers", check_broker(settings.redis_url).ok)
        yield gauge("saolou_disk_free_bytes", "Free bytes where the data is", free_bytes(settings.data_dir))
        try:
            found = list(self._database())
        except SQLAlchemyError:
            found = [gauge("saolou_database_up", "1 while the database answers", 0)]
        yield from found

    def _database(self) -> Iterable[Metric]:
        with self._runtime.db.transaction() as session:
            yield gauge("saolou_database_up", "1 while the database answers", 1)
            states = queries.list_job_states(session)
            opened = by_label("saolou_jobs_open", "Jobs that could run now or run", "kind")
            dead = by_label("saolou_jobs_dead", "Jobs that failed five times and wait for a person", "kind")
            oldest = by_label("saolou_job_oldest_open_seconds", "Age of the open job that waits longest", "kind")
            for job in states:
                opened.add_metric([job.kind], job.open)
                dead.add_metric([job.kind], job.dead)
                oldest.add_metric([job.kind], job.oldest_s)
            yield from (opened, dead, oldest)
            rows = by_label("saolou_rows_estimate", "Rows of a table, by PostgreSQL's statistics", "table")
            for table, count in queries.estimate_rows(session).items():
                rows.add_metric([table], count)
            yield rows
            safe_ms = server_facts(session).safe_through_ms
            yield gauge("saolou_backup_safe_through_seconds", "Time that a tested backup covers", safe_ms / 1000)
            queries.see_all(session)
            yield gauge("saolou_quarantine_held", "Records held in quarantine", queries.count_quarantined(session))
            lag = queries.get_feed_lag(session)
            yield gauge("saolou_feed_unnumbered_rows", "Changes without a position in the feed", lag.rows)
            yield gauge("saolou_feed_lag_seconds", "Age of the oldest of them", lag.oldest_s)


def gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=float(value))


def by_label(name: str, about: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=[label])
