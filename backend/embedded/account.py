"""As whom the servers run. Root never does: PostgreSQL refuses it and Valkey should not."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.errors import FolderNotWritable

#: Preferred when the machine has it; `nobody` exists everywhere.
SERVICE_USERS = ("saolou", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of the machine, by number."""

    uid: int
    gid: int
    name: str


def choose_account(cluster: Path) -> Account | None:
    """The user that the servers switch to, or None to stay who we are.

    Only root switches: to the owner of an existing cluster, so that data made by an ordinary user stays theirs,
    else to a service user.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            reason = f"it belongs to the user {_name(owner)}, who made it (perhaps for root: then start as root again)"
            raise FolderNotWritable(cluster, reason)
        return None
    if owner:
        entry = _entry(owner)
        return Account(owner, entry.pw_gid if entry else cluster.stat().st_gid, _name(owner))
    for name in SERVICE_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, name)
    return Account(65534, 65534, "65534")


def can_reach(account: Account | None, paths: Sequence[Path]) -> bool:
    """Whether the user can read (and, of folders, enter) every path, by asking the kernel as that user."""
    test = 'for path; do test -r "$path" || exit 1; test ! -d "$path" || test -x "$path" || exit 1; done'
    return run_as(account, ["/bin/sh", "-c", test, "sh", *map(str, paths)]) == 0


def run_as(account: Account | None, argv: Sequence[str]) -> int:
    """Run a short command as the user, from `/`, quietly; its exit code, 126 when it may not be run."""
    quiet = subprocess.DEVNULL
    try:
        if account is None:
            return subprocess.run(argv, stdin=quiet, stdout=quiet, stderr=quiet, cwd="/", check=False).returncode
        return subprocess.run(
            argv,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            cwd="/",
            check=False,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        ).returncode
    except OSError:
        return 126


def give(path: Path, account: Account | None) -> None:
    """Make the user own a path of the data folder, everything below it included."""
    if account is None:
        return
    os.chown(path, account.uid, account.gid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), account.uid, account.gid, follow_symlinks=False)


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _name(uid: int) -> str:
    entry = _entry(uid)
    return entry.pw_name if entry else str(uid)
