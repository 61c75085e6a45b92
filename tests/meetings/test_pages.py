"""A paper on paper: reference pages as texts and the boxes they stand in, never as pixels."""

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docx import Document

from backend.clock import DAY_MS
from backend.documents import blocks as page
from backend.documents.docx import render_docx
from backend.documents.pdf import render_pdf
from backend.ledger.sheet import read_ledger
from backend.meetings import making
from backend.meetings.paper_files import FORMATS
from tests.documents.test_documents import ABOUT, poppler
from tests.factories.meetings import Call, Door, History, Life
from tests.meetings.conftest import WEEK, Office
from tests.meetings.test_papers import NEXT, a_week, long_ago

START, END = WEEK.start_ms, WEEK.end_ms
MM = 72 / 25.4
#: A4 less the margins of official papers.
LEFT, RIGHT, TOP, BOTTOM = 28 * MM, (210 - 26) * MM, 37 * MM, (297 - 35) * MM
LINE = 28.95
LONG_ADDRESS = "北湖区下湄桥街道福泉社区槐荫路八十八号附九号原第三棉纺织厂职工宿舍区东侧3栋"


@dataclass(frozen=True)
class Word:
    """A word of a page and its box, in points from the top left."""

    sheet: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def words_of(pdf: bytes, tmp_path: Path) -> tuple[list[Word], list[tuple[float, float]]]:
    """The words of a PDF in order, and the size of every sheet."""
    found = poppler("pdftotext", pdf, tmp_path, "-bbox")
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", found.decode()))
    sheets = [element for element in root.iter() if element.tag.endswith("page")]
    words = [
        Word(n, word.text or "", *(float(word.get(side, 0)) for side in ("xMin", "yMin", "xMax", "yMax")))
        for n, sheet in enumerate(sheets)
        for word in sheet
    ]
    return words, [(float(sheet.get("width", 0)), float(sheet.get("height", 0))) for sheet in sheets]


def text_of_pdf(pdf: bytes, tmp_path: Path) -> str:
    return re.sub(r"\s|\u200b", "", poppler("pdftotext", pdf, tmp_path, "-layout").decode())


def check_within_margins(pdf: bytes, tmp_path: Path) -> None:
    """Nothing stands outside of the type area but page numbers and the mark of a draft."""
    words, sizes = words_of(pdf, tmp_path)
    for word in words:
        width, height = sizes[word.sheet]
        is_turned = width > height
        left, right = (20 * MM, width - 20 * MM) if is_turned else (LEFT, RIGHT)
        # The empty half of a full stop at the end of a line, or of a bracket at its beginning, is in the margin.
        before, after = word.text[0] in "（〔“", word.text[-1] in "，。；：、）”"
        assert left - (9 if before else 1) <= word.left <= word.right <= right + (9 if after else 1), word
        if not is_turned and word.top >= TOP - 2:
            assert word.bottom <= BOTTOM + 6 or re.fullmatch(r"—|\d+", word.text), word


def history_of(rows: int) -> History:
    """A week with ``rows`` overdue hazards at a long address, in a building, found by visits."""
    building = Door("building", name=LONG_ADDRESS)
    homes = [Door("household", building=building) for _ in range(3)]
    lives = [
        Life(homes[n % 3], [("registered", START + n, 1)], ("red", "orange", "yellow")[n % 3], deadline_ms=START + n)
        for n in range(rows)
    ]
    return History([building, *homes], [Call(homes[0], START + 5), long_ago(homes[1])], lives)


@pytest.mark.parametrize("rows", [1, 210])
def test_print_long_addresses_and_long_lists_within_the_margins(office: Office, tmp_path: Path, rows: int) -> None:
    office.write(history_of(rows))
    paper_id = office.issued()
    made = office.documents(paper_id)
    check_within_margins(made["pdf"], tmp_path)
    said = text_of_pdf(made["pdf"], tmp_path)
    assert LONG_ADDRESS[:12] in said
    assert ("仅列前200处" in said) == (rows > making.LIST_ROWS)
    assert ("此处印前200处，全部见电子台账" in said) == (rows > making.LIST_ROWS)
    assert len(read_ledger(made["xlsx"])) == rows
    document = Document(io.BytesIO(made["docx"]))
    assert len(document.tables[-1].rows) == min(rows, making.LIST_ROWS) + (2 if rows <= making.LIST_ROWS else 1)


def test_print_beyond_the_margins_is_caught(tmp_path: Path) -> None:
    wide = page.table("", ["A" * 9] * 12, [["W" * 11] * 12], widths=[1] * 12)
    with pytest.raises(AssertionError):
        check_within_margins(render_pdf([wide], **ABOUT), tmp_path)


def test_print_first_sheet_stands_as_official_papers_do(office: Office, tmp_path: Path) -> None:
    """Title in the middle and large, headings and paragraphs two characters in, lines 28.95 pt apart, page number."""
    office.write(a_week())
    pdf = office.documents(office.issued())["pdf"]
    words, sizes = words_of(pdf, tmp_path)
    assert [round(side) for side in sizes[0]] == [595, 842]
    title, number = words[0], words[1]
    assert title.text == "福泉社区安全隐患排查整治工作周报"
    assert abs((title.left + title.right) / 2 - (LEFT + RIGHT) / 2) < 2
    assert 15 * 22 < title.right - title.left < 17 * 22
    assert abs(title.top - TOP) < 12
    assert number.text.startswith("（2026")
    heading = next(word for word in words if word.text.startswith("一、本周排查情况"))
    assert abs(heading.left - (LEFT + 32)) < 2
    sentence = next(word for word in words if word.text.startswith("本周共排查"))
    assert abs(sentence.left - (LEFT + 32)) < 3
    assert abs(sentence.top - heading.top - LINE) < 1.5
    last = [word for word in words if word.sheet == 0][-3:]
    assert "".join(word.text for word in last) in ("—1—",)
    assert last[0].top > BOTTOM


def test_print_full_page_has_22_lines_of_28_characters(tmp_path: Path) -> None:
    words, _ = words_of(render_pdf([page.paragraph("测" * 28 * 60)], **{**ABOUT, "copies": ("",)}), tmp_path)
    first = [word for word in words if word.sheet == 0 and "测" in word.text]
    lines = sorted({round(word.top) for word in first})
    assert len(lines) == 22
    assert {len(word.text) for word in first[1:]} == {28}


def test_print_charts_and_every_section(office: Office, tmp_path: Path) -> None:
    office.write(a_week())
    said = text_of_pdf(office.documents(office.issued())["pdf"], tmp_path)
    for heading in (
        *("一、本周排查情况", "二、隐患及整改情况", "三、与上周对比", "四、重大隐患清单", "五、民生服务"),
        *("六、需会议研究事项", "七、下周安排", "附件1对以前各期的更正", "附件3隐患排查整治台账"),
        *("新增隐患按类别和等级（处）", "近4期变化（处）", "各网格完成率（完成／登记）", "各网格销号率"),
    ):
        assert heading in said
    assert "50%（1／2）" in said


def test_print_an_empty_first_and_late_week(office: Office, tmp_path: Path) -> None:
    first = office.documents(office.issued())["pdf"]
    said = text_of_pdf(first, tmp_path)
    assert "本期为首期，上周无记录，不作对比。" in said
    assert "六、需会议研究事项无。" in said
    assert "下周按日常安排开展走访排查。" in said
    door = Door()
    late = [Life(door, [("registered", START + 1, 1)], "yellow", deadline_ms=END + DAY_MS)]
    office.write(History([door], [], late))
    second = office.documents(office.issued(NEXT))["pdf"]
    said = text_of_pdf(second, tmp_path)
    assert "因迟到记录更正的数字" in said
    assert "期末未销号0处，与本期期初1处不符，系下列迟到记录所致。" in said
    for pdf in (first, second):
        check_within_margins(pdf, tmp_path)


def test_render_issued_paper_again_from_its_content_is_byte_for_byte_the_same(office: Office) -> None:
    office.write(a_week())
    paper_id = office.issued()
    made = office.documents(paper_id)
    paper = office.paper(paper_id)
    with office.db.transaction([office.community]) as session:
        assert {name: kind.render(session, paper) for name, kind in FORMATS.items()} == made


def test_docx_names_fonts_repeats_heads_and_says_what_charts_show(office: Office) -> None:
    office.write(a_week())
    made = office.documents(office.issued())["docx"]
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        xml = archive.read("word/document.xml").decode()
        names = archive.namelist()
    for font in ("方正小标宋简体", "仿宋_GB2312", "楷体_GB2312", "黑体", "宋体"):
        assert f'w:eastAsia="{font}"' in xml
    assert xml.count("w:tblHeader") == xml.count("<w:tbl>")
    assert 'w:orient="landscape"' in xml
    assert "新增隐患按类别和等级（处）：电动车违规充电重大1、较大1、一般0" in xml
    assert not [name for name in names if "vba" in name.lower()]


def test_docx_of_many_rows_has_them_all() -> None:
    table = page.table("台账", ["甲", "乙"], [[str(n), "<&>"] for n in range(500)], widths=[1, 3])
    document = Document(io.BytesIO(render_docx([table], **ABOUT)))
    assert [row.cells[0].text for row in document.tables[0].rows][1:4] == ["0", "1", "2"]
    assert document.tables[0].rows[500].cells[1].text == "<&>"
