"""How to reach the running servers: every form of address that a client library wants."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from backend.embedded.folders import VALKEY_SOCKET

#: Owns the schema and migrates; a superuser inside the private socket folder.
OWNER_ROLE = "saolou_owner"
#: What the API and the worker log in as: no superuser, row level security binds it.
APP_ROLE = "saolou_app"
DATABASE = "saolou"


@dataclass(frozen=True)
class Addresses:
    """Addresses by socket folder. The database forms suit SQLAlchemy (psycopg 3), psycopg and libpq's programs."""

    folder: Path

    @property
    def database_url(self) -> str:
        return self.url_of(DATABASE)

    @property
    def owner_database_url(self) -> str:
        return self.url_of(DATABASE, owner=True)

    @property
    def redis_url(self) -> str:
        """Celery's spelling, which the settings use."""
        return f"redis+socket://{quote(str(self.folder / VALKEY_SOCKET))}"

    @property
    def redis_py_url(self) -> str:
        """redis-py's spelling of the same socket."""
        return f"unix://{quote(str(self.folder / VALKEY_SOCKET))}"

    def url_of(self, database: str, *, owner: bool = False) -> str:
        """Another database of the same server, such as a test's copy of a template."""
        role = OWNER_ROLE if owner else APP_ROLE
        # The port is said, or PGPORT of the caller's environment would choose it.
        return f"postgresql://{role}@/{database}?host={quote(str(self.folder), safe='')}&port=5432"
