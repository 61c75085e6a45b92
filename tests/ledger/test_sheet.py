"""The ledger as a spreadsheet: what officials expect of it, and back again without loss."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import xlsxwriter.worksheet
from hypothesis import given
from hypothesis import strategies as st

from backend.ledger.columns import COLUMNS, HEADINGS, KEYS, Cells
from backend.ledger.sheet import Heading, LedgerUnreadable, read_ledger, write_ledger

HEADING = Heading("福泉社区隐患排查整治台账", "福泉社区居民委员会", "2026年1月9日", datetime(2026, 1, 9, tzinfo=UTC))
#: What spreadsheets like to take for something else.
TRICKY = (
    *("11010519491231002X", "110105194912310021", "007", "3-2", "1e5", "2026-01-09", "=1+1", "+8613800138000", "-5"),
    *("@cmd", "TRUE", " 前后空格 ", "第一行\n第二行", "制表\t符", "王喆㼆𬭎", "_x0041_", "<b>&\"'", "合计", "0.10"),
)
TEXTS = st.sampled_from(TRICKY) | st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=40)


def a_line(n: int, **said: str) -> Cells:
    return dict.fromkeys(KEYS, "") | {"n": str(n), "state": "已登记", "number": f"福泉-EBC-2026-{n:04d}"} | said


def written(lines: Sequence[Cells]) -> bytes:
    out = io.BytesIO()
    assert write_ledger(out, HEADING, iter(lines)) == len(lines)
    return out.getvalue()


def check_round_trip(lines: Sequence[Cells], write: Callable[[Sequence[Cells]], bytes] = written) -> None:
    """What is read back is what was written, text for text."""
    assert read_ledger(write(lines)) == list(lines)


@given(st.lists(st.fixed_dictionaries({key: TEXTS for key in KEYS if key != "n"}), max_size=5))
def test_round_trip_any_texts_loses_nothing(found: list[dict[str, str]]) -> None:
    check_round_trip([{"n": str(n), **line} for n, line in enumerate(found, 1)])


def test_round_trip_with_guessed_numbers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def guessing(self: Any, row: int, column: int, text: str, style: Any = None) -> int:
        said = float(text) if re.fullmatch(r"\d+", text) else text
        return int(self.write(row, column, said, style))

    monkeypatch.setattr(xlsxwriter.worksheet.Worksheet, "write_string", guessing)
    with pytest.raises(AssertionError):
        check_round_trip([a_line(1, remark="110105194912310021")])


def part_of(book: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read(name).decode()


def test_write_ledger_is_what_officials_expect() -> None:
    assert HEADINGS[:12] == (
        *("序号", "隐患类别", "隐患具体描述", "隐患等级", "排查发现日期", "整改责任人", "整改措施"),
        *("计划完成时间", "整改状态", "整改完成时间", "验证（复查）人", "备注"),
    )
    book = written([a_line(1), a_line(2, state="已销号")])
    sheet = part_of(book, "xl/worksheets/sheet1.xml")
    assert 'ySplit="3"' in sheet
    assert 'state="frozen"' in sheet
    assert 'orientation="landscape"' in sheet
    assert 'paperSize="9"' in sheet
    assert '<mergeCell ref="A1:L1"/>' in sheet
    assert "共2处，其中已登记1处、已销号1处" in sheet
    assert HEADING.title in sheet
    assert "填报单位：福泉社区居民委员会　填报时间：2026年1月9日　单位：处" in sheet
    # Not one cell is a number: an identity number of 18 digits would lose its last ones.
    assert "<v>" not in re.sub(r'<c [^>]*t="(?:s|inlineStr)"[^>]*>.*?</c>', "", sheet)
    assert re.search('numFmtId="49"|formatCode="@"', part_of(book, "xl/styles.xml"))
    assert "宋体" in part_of(book, "xl/styles.xml")
    assert "$3:$3" in part_of(book, "xl/workbook.xml")


def test_write_ledger_again_is_the_same_file() -> None:
    assert written([a_line(1)]) == written([a_line(1)])


def test_read_ledger_that_an_office_program_saved_again() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("台账")
    sheet.write_row(2, 0, HEADINGS)
    sheet.write_row(3, 0, [1, *[""] * (len(COLUMNS) - 1)])
    sheet.write_row(5, 0, ["合计"])
    book.close()
    [line] = read_ledger(out.getvalue())
    assert line["n"] == "1"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"%PDF-1.7", "序号,隐患类别".encode()])
def test_read_ledger_of_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerUnreadable):
        read_ledger(content)


def test_read_ledger_with_other_headings_is_refused() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("台账").write_row(2, 0, HEADINGS[1:])
    book.close()
    with pytest.raises(LedgerUnreadable):
        read_ledger(out.getvalue())
