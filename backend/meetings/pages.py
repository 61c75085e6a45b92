"""A paper's content as the blocks of a printed page: text only, for PDF and DOCX."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from backend.clock import local_day
from backend.documents import blocks as page
from backend.documents.blocks import Block
from backend.ledger.columns import COLUMNS, PRINTED, Cells
from backend.meetings.models import Paper
from backend.meetings.paper_blocks import chinese_date
from backend.meetings.sentences import plain

DRAFT: Final = "草稿，未印发"
LEDGER_TITLE: Final = "隐患排查整治台账"
#: Shares of the line of the ledger's printed columns.
_WIDTHS: Final = {"n": 5, "number": 14, "description": 19, "measures": 14, "severity": 6, "state": 7}


def day_of(paper: Paper) -> date:
    """The day under a paper: that of its issue, or of its cut-off."""
    issued_on = (paper.content or {}).get("issued_on")
    return date.fromisoformat(issued_on) if issued_on else local_day(paper.cutoff_ms or 0)


def issue_of(content: Mapping[str, Any]) -> str:
    """``（2026年第47期）``."""
    return f"（{content['number'][1:5]}年{content['number'].partition('〕')[2]}）"


def page_blocks(content: Mapping[str, Any], rows: Sequence[Cells], day: date) -> list[Block]:
    """Title, sections, what is attached, who signs, the annexes, and the ledger on turned pages."""
    blocks = [page.title(content["title"]), page.number(issue_of(content))]
    for section in content["sections"]:
        blocks.append(page.heading(section["heading"]))
        blocks += [_block(block) for block in section["blocks"]]
    titles = [*(annex["heading"] for annex in content["annexes"]), LEDGER_TITLE]
    for n, title in enumerate(titles, 1):
        blocks.append(page.paragraph(f"{'附件：' if n == 1 else '　　　'}{n}．{title}"))
    blocks.append(page.signature(content["community"], chinese_date(day)))
    for n, annex in enumerate(content["annexes"], 1):
        blocks.append(page.heading(f"附件{n}　{annex['heading']}"))
        blocks += [_block(block) for block in annex["blocks"]]
    blocks.append(page.landscape(ledger_blocks(content, rows, len(titles))))
    return blocks


def ledger_blocks(content: Mapping[str, Any], rows: Sequence[Cells], n: int) -> list[Block]:
    """The ledger's first lines in a wide table; 合计 below when they are all."""
    total = content["ledger"]["rows"]
    head = [column.heading for key in PRINTED for column in COLUMNS if column.key == key]
    lines = [[row[key] for key in PRINTED] for row in rows]
    is_whole = len(lines) == total
    if is_whole:
        lines.append(["合计", f"共{total}处", *[""] * (len(head) - 2)])
    widths = [_WIDTHS.get(key, 8) for key in PRINTED]
    table = page.table(f"附件{n}　{LEDGER_TITLE}", head, lines, widths=widths, total=is_whole, size=9)
    return [table] if is_whole else [table, page.note(f"共{total}处，此处印前{len(lines)}处，全部见电子台账。")]


def _block(block: Mapping[str, Any]) -> Block:
    kind = block["type"]
    if kind == "heading":
        return page.heading(block["text"], level=2)
    if kind == "paragraph":
        return page.paragraph(plain(block["parts"]))
    if kind == "note":
        return page.note(plain(block["parts"]))
    if kind == "chart":
        return page.drawing(block["caption"], block["drawing"])
    rows = [[plain([cell]) for cell in row] for row in block["rows"]]
    widths = block["widths"] or [2, *[1] * (len(block["head"]) - 1)]
    return page.table(block["caption"], block["head"], rows, widths=widths, total=_sums_up(rows))


def _sums_up(rows: Sequence[Sequence[str]]) -> bool:
    return bool(rows) and rows[-1][0] == "合计"
