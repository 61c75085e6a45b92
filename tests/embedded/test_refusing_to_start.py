"""What a start refuses, with a code and a sentence that says what to do; nothing runs and nothing is mended then."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded import EmbeddedError, EmbeddedServers, check_port, find_port, free_space_ok
from backend.embedded.errors import (
    BinaryMissing,
    DataFromAnotherMajor,
    DiskFull,
    FolderNotWritable,
    ForeignSocketFolder,
    PortTaken,
    SocketPathTooLong,
)
from backend.embedded.folders import DataFolder, open_socket_folder
from backend.embedded.lock import processes_of


def refused(folder: Path, kind: type[EmbeddedError]) -> str:
    """The message of a refused start; the folder must be free for the next start."""
    with pytest.raises(kind) as caught:
        EmbeddedServers.start(folder)
    assert not processes_of(folder / "pg", "postgres")
    return str(caught.value)


def test_start_on_data_of_another_major_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg/PG_VERSION").write_text("17\n")
    assert "PostgreSQL 17" in refused(tmp_path, DataFromAnotherMajor)


def test_start_on_foreign_cluster_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg/letter.txt").write_text("not a cluster")
    assert "holds no PostgreSQL cluster" in refused(tmp_path, FolderNotWritable)
    assert (tmp_path / "pg/letter.txt").exists()


def test_start_where_a_file_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "not a folder" in refused(tmp_path / "data", FolderNotWritable)


def test_start_without_programs_names_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAOLOU_POSTGRES_BIN", str(tmp_path))
    message = refused(tmp_path / "data", BinaryMissing)
    assert "SAOLOU_POSTGRES_BIN" in message
    assert "DATABASE_URL" in message


@pytest.fixture
def socket_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The socket folder of a data folder, made once."""
    runtime = Path("/tmp") / f"saolou-run-{os.getpid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    (tmp_path / "data").mkdir()
    return open_socket_folder(DataFolder(tmp_path / "data"), None)


@pytest.fixture(autouse=True)
def _no_left_over() -> Iterator[None]:
    yield
    shutil.rmtree(Path("/tmp") / f"saolou-run-{os.getpid()}", ignore_errors=True)


def test_open_socket_folder_left_over_sockets_are_removed(socket_folder: Path, tmp_path: Path) -> None:
    (socket_folder / "valkey.sock").touch()
    open_socket_folder(DataFolder(tmp_path / "data"), None)
    assert list(socket_folder.iterdir()) == []


@pytest.mark.parametrize("trouble", ["file", "mode", "link"])
def test_open_socket_folder_tampered_is_refused_not_mended(socket_folder: Path, tmp_path: Path, trouble: str) -> None:
    if trouble == "file":
        (socket_folder / "letter.txt").touch()
    elif trouble == "mode":
        socket_folder.chmod(0o755)
    else:
        socket_folder.rmdir()
        socket_folder.symlink_to(tmp_path)
    with pytest.raises(ForeignSocketFolder):
        open_socket_folder(DataFolder(tmp_path / "data"), None)
    assert trouble != "file" or (socket_folder / "letter.txt").exists()
    assert trouble != "mode" or socket_folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_open_socket_folder_of_another_user_is_refused(socket_folder: Path, tmp_path: Path) -> None:
    os.chown(socket_folder, 12345, 12345)
    with pytest.raises(ForeignSocketFolder, match="12345"):
        open_socket_folder(DataFolder(tmp_path / "data"), None)


@pytest.mark.parametrize("runtime", ["/tmp/" + "x" * 90, "/tmp/with,comma", "relative", "/tmp/with blank"])
def test_open_socket_folder_unfit_runtime_folder_goes_to_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    folder = open_socket_folder(DataFolder(tmp_path), None)
    assert folder.parent == Path("/tmp")
    folder.rmdir()


def test_open_socket_folder_too_long_everywhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.embedded.folders.SOCKET_PATH_LIMIT", 20)
    with pytest.raises(SocketPathTooLong):
        open_socket_folder(DataFolder(tmp_path), None)


def test_start_on_full_disk_new_is_refused_existing_starts(tmp_path: Path) -> None:
    def nearly_full(_path: Path) -> int:
        return 100_000_000

    with pytest.raises(DiskFull, match="100 MB are free"):
        EmbeddedServers.start(tmp_path, measure=nearly_full)
    EmbeddedServers.start(tmp_path).stop()
    told: list[str] = []
    with EmbeddedServers.start(tmp_path, told.append, measure=nearly_full) as servers:
        assert servers.disk_full
        assert not free_space_ok(tmp_path, measure=nearly_full)
    assert any("nearly full" in line for line in told)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB: too small for a cluster."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a disk; the case above measures an invented one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_start_on_tiny_disk_is_refused_before_and_during(tiny_disk: Path) -> None:
    refused(tiny_disk / "data", DiskFull)
    with pytest.raises(DiskFull):
        EmbeddedServers.start(tiny_disk / "data", measure=lambda _path: 10**12)


def test_check_port_taken_is_said_and_next_is_found() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match="--port"):
            check_port("127.0.0.1", port)
        assert find_port("127.0.0.1", port) > port
    check_port("127.0.0.1", port)
