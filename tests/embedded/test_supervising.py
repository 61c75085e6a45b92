"""Everything starts in order, comes back when it dies, stops in reverse and never outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from backend.embedded import EmbeddedServers, Service, Supervisor
from backend.embedded.children import Program, spawn
from backend.embedded.errors import ServiceFailed
from backend.embedded.lock import process_start
from tests.embedded.conftest import CHECKOUT, wait_for_end

SUPERVISED = Path(__file__).with_name("supervised.py")
Run = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Run]:
    """Runs the supervising process, ready."""
    made: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        made.append(subprocess.Popen([sys.executable, str(SUPERVISED), str(tmp_path)], stdout=subprocess.PIPE, env=env))
        assert made[-1].stdout
        assert made[-1].stdout.readline() == b"ready\n"
        return made[-1]

    yield run
    for each in made:
        each.terminate()
        each.wait()


def pids_of(folder: Path, name: str, count: int = 0) -> list[int]:
    """The pid of the child's nth life and of its own child."""
    wait_until((folder / f"{name}.{count}").exists)
    return [int(pid) for pid in (folder / f"{name}.{count}").read_text().split()]


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_by_signal_ends_all_in_reverse_order(supervised: Run, tmp_path: Path, number: int) -> None:
    process = supervised()
    pids = pids_of(tmp_path, "first") + pids_of(tmp_path, "second")
    process.send_signal(number)
    process.send_signal(number)  # impatience does not cut it short
    assert process.stdout
    assert process.stdout.read() == f"stopped by {int(number)}\n".encode()
    assert process.wait(30) == 0
    assert (tmp_path / "stopped").read_text().split() == ["second", "first"]
    assert wait_for_end(pids, 5)


def test_kill_supervisor_stops_children_and_grandchildren(supervised: Run, tmp_path: Path) -> None:
    process = supervised()
    pids = pids_of(tmp_path, "first") + pids_of(tmp_path, "second")
    process.kill()
    process.wait()
    assert wait_for_end(pids)
    assert sorted((tmp_path / "stopped").read_text().split()) == ["first", "second"]


def test_kill_supervisor_and_child_leaves_no_grandchild(supervised: Run, tmp_path: Path) -> None:
    process = supervised()
    pids = pids_of(tmp_path, "first") + pids_of(tmp_path, "second")
    process.send_signal(signal.SIGSTOP)  # so that it starts nothing again meanwhile
    os.kill(pids[0], signal.SIGKILL)
    process.kill()
    process.wait()
    assert wait_for_end(pids)


def test_kill_child_starts_it_again_without_its_leftovers(supervised: Run, tmp_path: Path) -> None:
    supervised()
    child, grandchild = pids_of(tmp_path, "first")
    os.kill(child, signal.SIGKILL)
    again, _ = pids_of(tmp_path, "first", 1)
    assert process_start(again)
    assert wait_for_end([child, grandchild], 5)


def test_kill_postgres_under_supervision_comes_back_at_the_same_address(tmp_path: Path) -> None:
    with EmbeddedServers.start(tmp_path / "data") as servers, Supervisor(servers.units) as supervisor:
        supervisor.start()
        for name in ("PostgreSQL", "Valkey"):
            pid = servers.pids[name]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda name=name, pid=pid: servers.pids.get(name, pid) != pid)  # type: ignore[misc]
        assert supervisor.restarts == {"PostgreSQL": 1, "Valkey": 1}

        def answers() -> bool:
            try:
                with psycopg.connect(servers.database_url) as connection:
                    return connection.execute("select 1").fetchone() == (1,)
            except psycopg.OperationalError:
                return False

        wait_until(answers)
    assert servers.pids == {}


def test_kill_child_while_another_is_not_ready_starts_it_again(tmp_path: Path) -> None:
    """As when PostgreSQL dies while the API, which needs it to be ready, is being started again."""
    ready = tmp_path / "ready"
    ready.touch()
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    server, api = Service("server", argv, tmp_path), Service("api", argv, tmp_path, ready=ready.exists)
    with Supervisor([server, api]) as both:
        both.start()
        assert server.process
        assert api.process
        ready.unlink()
        api.process.kill()
        wait_until(lambda: both.restarts["api"] == 1)
        server.process.kill()
        wait_until(lambda: both.restarts["server"] == 1 and server.alive())
        ready.touch()
    assert not server.alive()
    assert not api.alive()


def test_start_service_that_ends_shows_its_log_and_stops_the_others(tmp_path: Path) -> None:
    good = Service("good", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    argv = [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"]
    bad = Service("bad", argv, tmp_path, ready=lambda: False, log=tmp_path / "bad.log")
    with pytest.raises(ServiceFailed, match=r"bad ended with 3.*\n.*no such table"), Supervisor([good, bad]) as both:
        both.start()
    assert not good.alive()


def test_start_service_never_ready_is_given_up(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    slow = Service("slow", argv, tmp_path, ready=lambda: False, ready_seconds=0.3)
    with pytest.raises(ServiceFailed, match="not ready"):
        slow.start()
    assert not slow.alive()


SPAWNER = """
import sys, threading, time
from pathlib import Path
from backend.embedded.children import Program, spawn
program = Program(["/bin/sleep", "600"], Path("/"), 15)
made = []
# The thread that asked ends at once: the child must not end with it.
asker = threading.Thread(target=lambda: made.append(spawn(program, use_watcher=sys.argv[1] == "watcher")))
asker.start(); asker.join()
print(made[0].pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["kernel", "watcher"])
def test_spawn_child_outlives_the_asking_thread_but_not_the_process(way: str) -> None:
    if way == "kernel" and sys.platform != "linux":
        pytest.skip("only Linux has a parent-death signal")
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    parent = subprocess.Popen([sys.executable, "-c", SPAWNER, way], stdout=subprocess.PIPE, env=env)
    assert parent.stdout
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    assert process_start(child)
    parent.kill()
    parent.wait()
    assert wait_for_end([child])


def test_spawn_missing_program_ends_with_an_error(tmp_path: Path) -> None:
    process = spawn(Program([str(tmp_path / "absent")], tmp_path, signal.SIGTERM, output=subprocess.DEVNULL))
    assert process.wait(30) != 0
