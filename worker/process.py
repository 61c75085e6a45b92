"""A worker process: its Celery application with one task a kind of job, and its runtime."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy.exc import DBAPIError

from backend.app import make_runtime
from backend.db import Database
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


class LazyCrew:
    """The process's runtime, made on first use: after the fork, never before it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._crew: Crew | None = None
        self._pid = 0

    def get(self) -> Crew:
        if self._crew is None or self._pid != os.getpid():
            bell = CeleryDoorbell(self._settings.redis_url)
            db = Database(self._settings.database_url, pool_size=2, application_name="saolou-worker")
            self._crew, self._pid = Crew(make_runtime(self._settings, db, bell), bell), os.getpid()
        return self._crew


def make_worker(settings: Settings, works: Iterable[Work]) -> Celery:
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
    crew = LazyCrew(settings)
    for work in works:
        app.task(name=f"saolou.{work.kind}", shared=False)(answer(crew, work))
    worker_process_init.connect(_start_process(settings), weak=False)
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


def _start_process(settings: Settings) -> Callable[..., None]:
    def start(**_: object) -> None:
        configure_logs(settings.log_level)
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    return start


def _end_with_parent(parent: int) -> None:
    """End this pool process when its Celery parent was killed; it would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_S)
    os._exit(1)
