"""Papers and their receipts as HTML pages, from their frozen content alone. Typography: domain, GB/T 9704 as cited."""

from datetime import date
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.clock import local_day
from backend.meetings.composing import chinese_date
from backend.meetings.listing import TIME_UNKNOWN
from backend.meetings.models import Paper

PAGES = Environment(
    loader=PackageLoader("backend.meetings"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def minute(at: str) -> str:
    """``2026-11-22 09:30`` of an ISO 8601 time; 时间不详 before the year 2000, which only unread clocks tell."""
    return TIME_UNKNOWN if at < "2000" else at[:16].replace("T", " ")


PAGES.filters["minute"] = minute


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


def receipts_page(paper: Paper, found: dict[str, Any], detail: str = "") -> str:
    """One page of the rows behind a number. ``detail`` heads the column of what else a row tells; "": there is none."""
    content: dict[str, Any] = paper.content or {}
    title = f"{content['title']}（{content['number'][1:5]}年{content['number'].partition('〕')[2]}）"
    return PAGES.get_template("receipts.html").render(title=title, paper_id=str(paper.id), found=found, detail=detail)
