"""Whether this installation can serve, and if not, why, in a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.attachments.file_store import MINIMUM_FREE_BYTES, free_bytes
from backend.db import Database
from backend.jobs.doorbell import redis_client
from backend.schema import head_revision
from backend.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``vital``: without it nothing can be served; else service is degraded."""

    name: str
    ok: bool
    vital: bool
    detail: str


def check_database(db: Database) -> Finding:
    """The database answers and stands on this release's revision."""
    try:
        with db.engine.connect() as connection:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        if state in ("42P01", "42501"):
            return Finding("database", False, True, "not migrated: run `python3 -m backend migrate`")
        return Finding("database", False, True, "database unreachable: is PostgreSQL running, is DATABASE_URL right?")
    if found != head_revision():
        sentence = f"database is at {found}, this release needs {head_revision()}: run `python3 -m backend migrate`"
        return Finding("database", False, True, sentence)
    return Finding("database", True, True, f"at {found}")


def check_broker(redis_url: str) -> Finding:
    """The broker answers. Without it jobs start late (the sweeper cannot ring) but none is lost."""
    client = redis_client(redis_url)
    try:
        client.ping()
    except RedisError:
        return Finding("broker", False, False, "broker unreachable: jobs wait in the ledger until Valkey is back")
    finally:
        client.close()
    return Finding("broker", True, False, "answers")


def check_disk(path: Path, measure: Callable[[Path], int] = free_bytes) -> Finding:
    """Room for the data."""
    free = measure(path)
    if free < MINIMUM_FREE_BYTES:
        sentence = f"disk full: {free // 1_000_000} MB free of the {MINIMUM_FREE_BYTES // 1_000_000} MB needed;"
        return Finding("disk", False, False, f"{sentence} uploads are refused until there is room at {path}")
    return Finding("disk", True, False, f"{free // 1_000_000} MB free")


def check_readiness(db: Database, settings: Settings, measure: Callable[[Path], int] = free_bytes) -> list[Finding]:
    """All findings; ready as long as no vital one failed."""
    return [check_database(db), check_broker(settings.redis_url), check_disk(settings.data_dir, measure)]


def status_of(findings: list[Finding]) -> str:
    """``ready``, ``degraded`` or ``not_ready``."""
    if any(f.vital and not f.ok for f in findings):
        return "not_ready"
    return "ready" if all(f.ok for f in findings) else "degraded"
