"""The Celery application of this product, also for Celery's own command line:

python -m celery -A worker.app worker --concurrency 2
"""

from celery import Celery

from backend.app import make_runtime
from backend.settings import load_settings
from worker.process import make_worker
from worker.works import WORKS


def __getattr__(name: str) -> Celery:
    """``app`` is made when it is asked for, so that this module can be imported without an environment."""
    if name in ("app", "celery"):
        made = globals()["app"] = make_worker(load_settings(), WORKS, make_runtime)
        return made
    raise AttributeError(name)
