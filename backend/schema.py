"""The database schema: every feature's tables in one metadata, and the way to bring a database up to it."""

import io
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from backend.db import Base

FEATURES_WITH_TABLES = (
    "identity",
    "places",
    "calendar",
    "forms",
    "inspections",
    "attachments",
    "sync",
    "hazards",
    "campaigns",
    "rectification",
    "notices",
    "evacuations",
    "meetings",
    "notifications",
    "privacy",
    "jobs",
)
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def metadata() -> MetaData:
    """The metadata with all tables; importing a feature's models registers them."""
    for feature in FEATURES_WITH_TABLES:
        import_module(f"backend.{feature}.models")
    return Base.metadata


def alembic_config(owner_url: str = "") -> Config:
    """Alembic's configuration for ``owner_url`` (a SQLAlchemy URL of the role that owns the tables)."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``; safe to run from several processes at once."""
    command.upgrade(alembic_config(owner_url), revision)


def upgrade_sql() -> str:
    """The SQL of all migrations from an empty database."""
    out = io.StringIO()
    with redirect_stdout(out):
        config = alembic_config()
        config.output_buffer = out
        command.upgrade(config, "head", sql=True)
    return out.getvalue()


@cache
def head_revision() -> str:
    """The revision that this release's code needs."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise LookupError("there are no migrations")
    return head
