"""The ledger as a spreadsheet: written line by line, read back to the same texts."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from backend.errors import InvalidInput
from backend.http.messages import add_messages
from backend.ledger.columns import COLUMNS, HEADINGS, KEYS, Cells

SHEET: Final = "台账"
TOTAL: Final = "合计"
#: Rows above the first line: title, who filled it in when, headings.
ABOVE: Final = 3
#: Columns that every ledger of officials begins with.
OFFICIAL: Final = 12
MOST_ROWS: Final = 200_000
MOST_UNPACKED: Final = 512 * 1024 * 1024
#: What a cell of a spreadsheet holds.
MOST_CHARACTERS: Final = 32_767


class LedgerUnreadable(InvalidInput):
    """The file is no ledger that was written here: no workbook, or other headings."""


add_messages(
    {
        "ledger_unreadable": (
            "不是本系统导出的台账（表头不符，或不是 XLSX 文件）。",
            "This is no ledger exported here (other headings, or no XLSX file).",
        )
    }
)


class Heading(NamedTuple):
    """What stands above the lines. ``made`` is when the file says it was created."""

    title: str
    filled_by: str
    filled_at: str
    made: datetime


def write_ledger(file: Path | io.BytesIO, heading: Heading, lines: Iterable[Cells]) -> int:
    """Write a workbook; how many lines it has. Only the line at hand is in memory: the rest goes to disk as it comes.

    A4 landscape, the title over all columns, the headings frozen and printed on every page, every cell a text,
    合计 last.
    """
    book = xlsxwriter.Workbook(file if isinstance(file, io.BytesIO) else str(file), {"constant_memory": True})
    book.set_properties({"title": heading.title, "created": heading.made})
    sheet: Any = book.add_worksheet(SHEET)
    plain = {"font_name": "宋体", "font_size": 10, "valign": "vcenter", "text_wrap": True}
    cell = book.add_format({**plain, "border": 1, "num_format": "@"})
    bold = book.add_format({**plain, "border": 1, "bold": True, "align": "center", "num_format": "@"})
    _set_up(book, sheet, heading, plain)
    sheet.write_row(ABOVE - 1, 0, HEADINGS, bold)
    states: Counter[str] = Counter()
    n = 0
    for n, line in enumerate(lines, 1):
        states[line["state"]] += 1
        for at, key in enumerate(KEYS):
            sheet.write_string(ABOVE + n - 1, at, line[key][:MOST_CHARACTERS], cell)
    summed = f"共{n}处" + (f"，其中{'、'.join(f'{state}{count}处' for state, count in states.items())}" if n else "")
    for at in range(len(COLUMNS)):
        sheet.write_string(ABOVE + n, at, {0: TOTAL, 2: summed}.get(at, ""), bold)
    book.close()
    return n


def _set_up(book: Any, sheet: Any, heading: Heading, plain: dict[str, Any]) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    # Two sheets side by side: on one, 25 columns could not be read.
    sheet.fit_to_pages(2, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&C— &P —")
    sheet.repeat_rows(ABOVE - 1)
    sheet.freeze_panes(ABOVE, 0)
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, column.width)
    # Over the columns of the first sheet.
    last = OFFICIAL - 1
    sheet.set_row(0, 30)
    centred = book.add_format({**plain, "bold": True, "font_size": 16, "align": "center"})
    sheet.merge_range(0, 0, 0, last, heading.title, centred)
    said = f"填报单位：{heading.filled_by}　填报时间：{heading.filled_at}　单位：处"
    sheet.merge_range(1, 0, 1, last, said, book.add_format(plain))


def read_ledger(content: bytes) -> list[Cells]:
    """The lines of a workbook written here, text for text; LedgerUnreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                raise LedgerUnreadable
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False, nrows=MOST_ROWS + ABOVE + 1)
    except (CalamineError, zipfile.BadZipFile, ValueError, OSError, KeyError) as error:
        raise LedgerUnreadable from error
    if len(rows) < ABOVE or tuple(str(name) for name in rows[ABOVE - 1][: len(HEADINGS)]) != HEADINGS:
        raise LedgerUnreadable
    lines = []
    for row in rows[ABOVE:]:
        texts = [_text(value) for value in row[: len(KEYS)]]
        if texts[0] == TOTAL:
            break
        if any(texts):
            lines.append(dict(zip(KEYS, texts, strict=True)))
    return lines


def _text(value: Any) -> str:
    """A cell as text: an office program may have made a number of one that people typed."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
