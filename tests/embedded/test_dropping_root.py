"""As root the servers run as another user, and nothing outside the data folder changes its owner or mode."""

import os
import pwd
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from backend.embedded import EmbeddedServers
from backend.embedded.account import Account, can_reach
from backend.embedded.binaries import find_binaries
from tests.embedded.conftest import Starter

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop root")
NOBODY = pwd.getpwnam("nobody")
Start = Callable[..., Starter]


def modes(*roots: Path) -> dict[str, tuple[int, int, int]]:
    """Mode, user and group of the folders, of all their parents and of everything in them."""
    paths = {path for root in roots for path in (root, *root.parents, *root.rglob("*"))}
    states = {str(path): path.lstat() for path in paths if not path.is_relative_to("/proc")}
    return {path: (state.st_mode, state.st_uid, state.st_gid) for path, state in states.items()}


def uid_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}").st_uid


@pytest.mark.parametrize("private", [False, True])
def test_start_as_root_runs_as_service_user_and_changes_no_mode_outside(open_folder: Path, private: bool) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700 if private else 0o755)
    (home / "letter.txt").write_text("private")
    install = find_binaries().postgres_bin.parent.parent
    before = modes(home, install)
    with EmbeddedServers.start(home / "data") as servers:
        assert {uid_of(pid) for pid in servers.pids.values()} != {0}
        assert servers.data.cluster.stat().st_uid == NOBODY.pw_uid
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    after = modes(home, install)
    assert {path: state for path, state in after.items() if path in before} == before
    assert all(path.startswith(str(home / "data")) for path in after.keys() - before.keys())


def test_start_as_root_existing_cluster_keeps_its_owner(open_folder: Path) -> None:
    EmbeddedServers.start(open_folder / "data").stop()
    for path in (open_folder / "data", *(open_folder / "data").rglob("*")):
        os.chown(path, 12345, 12345)
    with EmbeddedServers.start(open_folder / "data") as servers:
        assert {uid_of(pid) for pid in servers.pids.values()} == {12345}
    assert (open_folder / "data/pg").stat().st_uid == 12345


def test_start_as_root_install_in_private_home_runs_a_copy(packages: Path, open_folder: Path, starter: Start) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    private = home / "packages"
    packages.rename(private)
    before = modes(home)
    for _ in range(2):
        process = starter(open_folder / "data", PYTHONPATH=str(private))
        program = Path(process.facts["postgres"])
        assert program.is_relative_to(open_folder / "data/servers")
        assert all(uid_of(pid) == NOBODY.pw_uid for pid in process.pids)
        process.stop()
    after = modes(home)
    assert {path: after[path] for path in before} == before
    assert len(list((open_folder / "data/servers").iterdir())) == 1


def test_start_as_nobody_works_without_a_home(packages: Path, open_folder: Path, starter: Start) -> None:
    python = reachable_python()
    owned = open_folder / "of nobody"
    owned.mkdir()
    os.chown(owned, NOBODY.pw_uid, NOBODY.pw_gid)
    drop = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
    env = {"PYTHONPATH": str(packages), "HOME": "/nonexistent"}
    process = Starter(owned / "数据", argv=drop, python=python, script=packages / "starter.py", **env)
    try:
        assert all(uid_of(pid) == NOBODY.pw_uid for pid in process.pids)
    finally:
        process.stop()
    # Root then starts the same folder as its owner; a stranger may not.
    with EmbeddedServers.start(owned / "数据") as servers:
        assert all(uid_of(pid) == NOBODY.pw_uid for pid in servers.pids.values())
    refused = Starter(open_folder / "of root", argv=drop, python=python, script=packages / "starter.py", **env)
    refused.stop()
    assert refused.facts["code"] == "data_folder_not_writable"


def reachable_python() -> str:
    """An interpreter of this very version that nobody can run; root's own may be below a private home."""
    nobody = Account(NOBODY.pw_uid, NOBODY.pw_gid, "nobody")
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(candidate).exists() and can_reach(nobody, [Path(candidate)]) and shutil.which("setpriv"):
            return candidate
    pytest.skip(f"no {version} that an unprivileged user can run, or no setpriv")


def test_spawned_server_has_no_groups_or_capabilities_of_root(tmp_path: Path) -> None:
    with EmbeddedServers.start(tmp_path / "data") as servers:
        for pid in servers.pids.values():
            status = Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            assert fields["Groups"].strip() == ""
            assert int(fields["CapEff"], 16) == 0
            assert int(fields["CapPrm"], 16) == 0
