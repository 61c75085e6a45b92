"""The data folder, the private socket folder, and how much room is left.

The data folder holds `pg/`, `valkey/`, `logs/`, `servers/` (a copy of the programs, only where it is needed) and
`servers.lock`. Nothing outside it and the socket folder is ever changed.
"""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.account import Account
from backend.embedded.errors import DiskFull, FolderNotWritable, ForeignSocketFolder, SocketPathTooLong

#: Below this the disk counts as full: no new cluster, no uploads, health says so.
MINIMUM_FREE_BYTES = 500_000_000
#: An existing cluster still starts with less, so that there is a way to make room; not below this.
BARE_MINIMUM_BYTES = 64_000_000
#: `sun_path` has 108 bytes with the closing NUL (104 on macOS).
SOCKET_PATH_LIMIT = 107 if os.uname().sysname == "Linux" else 103

POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
_OWN_FILES = frozenset({POSTGRES_SOCKET, POSTGRES_SOCKET + ".lock", VALKEY_SOCKET})


@dataclass(frozen=True)
class DataFolder:
    """The parts of a data folder; `root` is the real path."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "pg"

    @property
    def new_cluster(self) -> Path:
        return self.root / "pg.new"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def programs(self) -> Path:
        return self.root / "servers"

    @property
    def lock_file(self) -> Path:
        return self.root / "servers.lock"


def open_data_folder(path: Path) -> DataFolder:
    """Make the folder if it is not there. An existing one keeps its owner and mode."""
    path = path.expanduser().absolute()
    try:
        if not path.exists():
            path.mkdir(parents=True)
            # Root's servers run as another user, who must be able to pass; what is inside has modes of its own.
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        root = path.resolve(strict=True)
        if not root.is_dir():
            raise FolderNotWritable(root, "it is not a folder")
        if not os.access(root, os.W_OK | os.X_OK):
            raise FolderNotWritable(root, "this user may not write there")
        folder = DataFolder(root)
        folder.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FolderNotWritable(path, error.strerror or str(error)) from error
    return folder


def free_bytes(path: Path) -> int:
    """Bytes that an ordinary user may still write on the disk of the path (or of its nearest existing parent)."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def free_space_ok(path: Path, minimum: int = MINIMUM_FREE_BYTES, measure: Callable[[Path], int] = free_bytes) -> bool:
    """Whether there is room: uploads are refused and health says "disk full" while this is False."""
    return measure(path) >= minimum


def require_space(path: Path, minimum: int, measure: Callable[[Path], int] = free_bytes) -> None:
    """Raise `DiskFull` when less than `minimum` bytes are free."""
    free = measure(path)
    if free < minimum:
        raise DiskFull(path, free, minimum)


def open_socket_folder(data: DataFolder, account: Account | None) -> Path:
    """The 0700 folder for both sockets, named by user and data folder; left-over sockets are removed.

    Call it under the data folder's lock: then nothing in it can be in use. Trust authentication inside is sound
    only because nobody else can enter it, so owner and mode are checked, never mended.
    """
    uid = account.uid if account else os.geteuid()
    name = f"saolou-{uid}-{hashlib.sha256(os.fsencode(data.root)).hexdigest()[:12]}"
    folder = _socket_base(name, account) / name
    longest = folder / POSTGRES_SOCKET
    if len(os.fsencode(longest)) > SOCKET_PATH_LIMIT:
        raise SocketPathTooLong(longest, SOCKET_PATH_LIMIT)
    try:
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        pass
    except OSError as error:
        raise ForeignSocketFolder(folder, f"it cannot be made ({error.strerror})") from error
    _check_private(folder, uid)
    for left in folder.iterdir():
        left.unlink()
    return folder


def remove_socket_folder(folder: Path) -> None:
    """After both servers have ended, under the data folder's lock."""
    with contextlib.suppress(OSError):
        for name in _OWN_FILES:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _socket_base(name: str, account: Account | None) -> Path:
    for base in _candidates(account):
        fits = len(os.fsencode(base / name / POSTGRES_SOCKET)) <= SOCKET_PATH_LIMIT
        # PostgreSQL splits the setting at commas, and Valkey its configuration at blanks and quotes.
        plain = not any(character in str(base) for character in ", \t\"'\\\n")
        if fits and plain and base.is_dir() and os.access(base, os.W_OK | os.X_OK):
            return base
    return Path("/tmp")


def _candidates(account: Account | None) -> Sequence[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    # Root's own runtime folder is closed to the service user.
    return [Path(named)] if named.startswith("/") and account is None else []


def _check_private(folder: Path, uid: int) -> None:
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode):
        raise ForeignSocketFolder(folder, "it is not a folder")
    if state.st_uid != uid:
        raise ForeignSocketFolder(folder, f"it belongs to user {state.st_uid}, not to {uid}")
    if stat.S_IMODE(state.st_mode) != 0o700:
        raise ForeignSocketFolder(folder, f"its mode is {stat.S_IMODE(state.st_mode):o}, not 700")
    foreign = sorted({entry.name for entry in folder.iterdir()} - _OWN_FILES)
    if foreign:
        raise ForeignSocketFolder(folder, f"it holds the foreign file {foreign[0]}")
