"""Alembic's environment: one migrator at a time, and none that waits long for a lock while phones push."""

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.dialects.postgresql.base import ischema_names

from backend.db import Ltree
from backend.schema import metadata
from migrations.tenancy import APP_ROLE

ischema_names["ltree"] = Ltree

#: Any constant will do; it names "migrating Saolou" among the database's advisory locks.
MIGRATION_LOCK = 0x5A01_0001


def run_offline() -> None:
    """Print the SQL of the migrations (for squawk and for a careful administrator)."""
    context.configure(dialect_name="postgresql", target_metadata=metadata(), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate under an advisory lock; a statement that cannot get its table lock in 5 s fails instead of queueing."""
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.configure(connection=connection, target_metadata=metadata(), compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        # The API says whether it is ready by reading which revision it stands on.
        connection.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


if context.is_offline_mode():
    run_offline()
else:
    run_online()
