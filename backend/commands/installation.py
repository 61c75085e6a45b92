"""What a command works on: the servers named in the environment, or embedded ones in the data folder."""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from backend import clock
from backend.app import make_runtime
from backend.calendar.service import publish_national
from backend.db import Database
from backend.embedded import Addresses, EmbeddedServers, find_running
from backend.forms.service import publish_shipped
from backend.http.context import Runtime
from backend.inspections.waiting import release_waiting
from backend.jobs.ledger import communities
from backend.operations.server import let_app_in
from backend.rectification.calendar_changes import want_moved_deadlines
from backend.rectification.rule_changes import want_form_folds
from backend.schema import upgrade
from backend.secret_file import read_or_make_secret
from backend.settings import Settings, default_data_dir, load_settings
from backend.sync.form_feed import tell_forms

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installation:
    """A settings object that works; ``servers`` are set when this process started them."""

    settings: Settings
    servers: EmbeddedServers | None = None

    def runtime(self) -> Runtime:
        """The wired parts, for a command that works without the API."""
        return make_runtime(self.settings, Database(self.settings.database_url, pool_size=2))


@contextmanager
def open_installation(
    data_dir: Path | None = None, *, port: int | None = None, progress: Progress | None = None, alone: bool = False
) -> Iterator[Installation]:
    """The installation to work on, migrated.

    ``DATABASE_URL`` and ``REDIS_URL`` in the environment win: then nothing embedded starts. Otherwise the servers of
    ``data_dir`` are used if they run, and started (and stopped at the end) if they do not. ``alone``: those that run
    already belong to another that serves, whose end would be ours; they are an error that names it.
    """
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        yield Installation(load_settings())
        return
    folder = (data_dir or default_data_dir()).absolute()
    running = find_running(folder)
    if running is not None and not alone:
        yield Installation(_embedded_settings(folder, running, port))
        return
    with EmbeddedServers.start(folder, progress) as servers:
        settings = _embedded_settings(folder, servers.addresses, port)
        migrate(settings, progress)
        yield Installation(settings, servers)


def _embedded_settings(folder: Path, at: Addresses, port: int | None) -> Settings:
    """Put the embedded servers into this process's environment, where its children find them too."""
    os.environ |= {
        "DATABASE_URL": at.database_url,
        "DATABASE_OWNER_URL": at.owner_database_url,
        "REDIS_URL": at.redis_url,
        "SAOLOU_SECRET_KEY": b64encode(read_or_make_secret(folder)).decode(),
        "SAOLOU_DATA_DIR": str(folder),
    }
    if port is not None:
        os.environ["SAOLOU_PORT"] = str(port)
    return load_settings()


def migrate(settings: Settings, progress: Progress | None = None) -> list[str]:
    """Bring the schema up to date and publish this release's forms and rules; returns what was published."""
    if progress:
        progress("migrating the database")
    upgrade(settings.database_owner_url or settings.database_url)
    let_app_in(settings)
    db = Database(settings.database_url, pool_size=1)
    try:
        publish_calendar(db)
        return publish(db)
    finally:
        db.dispose()


def chosen_communities(db: Database, only: UUID | None) -> list[UUID]:
    """The named community, or all; ClickException when there is none of that id."""
    with db.transaction() as session:
        known = communities(session)
    if only is None:
        return known
    if only not in known:
        raise click.ClickException(f"there is no community {only}; create-admin makes one and prints its id")
    return [only]


def publish(db: Database) -> list[str]:
    """Publish what this release brings; tell every community's phones, wake the records that waited for it, and fold
    again the places whose visits it judges: all of it or nothing, for what is published once is not new again.

    New rules judge visits that were compiled already where phones' clocks are ahead, or a whole simulated community's.
    """
    with db.transaction() as session:
        told = communities(session)
    with db.transaction(told) as session:
        published = publish_shipped(session, clock.now_ms())
        for community_id in told if published else ():
            tell_forms(session, community_id, {item.code for item in published})
            release_waiting(session, community_id, "form", [f"{p.code}/{p.version}" for p in published if p.is_form])
            for item in published:
                if item.judges_from_ms is not None:
                    want_form_folds(session, community_id, item.code, item.judges_from_ms)
    return [str(item) for item in published]


def publish_calendar(db: Database) -> None:
    """Record the holidays that this release brings, and fold again what they move."""
    with db.transaction() as session:
        days, since_ms = publish_national(session, clock.now_ms())
        told = communities(session) if days else []
    for community_id in told:
        with db.transaction([community_id]) as session:
            want_moved_deadlines(session, community_id, days, since_ms)
