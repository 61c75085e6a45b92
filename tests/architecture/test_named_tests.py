"""The tests that the page about tests names exist, and it leaves no promise and no decision without one."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS / "README.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+/test_\w+\.py)(?:::(test_\w+))?`")
DECISIONS = {*range(1, 25)}
PROMISES = {"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"}


def missing(text: str) -> list[str]:
    """Files and tests that are named and not there."""
    found = []
    for file, test in NAMED.findall(text):
        path = TESTS / file
        defined = re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M) if path.exists() else []
        if not defined or (test and test not in defined):
            found.append(f"{file}::{test}")
    return found


def rows(first: str) -> list[list[str]]:
    """Cells of the table rows whose first cell looks like this."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    return [cells for cells in lines if re.match(first, cells[0])]


def test_read_page_every_test_it_names_exists() -> None:
    assert len(NAMED.findall(PAGE)) > 80
    assert missing(PAGE) == []


def test_read_page_no_decision_is_without_a_test() -> None:
    decisions = {int(cells[0]): cells[-1] for cells in rows(r"\d+$")}
    assert set(decisions) == DECISIONS
    assert [number for number, tests in decisions.items() if not NAMED.search(tests)] == []


def test_read_page_no_promise_is_without_a_test_and_a_seeded_bug() -> None:
    promises = {cells[0].split()[0]: cells[1:] for cells in rows(r"P\d ")}
    assert set(promises) == PROMISES
    assert [name for name, cells in promises.items() if not all(NAMED.search(cell) for cell in cells[:2])] == []


def test_read_page_naming_what_is_not_there_is_noticed() -> None:
    assert missing("`sync/test_push.py::test_nothing`, `sync/test_nothing.py`") == [
        "sync/test_push.py::test_nothing",
        "sync/test_nothing.py::",
    ]
