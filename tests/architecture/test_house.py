"""The house is as drawn: what lies in which room, how long a file may be, and what is nowhere.

Directions of imports are import-linter's business; these are the habits it cannot see.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("backend", "worker", "mobile_contract")
TOP_FOLDERS = {"backend", "migrations", "mobile_contract", "worker", "tests"}
CODE = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
PROSE = {".py", ".md", ".yml", ".yaml", ".toml", ".json", ".html", ".css", ".conf", ".mako", ".lock", ""}
WORKING_FOLDERS = {"data", "node_modules", "__pycache__"}

MOST_LINES = 300
#: Files that may be longer, each with its reason.
LONGER = {
    "backend/bootstrap.py": "runs before anything is installed: one file of the standard library, kept whole",
}
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc", "tools", "core", "lib"}
#: Where the web framework may be named, besides routes.
WEB = {
    *("backend/app.py", "backend/sync/requests.py", "backend/operations/metrics.py", "backend/console/pages.py"),
    "backend/attachments/tus.py",
}
WIRE_SCHEMAS = {"mobile_contract/sync/messages.py", "backend/http/paging.py"}
#: Marks of unfinished work, and other people's pages that the project must be readable (and buildable) without.
FORBIDDEN = {
    "unfinished": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b"),
    "a plan's file": re.compile(r"\b(?:semantics|design|domain|dependencies|examples_to_follow|peers|perf_peers)\.md"),
    "a registry": re.compile(
        r"pypi\.(?:org|python)|pythonhosted|npmjs\.|registry\.[a-z]+\.(?:org|com|io)|mirrors?\.[a-z]+\.", re.I
    ),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> set[str]:
    """First words of all modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def classes_below(path: Path, *parents: str) -> list[str]:
    """Names of classes whose base is called so."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            found += [node.name] if bases & set(parents) else []
    return found


def own_files() -> Iterable[Path]:
    """Every text of ours; installed packages, caches and data folders left out."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts) or set(parts) & WORKING_FOLDERS
        if path.is_file() and not hidden and path.suffix in PROSE:
            yield path


def test_list_top_folders_are_the_cards() -> None:
    found = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert found - WORKING_FOLDERS == TOP_FOLDERS


def test_count_lines_no_file_passes_the_limit_without_a_reason() -> None:
    long = {name_of(p) for p in CODE if len(p.read_text(encoding="utf-8").splitlines()) > MOST_LINES}
    assert long == set(LONGER)


def test_name_modules_says_what_they_hold() -> None:
    assert [name_of(p) for p in CODE if {p.stem, p.parent.name} & VAGUE] == []


def test_feature_folders_have_no_rooms_of_their_own() -> None:
    """A feature is flat: modules, and templates beside them."""
    folders = {name_of(p) for p in (ROOT / "backend").glob("*/*/") if p.is_dir() and p.name != "__pycache__"}
    assert {Path(folder).name for folder in folders} <= {"templates", "compose"}


def test_name_the_web_only_where_it_is_spoken() -> None:
    def may(path: Path) -> bool:
        name = name_of(path)
        return name.startswith("backend/http/") or path.name.endswith("routes.py") or name in WEB

    assert [name_of(p) for p in CODE if not may(p) and imports_of(p) & {"flask", "flask_smorest", "werkzeug"}] == []


def test_import_celery_in_one_backend_file_only() -> None:
    named = {name_of(p) for p in CODE if imports_of(p) & {"celery", "kombu"} and name_of(p).startswith("backend/")}
    assert named == {"backend/jobs/doorbell.py"}


def test_shape_storage_in_models_only() -> None:
    assert {p.name for p in CODE if classes_below(p, "Base")} == {"models.py"}


def test_shape_messages_in_schemas_only() -> None:
    homes = {name_of(p) for p in CODE if classes_below(p, "Schema", "WireSchema") and "schemas" not in p.name}
    assert homes == WIRE_SCHEMAS


def test_services_never_commit() -> None:
    """Transactions are opened and ended by the frame alone."""
    ending = re.compile(r"\bsession\.(?:commit|rollback|close)\(")
    assert [name_of(p) for p in CODE if ending.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_read_everything_finds_nothing_that_should_not_be_there(what: str) -> None:
    this = Path(__file__)
    found = [
        f"{name_of(path)}: {match[0]}"
        for path in own_files()
        if path != this and (match := FORBIDDEN[what].search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "what, text", [("unfinished", "# TO" + "DO later"), ("a plan's file", "see design.md"), ("a registry", "pypi.org")]
)
def test_read_everything_would_find_it(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)
