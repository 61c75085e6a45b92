"""Papers and their receipts as HTML pages, from their frozen content alone. Typography: domain, GB/T 9704 as cited."""

from datetime import date
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.clock import local_day
from backend.meetings.composing import chinese_date
from backend.meetings.models import Paper

PAGES = Environment(
    loader=PackageLoader("backend.meetings"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def paper_page(paper: Paper) -> str:
    """The page of a paper that was made; numbers link to ``<id>/figures/<key>.html`` beside it."""
    content: dict[str, Any] = paper.content or {}
    issued_on = content.get("issued_on")
    day = date.fromisoformat(issued_on) if issued_on else local_day(paper.cutoff_ms or 0)
    return PAGES.get_template("paper.html").render(
        paper=content,
        paper_id=str(paper.id),
        year=content["number"][1:5],
        issue=content["number"].partition("〕")[2],
        day=chinese_date(day),
        is_issued=paper.state == "issued",
        sha256=paper.sha256,
    )


def receipts_page(paper: Paper, found: dict[str, Any]) -> str:
    """One page of the rows behind a number."""
    content: dict[str, Any] = paper.content or {}
    title = f"{content['title']}（{content['number'][1:5]}年{content['number'].partition('〕')[2]}）"
    return PAGES.get_template("receipts.html").render(title=title, paper_id=str(paper.id), found=found)
