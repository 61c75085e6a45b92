"""``restore``: a backup becomes the installation again; and the test that a backup can.

A restored server has another epoch: phones take a fresh snapshot and offer again what the backup does not hold.
"""

import json
import os
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from backend.db import Database
from backend.errors import ConfigurationError
from backend.identity.keys import Keyring, Sealed
from backend.inspections.models import Record, RecordKey
from backend.operations.archive import DATABASE, FILES, SECRET, ArchiveDamaged, Manifest, Progress, read_archive, silent
from backend.operations.backup import FindProgram, count_rows
from backend.operations.server import (
    let_connect,
    owner_connection,
    owner_url,
    run_program,
    scratch_database,
    swap_databases,
)
from backend.schema import upgrade
from backend.settings import Settings
from backend.sync.epoch import bump_epoch, note_safe_through

#: A new cluster may lack the role that the dump grants to.
MAKE_APP_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saolou_app') THEN CREATE ROLE saolou_app NOLOGIN; END IF;
END $$
"""
#: Sealed records that a test restore opens.
SAMPLE = 200


class DatabaseNotEmpty(ConfigurationError):
    pass


class SecretDiffers(ConfigurationError):
    pass


def restore(
    settings: Settings,
    archive: Path,
    find_program: FindProgram,
    *,
    replace_data: bool = False,
    install_secret: Callable[[bytes], None] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Put a backup in the place of an empty database (of any with ``replace_data``).

    Everything is checked and restored beside the live database first; only then is it swapped in, so a backup that
    does not restore leaves things as they were. ``install_secret`` stores the backup's secret where this installation
    reads it; without it a differing secret is refused. ArchiveDamaged, DatabaseNotEmpty, SecretDiffers.
    """
    url = owner_url(settings)
    let_connect(url)
    if not replace_data and not is_empty(url):
        raise DatabaseNotEmpty(
            "The database holds communities or accounts. Restore into an empty one, or say --replace to lose them."
        )
    with unpacked(archive, settings.data_dir, progress) as (manifest, dump, secret):
        if secret != settings.secret_key and install_secret is None:
            raise SecretDiffers(
                "The backup was sealed with another SAOLOU_SECRET_KEY: set that of the backup's server."
            )
        with restored(url, dump, manifest, find_program, progress) as fresh_url:
            check_sealed(fresh_url, secret)
            raise_epoch(fresh_url)
            move_files(dump.parent / FILES, settings.data_dir / FILES)
            swap_databases(url, fresh_url)
            # Last: cut off before this, the same restore is simply done again; the other way round the old database
            # would stand there without its key.
            if secret != settings.secret_key and install_secret:
                install_secret(secret)
    return manifest


def verify_backup(
    settings: Settings, archive: Path, find_program: FindProgram, progress: Progress = silent
) -> Manifest:
    """Restore a backup into a scratch database as a test; then phones are told how far it reaches."""
    url = owner_url(settings)
    with (
        unpacked(archive, settings.data_dir, progress) as (manifest, dump, secret),
        restored(url, dump, manifest, find_program, progress) as fresh_url,
    ):
        check_sealed(fresh_url, secret)
    db = Database(settings.database_url, pool_size=1)
    try:
        with db.transaction() as session:
            note_safe_through(session, manifest.covered_ms)
    finally:
        db.dispose()
    return manifest


def is_empty(url: str) -> bool:
    """No tables yet, or tables in which nobody has put a community or an account."""
    with owner_connection(url) as connection:
        try:
            inhabited = "SELECT EXISTS (SELECT FROM community) OR EXISTS (SELECT FROM account)"
            return not connection.scalar(text(inhabited))
        except ProgrammingError:
            return True


@contextmanager
def unpacked(archive: Path, data_dir: Path, progress: Progress) -> Iterator[tuple[Manifest, Path, bytes]]:
    """The archive's manifest, dump and secret, with its files beside the dump; all hashes are right."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=data_dir) as folder:

        def take(name: str, stream: IO[bytes]) -> None:
            progress(name, 0, 0)
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                while chunk := stream.read(1 << 20):
                    file.write(chunk)

        manifest = read_archive(archive, take)
        try:
            secret = b64decode(json.loads((Path(folder) / SECRET).read_text())["secret_key"])
        except (OSError, ValueError, KeyError) as error:
            raise ArchiveDamaged(f"{archive} has no secret in it") from error
        yield manifest, Path(folder) / DATABASE, secret


@contextmanager
def restored(url: str, dump: Path, manifest: Manifest, find_program: FindProgram, progress: Progress) -> Iterator[str]:
    """A scratch database with the dump in it, counted, then migrated to this release."""
    with scratch_database(url) as fresh_url:
        progress("restoring the database", 0, 0)
        with owner_connection(fresh_url) as connection:
            connection.execute(text(MAKE_APP_ROLE))
        arguments = ["--no-owner", "--exit-on-error", "--single-transaction", str(dump)]
        run_program(find_program("pg_restore"), fresh_url, arguments)
        with owner_connection(fresh_url) as connection:
            counted = count_rows(connection)
        if counted != manifest.rows:
            differing = sorted(t for t in {*counted, *manifest.rows} if counted.get(t) != manifest.rows.get(t))
            raise ArchiveDamaged(f"the restored database has other rows than were backed up, in {differing[0]}")
        upgrade(fresh_url)
        with owner_connection(fresh_url) as connection:
            # A dump brings no statistics along, and a query planned without them may take hours on a large community.
            connection.execute(text("ANALYZE"))
        yield fresh_url


def check_sealed(url: str, secret: bytes) -> None:
    """Open a sample of sealed records with the backup's secret; ArchiveDamaged when one does not open."""
    keyring, db = Keyring(secret), Database(url, pool_size=1)
    sample = (
        select(Record.community_id, Record.id, Record.sealed, RecordKey.key_version, RecordKey.wrapped)
        .join(RecordKey, (RecordKey.community_id == Record.community_id) & (RecordKey.record_id == Record.id))
        .where(Record.sealed.is_not(None))
        .order_by(func.md5(Record.sha256))
        .limit(SAMPLE)
    )
    try:
        with db.transaction() as session:
            for community_id, record_id, body, version, wrapped in session.execute(sample):
                keyring.sealer(session, community_id).open(record_id, Sealed(body or b"", version, wrapped))
    except (InvalidTag, KeyError) as error:
        raise ArchiveDamaged("a sealed record of the backup does not open with the backup's secret") from error
    finally:
        db.dispose()


def raise_epoch(url: str) -> None:
    db = Database(url, pool_size=1)
    try:
        with db.transaction() as session:
            bump_epoch(session)
    finally:
        db.dispose()


def move_files(source: Path, target: Path) -> None:
    """Stored files are named by their content: one that is there already is the same."""
    if not source.is_dir():
        return
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
