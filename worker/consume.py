"""The Celery worker process. ``python -m worker`` starts it; it ends when its standard input closes.

    python -m worker.consume --concurrency 2
"""

import os
import signal
import sys
import threading

from celery import Celery

from backend.logs import configure_logs
from backend.settings import load_settings
from worker.process import make_worker
from worker.works import WORKS

OPTIONS = (
    "--pool=prefork",
    "-Ofair",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


def main() -> None:
    settings = load_settings()
    configure_logs(settings.log_level)
    serve(make_worker(settings, WORKS), sys.argv[1:] or [f"--concurrency={settings.worker_processes}"])


def serve(app: Celery, arguments: list[str]) -> None:
    """Consume until SIGTERM, which lets running jobs finish."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    app.worker_main(["--quiet", "worker", *OPTIONS, *arguments])


def _end_with_starter() -> None:
    """The starter holds the other end of our standard input: when it is gone, so are we."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
