"""Every error speaks both languages, and every setting is written down where an administrator looks."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import backend
from backend.errors import DomainError
from backend.http.messages import MESSAGES
from backend.settings import VARIABLES
from mobile_contract.error_codes import CODES

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = ("backend.__main__", "backend.wsgi", "backend.operations.gunicorn_conf", "backend.embedded.launcher")
#: Abstract: only what is below them is raised.
ABSTRACT = {"domain_error", "conflict", "forbidden", "unauthenticated"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def all_errors(parent: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Every error class of the backend, which all modules have been imported for."""
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        if module.name not in PROCESSES:
            importlib.import_module(module.name)
    return _below(parent)


def _below(parent: type[DomainError]) -> list[type[DomainError]]:
    return [found for child in parent.__subclasses__() for found in (child, *_below(child))]


def texts_of(code: str) -> tuple[str, str] | None:
    """Chinese and English, the office's before the phones'."""
    if code in MESSAGES:
        return MESSAGES[code]
    return (CODES[code].zh, CODES[code].en) if code in CODES else None


def wordless(code: str) -> bool:
    """Whether a language is missing."""
    texts = texts_of(code)
    return texts is None or not CHINESE.search(texts[0]) or not re.search(r"[A-Za-z]{2}", texts[1])


def test_raise_any_error_has_a_sentence_in_both_languages() -> None:
    codes = {error.code for error in all_errors()} - ABSTRACT
    assert len(codes) > 20
    assert sorted(code for code in codes if wordless(code)) == []


def test_read_catalogues_every_code_speaks_both_languages() -> None:
    assert sorted(code for code in {*MESSAGES, *CODES} if wordless(code)) == []


def test_raise_error_without_a_sentence_is_noticed() -> None:
    assert wordless("a_code_that_nobody_wrote_a_sentence_for")


def test_name_errors_each_code_means_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for error in all_errors():
        statuses.setdefault(error.code, set()).add(error.status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def documented() -> dict[str, str]:
    """Variables in the table of the backend's README."""
    text = (ROOT / "backend" / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|$", text, re.M))


def test_read_environment_every_variable_is_written_down() -> None:
    assert documented() == VARIABLES


@pytest.mark.parametrize("place", ["backend", "worker", "docker-compose.yml", "Dockerfile", ".ci"])
def test_mention_variables_only_those_that_are_read(place: str) -> None:
    path = ROOT / place
    files = [p for p in path.rglob("*") if p.suffix in (".py", ".md", "")] if path.is_dir() else [path]
    named = {
        name
        for file in files
        if file.is_file()
        for name in re.findall(r"\bSAOLOU_[A-Z_]+\b", file.read_text(encoding="utf-8", errors="replace"))
    }
    assert {name.rstrip("_") for name in named} - {"SAOLOU"} <= set(VARIABLES)
