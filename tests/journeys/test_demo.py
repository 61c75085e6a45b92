"""`demo` in a process of its own: the main job once, its figures, a second run that does nothing twice, Ctrl-C."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.embedded import check_port, find_running
from tests.journeys.serving import Serving, command_line, family, processes_naming, run, wait_until

pytestmark = pytest.mark.timeout(600)
PROMISES = {"P1", "P2", "P3", "P4", "P5", "P6"}
TABLES = ("community", "account", "place", "record", "quarantine", "hazard", "rectification_task", "task_step", "paper")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "my data 数据"


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, Any]:
    """The figures of the first run."""
    file = folder.parent / "first.json"
    done = run("demo", "--exit", "--json", str(file), "--data", str(folder), seconds=400)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {**figures, "shown": done.stdout, "said": done.stderr}


@pytest.fixture(scope="module")
def second(folder: Path, first: dict[str, Any]) -> Iterator[Serving]:
    """A second run on the same folder, which keeps serving."""
    made = Serving(folder, "demo", "--json", str(folder.parent / "second.json"))
    yield made
    made.stop()


def test_run_demo_to_its_exit_keeps_and_names_every_promise(first: dict[str, Any]) -> None:
    assert first["ok"]
    assert {check["promise"] for check in first["checks"]} == PROMISES
    assert [check for check in first["checks"] if not check["ok"]] == []


def test_run_demo_figures_agree_with_each_other(first: dict[str, Any]) -> None:
    fleet, paper = first["fleet"], first["paper"]["figures"]
    assert fleet["records"] > 500
    assert len(fleet["faults"]) >= 8
    assert sum(first["tasks"].values()) >= paper["open_end"] > 0
    assert first["tasks"]["closed"] == first["closed"] > 0
    assert first["tasks"]["assigned"] + first["closed"] >= first["assigned"] > 0
    for figures in (paper, first["draft"]["figures"]):
        moved = figures["new"] + figures["rebound"] - figures["closed"] - figures["void"]
        assert figures["open_start"] + moved == figures["open_end"]
    assert first["draft"]["figures"]["open_start"] == paper["open_end"]


def test_run_demo_shows_what_happened_where_to_look_and_a_log_in(first: dict[str, Any]) -> None:
    for shown in ("槐荫社区", "what was promised", "/papers", "/api/openapi.json", "log-in", "password"):
        assert shown in first["shown"]
    assert "FAILED" not in first["shown"]
    assert "Traceback" not in first["shown"] + first["said"]


def test_run_demo_again_finds_its_data_and_does_nothing_twice(
    first: dict[str, Any], second: Serving, folder: Path
) -> None:
    again = json.loads((folder.parent / "second.json").read_text(encoding="utf-8"))
    assert again == {name: value for name, value in first.items() if name not in ("shown", "said")}
    assert "an earlier run did the work" in second.log.read_text(encoding="utf-8")
    counts = {table: second.as_owner(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # type: ignore[arg-type]
    assert counts["community"] == 2  # the one of the story, and the one that was told everything in order
    assert counts["record"] == 2 * (first["fleet"]["records"] - poison(first))
    assert counts["rectification_task"] >= 2 * sum(first["tasks"].values())
    assert counts["paper"] == 2


def poison(figures: dict[str, Any]) -> int:
    """Records that had to end in quarantine."""
    detail = next(c["detail"] for c in figures["fleet"]["checks"] if c["name"] == "bad records are in quarantine")
    return int(detail.split()[0])


def test_interrupt_demo_stops_everything(second: Serving, folder: Path) -> None:
    processes = family(second.process.pid)
    assert len(processes) > 8
    sockets = second.addresses.folder
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(120) == 0
    wait_until(lambda: not any(command_line(pid) for pid in processes), "all processes end", 30)
    assert processes_naming(str(folder)) == []
    assert find_running(folder) is None
    assert not sockets.exists()
    check_port("127.0.0.1", second.port)
    assert "Traceback" not in second.log.read_text(encoding="utf-8")


def test_run_demo_whose_promise_broke_exits_with_1(folder: Path, second: Serving) -> None:
    """The seeded bug: a story in which a check failed."""
    wait_until(lambda: second.process.poll() is not None, "the second run has ended")
    file = folder / "demo.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    state["story"]["ok"] = state["story"]["checks"][0]["ok"] = False
    file.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    done = run("demo", "--exit", "--data", str(folder))
    assert done.returncode == 1
    assert "FAILED" in done.stdout
