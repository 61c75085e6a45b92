"""Talking to the database server as the owner: its programs, scratch databases, and what the owner may see."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from backend.errors import ConfigurationError
from backend.settings import Settings


class OwnerMissing(ConfigurationError):
    pass


class OwnerBlind(ConfigurationError):
    pass


class ProgramFailed(ConfigurationError):
    pass


def owner_url(settings: Settings) -> str:
    """The owner's URL; OwnerMissing when there is none."""
    if not settings.database_owner_url:
        raise OwnerMissing("Set DATABASE_OWNER_URL: backups and restores are made as the role that owns the tables.")
    return settings.database_owner_url


def database_of(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def owner_connection(url: str, *, isolation: str = "AUTOCOMMIT") -> Iterator[Connection]:
    """A connection of its own, closed at the end; OwnerBlind when row level security binds the role."""
    engine = create_engine(url, poolclass=NullPool, isolation_level=isolation, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            # Rather an error than rows left out in silence.
            connection.execute(text("SET row_security = off"))
            seeing = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            if not connection.scalar(text(seeing)):
                role = connection.scalar(text("SELECT current_user"))
                raise OwnerBlind(
                    f"Row level security hides all rows from the role {role}, so its backup would be empty. "
                    f"As a superuser: ALTER ROLE {role} BYPASSRLS"
                )
            yield connection
    finally:
        engine.dispose()


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """The URL of a new empty database beside ``url``'s; dropped at the end unless it was renamed."""
    name = f"{make_url(url).database}_scratch_{uuid4().hex[:8]}"
    with maintenance(url) as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield database_of(url, name)
    finally:
        with maintenance(url) as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@contextmanager
def maintenance(url: str) -> Iterator[Connection]:
    """A connection to the server's maintenance database, outside transactions."""
    with owner_connection(database_of(url, "postgres")) as connection:
        yield connection


def let_connect(url: str) -> None:
    """Open the database again that a restore, killed amid its swap, left closed to everybody."""
    name = make_url(url).database
    with maintenance(url) as connection:
        closed = text("SELECT 1 FROM pg_database WHERE datname = :name AND NOT datallowconn")
        if connection.scalar(closed, {"name": name}):
            connection.execute(text(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true'))


def swap_databases(url: str, fresh_url: str) -> None:
    """Put the database ``fresh_url`` in the place of ``url``'s, which is dropped. Sessions of both are ended.

    Whatever goes wrong, or is killed, on the way: one of the two bears the name.
    """
    live, fresh = make_url(url).database, make_url(fresh_url).database
    old = f"{live}_before_restore_{uuid4().hex[:8]}"
    with maintenance(url) as connection:
        try:
            for name in (live, fresh):
                connection.execute(text(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false'))
                end_sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                connection.execute(text(end_sessions), {"name": name})
            renames = (f'ALTER DATABASE "{live}" RENAME TO "{old}"', f'ALTER DATABASE "{fresh}" RENAME TO "{live}"')
            # Sent together they are one transaction.
            connection.exec_driver_sql("; ".join(renames))
        except DBAPIError:
            connection.execute(text(f'ALTER DATABASE "{live}" WITH ALLOW_CONNECTIONS true'))
            raise
        connection.execute(text(f'ALTER DATABASE "{live}" WITH ALLOW_CONNECTIONS true'))
        connection.execute(text(f'DROP DATABASE "{old}" WITH (FORCE)'))


def run_program(program: Path, url: str, arguments: Sequence[str]) -> None:
    """One of PostgreSQL's programs on ``url``'s database; the password goes by the environment, never by arguments."""
    parsed = make_url(url)
    environment = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    address = parsed.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run(
        [str(program), "--no-password", f"--dbname={address}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()[:5]
        raise ProgramFailed(f"{program.name} failed: " + " / ".join(lines))


def let_app_in(settings: Settings) -> bool:
    """Give the application's role the log-in and password that ``DATABASE_URL`` names, if it cannot get in with them.

    For servers whose superuser is the owner (containers); elsewhere an administrator does it. Returns whether it did.
    """
    app = make_url(settings.database_url)
    if not settings.database_owner_url or not app.password or not app.username or _gets_in(settings.database_url):
        return False
    with owner_connection(settings.database_owner_url) as connection:
        driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        # Hashed here, so that the password itself reaches no server log.
        hashed = driver.pgconn.encrypt_password(str(app.password).encode(), app.username.encode(), b"scram-sha-256")
        role, secret = sql.Identifier(app.username), sql.Literal(hashed.decode())
        driver.execute(sql.SQL("ALTER ROLE {} WITH LOGIN PASSWORD {}").format(role, secret))
    return True


def _gets_in(url: str) -> bool:
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.connect():
            return True
    except DBAPIError:
        return False
    finally:
        engine.dispose()
