"""Papers and their receipts as HTML pages, from their frozen content alone. Typography: domain, GB/T 9704 as cited."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.ledger.columns import Cells
from backend.ledger.rows import TIME_UNKNOWN
from backend.meetings.models import Paper
from backend.meetings.pages import day_of, issue_of, ledger_blocks
from backend.meetings.paper_blocks import chinese_date

PAGES = Environment(
    loader=PackageLoader("backend.meetings"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def minute(at: str) -> str:
    """``2026-11-22 09:30`` of an ISO 8601 time; 时间不详 before the year 2000, which only unread clocks tell."""
    return TIME_UNKNOWN if at < "2000" else at[:16].replace("T", " ")


PAGES.filters["minute"] = minute


def paper_page(paper: Paper, rows: Sequence[Cells]) -> str:
    """The page of a paper that was made, with the first lines of its ledger; numbers link to
    ``<id>/figures/<key>.html`` beside it."""
    content: dict[str, Any] = paper.content or {}
    return PAGES.get_template("paper.html").render(
        paper=content,
        paper_id=str(paper.id),
        issue=issue_of(content),
        day=chinese_date(day_of(paper)),
        is_issued=paper.state == "issued",
        sha256=paper.sha256,
        # Papers issued before ledgers were attached have none.
        ledger=ledger_blocks(content, rows, len(content["annexes"]) + 1) if "ledger" in content else [],
    )


def receipts_page(paper: Paper, found: dict[str, Any], detail: str = "") -> str:
    """One page of the rows behind a number. ``detail`` heads the column of what else a row tells; "": there is none."""
    content: dict[str, Any] = paper.content or {}
    title = content["title"] + issue_of(content)
    return PAGES.get_template("receipts.html").render(title=title, paper_id=str(paper.id), found=found, detail=detail)
