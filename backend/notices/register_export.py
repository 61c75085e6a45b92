"""The register of notices as a file: CSV with a BOM, or XLSX with every number a text. Personal data masked."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import xlsxwriter

from backend.rectification.presenting import Shape

HEADINGS: Final = (
    *("序号", "文号", "文书种类", "地点", "当事人", "隐患数", "签发日期", "期限"),
    *("是否送达", "签发人", "更正情况"),
)
_WIDTHS: Final = (6, 16, 18, 24, 18, 8, 12, 18, 10, 12, 14)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def rows_of(lines: Iterable[Shape]) -> list[tuple[str, ...]]:
    """One row a notice, out of lines of the register."""
    return [
        (
            str(n),
            line["number"],
            line["label"]["zh"],
            line["place"]["name"],
            line["addressee"] or "（已依法删除）",
            str(line["hazards"]),
            line["issued"]["iso"][:10],
            line["deadline"]["iso"][:16].replace("T", " "),
            "是" if line["served"] else "否",
            line["issued_by"]["name"] or "",
            "已被替代" if line["replaced_by"] else "更正件" if line["replaces"] else "",
        )
        for n, line in enumerate(lines, 1)
    ]


def as_csv(rows: Sequence[Sequence[str]], mark: str) -> bytes:
    """UTF-8 with a BOM, so that spreadsheets read Chinese; nothing in it is run as a formula. ``mark``, the last line,
    says who took it when."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    writer.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
    writer.writerow([mark])
    return "\ufeff".encode() + out.getvalue().encode()


def as_xlsx(rows: Sequence[Sequence[str]], title: str, made_by: str) -> bytes:
    """A4 landscape, title on the first row, who made it when on the second, the heading frozen."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet: Any = book.add_worksheet("文书登记簿")
    plain = {"font_name": "宋体", "valign": "vcenter", "text_wrap": True}
    head = book.add_format({**plain, "bold": True, "border": 1, "align": "center"})
    cell = book.add_format({**plain, "border": 1, "num_format": "@"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    last = len(HEADINGS) - 1
    sheet.merge_range(
        0, 0, 0, last, title, book.add_format({**plain, "bold": True, "font_size": 16, "align": "center"})
    )
    sheet.merge_range(1, 0, 1, last, made_by, book.add_format(plain))
    for at, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(2, at, heading, head)
    for n, row in enumerate(rows, 3):
        for at, text in enumerate(row):
            sheet.write_string(n, at, text, cell)
    sheet.freeze_panes(3, 0)
    book.close()
    return out.getvalue()
