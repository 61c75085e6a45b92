"""How gunicorn serves the API: ``gunicorn -c python:backend.operations.gunicorn_conf backend.wsgi:app``.

Many threads, because phones in stairwells upload slowly and each holds one while its body arrives; behind nginx, which
buffers bodies, they are mostly idle. Threads hold no database connection while they read.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn import glogging

from backend.garbage import collect_less
from backend.logs import configure_logs
from backend.settings import load_settings

_settings = load_settings()
_PREFIX = "saolou-metrics-"


def _remove_leftovers() -> None:
    """Folders of masters that were killed and could not remove theirs."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdigit() and folder.stat().st_uid == os.geteuid():
                try:
                    os.kill(int(pid), 0)
                except ProcessLookupError:
                    shutil.rmtree(folder)


_remove_leftovers()
#: A fresh folder each start: counters of processes long gone must not be added up.
_metrics_dir = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics_dir


class JsonLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's own messages in our form; without addresses, which may hold what somebody searched for."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        configure_logs(_settings.log_level)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def exception(self, msg: str, *_args: Any, **_kwargs: Any) -> None:
        self.error_log.error(msg.partition("%")[0].strip(), exc_info=True)


bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.api_workers
threads = 64
timeout = 60
graceful_timeout = 30
keepalive = 75
backlog = 1024
max_requests = 100_000
max_requests_jitter = 10_000
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
logger_class = JsonLogger
accesslog = None
#: It would put a socket into the home folder, where two installations would meet.
control_socket_disable = True


def post_worker_init(_worker: Any) -> None:
    collect_less()


def child_exit(_server: Any, worker: Any) -> None:
    """Add what the process counted to what remains."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(_metrics_dir, ignore_errors=True)
