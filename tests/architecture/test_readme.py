"""The two READMEs say the same things, and what they tell people to type exists."""

import re
from pathlib import Path

import pytest

from backend.cli import commands

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
HEADINGS = {
    "Saolou 扫楼": "Saolou 扫楼",
    "What is promised": "承诺",
    "How it works": "原理",
    "Commands": "命令",
    "Running it for a community": "为社区运行",
    "What was measured": "实测",
    "Limits": "限制",
}


def headings(text: str) -> list[str]:
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    return re.findall(r"^#+ (.+)$", outside, flags=re.M)


def typed(text: str) -> list[str]:
    """Every command line of ours, in code blocks and in running text, in order."""
    return [" ".join(line.split()) for line in re.findall(r"python3 -m backend[^`#\n|]*", text)]


def figures(text: str) -> list[str]:
    """The measured numbers: those of the table in the section on measuring."""
    section = re.split(r"^## ", text, flags=re.M)[5]
    return re.findall(r"\d+(?:[.,]\d+)*", section)


def test_headings_of_both_languages_match_in_order() -> None:
    assert headings(ENGLISH.read_text(encoding="utf-8")) == list(HEADINGS)
    assert headings(CHINESE.read_text(encoding="utf-8")) == list(HEADINGS.values())


def test_commands_of_both_languages_are_the_same() -> None:
    assert typed(ENGLISH.read_text(encoding="utf-8")) == typed(CHINESE.read_text(encoding="utf-8"))


def test_measured_figures_of_both_languages_are_the_same() -> None:
    assert figures(ENGLISH.read_text(encoding="utf-8")) == figures(CHINESE.read_text(encoding="utf-8"))


def test_typed_commands_exist() -> None:
    words = {line.split()[3] for line in typed(ENGLISH.read_text(encoding="utf-8"))}
    assert words == set(commands.commands)


OWN = [p for p in sorted(ROOT.rglob("README*.md")) if not {".venv", "node_modules"} & set(p.parts)]


@pytest.mark.parametrize("readme", OWN, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(readme: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme.read_text(encoding="utf-8"))
    assert [link for link in links if not (readme.parent / link).exists()] == []
