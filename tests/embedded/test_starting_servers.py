"""Start, stop and start again: nothing is lost, one start per folder, every name of a folder works."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from backend.embedded import EmbeddedServers, find_running
from backend.embedded.errors import FolderInUse
from backend.embedded.lock import process_start, processes_of
from tests.embedded.conftest import Starter, wait_for_end

Start = Callable[..., Starter]


def keep(owner_url: str, redis_url: str) -> None:
    """Commit a row and write a key."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('扫楼')")
    redis.Redis.from_url(redis_url).set("kept", "扫楼")


def kept(servers: EmbeddedServers) -> list[str]:
    with psycopg.connect(servers.owner_database_url) as connection:
        rows = [row[0] for row in connection.execute("select word from kept").fetchall()]
    value = redis.Redis.from_url(servers.redis_py_url, decode_responses=True).get("kept")
    return [*rows, str(value)]


@pytest.mark.parametrize("name", ["a folder, with 'blanks'", "数据 目录", "/".join(["long" * 30] * 6)])
def test_start_again_any_folder_name_keeps_data(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with EmbeddedServers.start(folder) as servers:
        keep(servers.owner_database_url, servers.redis_py_url)
        assert max(len(os.fsencode(path)) for path in servers.addresses.folder.iterdir()) < 108
        pids = list(servers.pids.values())
        sockets = servers.addresses.folder
    assert wait_for_end(pids)
    assert not sockets.exists()
    with EmbeddedServers.start(folder) as servers:
        assert kept(servers) == ["扫楼", "扫楼"]


def test_start_new_cluster_has_roles_locale_and_no_network(tmp_path: Path) -> None:
    with EmbeddedServers.start(tmp_path / "data") as servers:
        with psycopg.connect(servers.database_url) as connection:
            role = connection.execute(
                "select rolsuper, rolbypassrls, rolcreatedb from pg_roles where rolname = current_user"
            ).fetchone()
            locale = connection.execute(
                "select datlocprovider, datlocale from pg_database where datname = current_database()"
            ).fetchone()
        assert role == (False, False, False)
        assert locale == ("b", "C.UTF-8")
        with psycopg.connect(servers.owner_database_url) as connection:
            for name, value in [("data_checksums", "on"), ("fsync", "on"), ("listen_addresses", "")]:
                assert connection.execute("select current_setting(%s)", [name]).fetchone() == (value,)
        client = redis.Redis.from_url(servers.redis_py_url, decode_responses=True)
        assert client.config_get("port", "appendonly", "save") == {"port": "0", "appendonly": "yes", "save": ""}


def test_start_second_on_same_folder_is_refused_naming_the_holder(tmp_path: Path, starter: Start) -> None:
    with EmbeddedServers.start(tmp_path / "data") as servers:
        second = starter(tmp_path / "data")
        assert second.facts["code"] == "data_folder_in_use"
        assert str(os.getpid()) in second.facts["message"]
        with pytest.raises(FolderInUse):
            EmbeddedServers.start(tmp_path / "data")
        assert find_running(tmp_path / "data") == servers.addresses
        assert kept_alive(servers)
    assert find_running(tmp_path / "data") is None


def kept_alive(servers: EmbeddedServers) -> bool:
    return all(process_start(pid) for pid in servers.pids.values())


def test_kill_parent_leaves_no_orphan(tmp_path: Path, starter: Start) -> None:
    first = starter(tmp_path / "data")
    keep(first.facts["owner"], first.facts["redis"])
    first.kill()
    assert wait_for_end(first.pids)
    # Nothing but the sockets' folder is left, and the next start takes it over.
    with EmbeddedServers.start(tmp_path / "data") as servers:
        assert kept(servers) == ["扫楼", "扫楼"]


def test_start_while_servers_of_a_killed_parent_stop_waits_for_them(tmp_path: Path, starter: Start) -> None:
    first = starter(tmp_path / "data")
    keep(first.facts["owner"], first.facts["redis"])
    first.kill()
    with EmbeddedServers.start(tmp_path / "data") as servers:
        assert wait_for_end(first.pids, 0)
        assert kept(servers) == ["扫楼", "扫楼"]


def test_kill_everything_with_stale_pid_files_starts_again(tmp_path: Path, starter: Start) -> None:
    folder = tmp_path / "data"
    first = starter(folder)
    keep(first.facts["owner"], first.facts["redis"])
    time.sleep(1.1)  # Valkey writes its file to disk every second
    for pid in [first.process.pid, *first.pids]:
        os.kill(pid, signal.SIGKILL)
    assert wait_for_end([first.process.pid, *first.pids])
    # The number now belongs to another program: this one.
    pid_file = folder / "pg/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedServers.start(folder) as servers:
        assert kept(servers) == ["扫楼", "扫楼"]


def test_start_with_backend_of_a_killed_postmaster_ends_only_ours(tmp_path: Path) -> None:
    told: list[str] = []
    bystander = subprocess.Popen(["sleep", "60"], cwd="/tmp")
    with EmbeddedServers.start(tmp_path / "data", told.append) as servers:
        keep(servers.owner_database_url, servers.redis_py_url)
        assert servers.postgres.process
        postmaster = servers.postgres.process
        left = next(pid for pid in processes_of(servers.data.cluster, "postgres") if pid != postmaster.pid)
        os.kill(left, signal.SIGSTOP)  # it cannot notice that its postmaster is gone, and keeps the shared memory
        postmaster.kill()
        postmaster.wait()
        servers.postgres.start()
        assert wait_for_end([left], 0)
        assert kept(servers) == ["扫楼", "扫楼"]
    assert any("killed start" in line for line in told)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_start_with_unreadable_queue_puts_it_aside(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with EmbeddedServers.start(folder) as servers:
        keep(servers.owner_database_url, servers.redis_py_url)
    for file in (folder / "valkey/appendonlydir").glob("*.incr.aof"):
        file.write_bytes(b"*3\r\n$3\r\nSET\r\n" + b"\xff" * 50 + b"\r\n" * 20)
    with EmbeddedServers.start(folder) as servers:
        assert redis.Redis.from_url(servers.redis_py_url).get("kept") is None
    assert list(folder.glob("valkey.damaged-*"))


def test_make_cluster_cut_off_half_way_starts_afresh(tmp_path: Path) -> None:
    half = tmp_path / "data/pg.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServers.start(tmp_path / "data") as servers:
        assert servers.pids.keys() == {"PostgreSQL", "Valkey"}
    assert not half.exists()
