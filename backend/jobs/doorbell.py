"""The doorbell: one Celery message that says "jobs of this kind wait in this community".

The only backend file that imports Celery. A ring that fails is swallowed: the ledger holds the truth and the sweeper
rings again. While a ring is still unheard no second one is sent: the worker takes the mark down before it claims,
so whatever was committed before the refused ring is found by the one that was heard.
"""

from uuid import UUID

import structlog
from celery import Celery
from redis import Redis

from backend.settings import redis_py_url

#: Seconds after which an unheard ring is taken for lost.
MARK_SECONDS = 10


def celery_app(redis_url: str) -> Celery:
    """The Celery application, for ringing (backend) and for answering (worker)."""
    app = Celery("saolou", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_acks_late=True,
        task_ignore_result=True,
        task_default_queue="saolou",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "visibility_timeout": 3600,
        },
        task_serializer="json",
        accept_content=["json"],
    )
    return app


def redis_client(redis_url: str) -> "Redis":
    """A redis-py client for Celery's spelling of the URL (``redis+socket://`` is ``unix://`` there)."""
    return Redis.from_url(redis_py_url(redis_url), socket_connect_timeout=1, socket_timeout=5)


class CeleryDoorbell:
    """Rings by task name; the worker's code is never imported here."""

    def __init__(self, redis_url: str) -> None:
        self._celery = celery_app(redis_url)
        self._redis = redis_client(redis_url)

    def ring(self, kind: str, community_id: UUID) -> None:
        """Wake a worker for ``kind`` in ``community_id``; returns at once, never raises."""
        try:
            if self._redis.set(mark(kind, community_id), 1, nx=True, ex=MARK_SECONDS):
                self._celery.send_task(f"saolou.{kind}", (str(community_id),), retry=False)
        except Exception as error:
            structlog.get_logger().warning("doorbell_unheard", kind=kind, error=type(error).__name__)

    def heard(self, kind: str, community_id: UUID) -> None:
        """The worker heard the ring and will now look at the ledger."""
        try:
            self._redis.delete(mark(kind, community_id))
        except Exception as error:
            structlog.get_logger().warning("doorbell_mark_kept", kind=kind, error=type(error).__name__)


def mark(kind: str, community_id: UUID) -> str:
    """The Redis key that says a ring is on its way."""
    return f"saolou:rung:{kind}:{community_id}"
