"""A worker process: its Celery application with one task a kind of job, and its runtime."""

import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from uuid import UUID

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from sqlalchemy.exc import DBAPIError

from backend.db import Database
from backend.garbage import collect_less
from backend.http.context import Runtime
from backend.jobs.doorbell import CeleryDoorbell, celery_app
from backend.logs import configure_logs, log
from backend.settings import Settings
from worker.frame import Crew, Work, drain

#: Seconds after which a task is killed. Beyond every lease, so that the ledger has given its subjects up long before.
TIME_LIMIT_S = 1200
#: A worker process is replaced after so many tasks or so much memory, against slow leaks.
TASKS_PER_PROCESS = 2000
MEMORY_PER_PROCESS_KB = 600_000
ORPHAN_CHECK_S = 1.0
OPTIONS = (
    "--pool=prefork",
    "-Ofair",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


MakeRuntime = Callable[[Settings, Database, CeleryDoorbell], Runtime]


class LazyCrew:
    """The process's runtime, made on first use: after the fork, never before it."""

    def __init__(self, settings: Settings, make_runtime: MakeRuntime) -> None:
        self._settings, self._make_runtime = settings, make_runtime
        self._crew: Crew | None = None
        self._pid = 0

    def get(self) -> Crew:
        if self._crew is None or self._pid != os.getpid():
            bell = CeleryDoorbell(self._settings.redis_url)
            db = Database(self._settings.database_url, pool_size=2, application_name="saolou-worker")
            self._crew, self._pid = Crew(self._make_runtime(self._settings, db, bell), bell), os.getpid()
            collect_less()
        return self._crew


def make_worker(settings: Settings, works: Iterable[Work], make_runtime: MakeRuntime) -> Celery:
    """A Celery application that answers the bells of ``works``."""
    app = celery_app(settings.redis_url)
    app.conf.update(
        task_time_limit=TIME_LIMIT_S,
        worker_max_tasks_per_child=TASKS_PER_PROCESS,
        worker_max_memory_per_child=MEMORY_PER_PROCESS_KB,
        worker_redirect_stdouts=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_max_retries=None,
    )
    crew = LazyCrew(settings, make_runtime)
    for work in works:
        app.task(name=f"saolou.{work.kind}", shared=False)(answer(crew, work))
    setup_logging.connect(partial(_configure_logs, settings), weak=False)
    worker_process_init.connect(partial(_start_process, settings), weak=False)
    return app


def answer(crew: LazyCrew, work: Work) -> Callable[[str], None]:
    """The task of one kind. It never raises: what failed is in the ledger, and Celery would log messages with data."""

    def task(community_id: str) -> None:
        try:
            drain(crew.get(), work, UUID(community_id))
        except DBAPIError:
            log.error("database_away", kind=work.kind, exc_info=True)
        except Exception:
            log.error("drain_failed", kind=work.kind, exc_info=True)

    return task


def _configure_logs(settings: Settings, **_: object) -> None:
    """Whoever listens to ``setup_logging`` keeps Celery from setting up logs of its own."""
    configure_logs(settings.log_level)
    logging.getLogger("multiprocessing").propagate = True


def _start_process(settings: Settings, **_: object) -> None:
    _configure_logs(settings)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """End this pool process when its Celery parent was killed; it would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_S)
    os._exit(1)


def serve(app: Celery, arguments: list[str]) -> None:
    """Consume until SIGTERM, which lets running jobs finish."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    # It warns root of pickled messages (ours are JSON) and of what it does to jobs when the broker goes (the ledger's).
    warnings.filterwarnings("ignore", module="celery")
    app.worker_main(["--quiet", "worker", *OPTIONS, *arguments])


def _end_with_starter() -> None:
    """The starter holds the other end of our standard input: when it is gone, so are we."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
