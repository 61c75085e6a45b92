"""``backup``: everything that was acknowledged, in one file.

The dump is made first and the files are read after it: a file is stored before the row that names it, so every file
that the dump names is there.
"""

import json
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from backend.operations.archive import (
    DATABASE,
    FILES,
    MANIFEST,
    SECRET,
    ArchiveWriter,
    Manifest,
    Progress,
    silent,
    write_archive,
)
from backend.operations.server import owner_connection, owner_url, run_program
from backend.settings import Settings

#: Where PostgreSQL's programs are, by name (the embedded ones, or those on the PATH).
FindProgram = Callable[[str], Path]


def backup(settings: Settings, target: Path, find_program: FindProgram, progress: Progress = silent) -> Manifest:
    """Write a backup of the running installation to ``target``; it appears when it is whole.

    The file opens everything it holds (it has the secret): keep it as you keep the data. OwnerMissing, OwnerBlind,
    ProgramFailed.
    """
    url = owner_url(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".saolou-backup-", dir=target.parent) as folder,
        owner_connection(url, isolation="REPEATABLE READ") as connection,
        write_archive(target) as archive,
    ):
        # Read before the snapshot: what was committed earlier is in it.
        covered_ms = connection.scalar(text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"))
        connection.rollback()
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        dump = Path(folder) / DATABASE
        arguments = ["--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={dump}"]
        progress("database", 0, 0)
        run_program(find_program("pg_dump"), url, arguments)
        rows = count_rows(connection)
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        postgres = connection.scalar(text("SHOW server_version"))
        archive.add_file(DATABASE, dump, progress)
        archive.add_bytes(SECRET, json.dumps({"secret_key": b64encode(settings.secret_key).decode()}).encode())
        add_files(archive, settings.data_dir / FILES, progress)
        manifest = Manifest(covered_ms or 0, str(revision), str(postgres), rows, list(archive.members))
        archive.add_bytes(MANIFEST, manifest.to_json())
    return manifest


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows of each of our tables, as the connection sees them."""
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    names = connection.scalars(text(tables)).all()
    return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}


def add_files(archive: ArchiveWriter, folder: Path, progress: Progress) -> None:
    """All finished files below ``folder``, in a stable order."""
    paths = list(stored_files(folder))
    for n, path in enumerate(paths):
        progress(FILES, n, len(paths))
        archive.add_file(f"{FILES}/{path.relative_to(folder).as_posix()}", path)


def stored_files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
