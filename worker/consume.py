"""The Celery worker process. ``python -m worker`` starts it; it ends when its standard input closes.

python -m worker.consume --concurrency=2
"""

import sys

from backend.app import make_runtime
from backend.logs import configure_logs
from backend.settings import load_settings
from worker.process import make_worker, serve
from worker.works import WORKS


def main() -> None:
    settings = load_settings()
    configure_logs(settings.log_level)
    serve(
        make_worker(settings, WORKS, make_runtime),
        sys.argv[1:] or [f"--concurrency={settings.worker_processes}"],
    )


if __name__ == "__main__":
    main()
