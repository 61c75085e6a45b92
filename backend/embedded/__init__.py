"""PostgreSQL and Valkey from their wheels, on Unix sockets only, and the supervisor of everything that serves.

    with EmbeddedServers.start(Path("data"), progress=print) as servers:
        servers.database_url        # application role, for SQLAlchemy and psycopg
        servers.owner_database_url  # for migrations
        servers.redis_url           # for Celery and the settings
        servers.redis_py_url        # for redis-py

Everything that can go wrong is an `EmbeddedError` with a `code` and a sentence that says what to do.
"""

from backend.embedded.addresses import Addresses
from backend.embedded.binaries import postgres_tool
from backend.embedded.errors import EmbeddedError
from backend.embedded.folders import MINIMUM_FREE_BYTES, free_bytes, free_space_ok
from backend.embedded.ports import check_port, find_port
from backend.embedded.servers import EmbeddedServers, find_running
from backend.embedded.supervisor import Service, Supervisor, Unit

__all__ = [
    "MINIMUM_FREE_BYTES",
    "Addresses",
    "EmbeddedError",
    "EmbeddedServers",
    "Service",
    "Supervisor",
    "Unit",
    "check_port",
    "find_port",
    "find_running",
    "free_bytes",
    "free_space_ok",
    "postgres_tool",
]
