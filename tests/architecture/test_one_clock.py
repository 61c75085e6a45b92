"""One clock: a community's offset is given at its creation and never again, and nothing else shifts or reads time."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Who may read the machine's clock besides `clock.py`, and for what. None of it is a time of the domain.
READERS = {
    "backend/clock.py": "the clock",
    "backend/db.py": "the time inside new ids",
    "backend/identity/service.py": "when a token was revoked",
    "backend/http/limits.py": "how long to wait before the next try",
    "backend/operations/archive.py": "the time of a file in a backup",
    "backend/commands/demo.py": "which week the demonstration's offset chooses",
    "backend/commands/year.py": "which year the community's offset chooses",
    "backend/commands/fleet.py": "which week the demonstration's offset chooses",
    "backend/embedded": "names of files put aside",
    "backend/attachments/uploads.py": "when an unfinished upload expires",
    "backend/attachments/purging.py": "which day's tidying it is, and how old a part without a row is",
    "worker/frame.py": "when a job is repeated",
    "worker/schedule.py": "when old feed rows are forgotten",
}
READING = {"time", "time_ns", "now", "utcnow", "today"}
OFFSET = "clock_offset_ms"


def code() -> Iterator[tuple[str, ast.Module]]:
    for room in ("backend", "worker"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def readings(tree: ast.AST) -> list[str]:
    """Calls such as time.time() and datetime.now(); the database's own now() is bookkeeping."""
    return [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READING
        and ast.unparse(node.func.value) in ("time", "datetime", "date")
    ]


def settings_of_the_offset(tree: ast.AST) -> list[str]:
    """Where a row's offset is written: an assignment to it, or a value for an insert or update."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [ast.unparse(t) for t in targets if isinstance(t, ast.Attribute) and t.attr == OFFSET]
        elif isinstance(node, ast.Call) and any(keyword.arg == OFFSET for keyword in node.keywords):
            found.append(ast.unparse(node.func))
    return found


def test_read_the_time_only_where_it_is_no_time_of_the_domain() -> None:
    found = {name for name, tree in code() if readings(tree)}
    assert {name for name in found if name not in READERS and str(Path(name).parent) not in READERS} == set()


def test_set_the_offset_only_when_a_community_is_made() -> None:
    found = {(name, call) for name, tree in code() for call in settings_of_the_offset(tree)}
    assert found == {
        ("backend/identity/service.py", "insert(Community).values"),  # the row, in `create_community`
        ("backend/identity/authentication.py", "replace"),  # who calls, with the clock of their community
        ("backend/demo/community.py", "create_community"),
    }


@pytest.mark.parametrize(
    "bug", ["community.clock_offset_ms += 1", "update(Community).values(clock_offset_ms=0)", "date.today()"]
)
def test_set_or_read_elsewhere_is_noticed(bug: str) -> None:
    tree = ast.parse(bug)
    assert settings_of_the_offset(tree) or readings(tree)
