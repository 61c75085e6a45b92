"""Pages: what is described is on them, every character has its glyph, each copy counts its own pages."""

import io
import subprocess
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typst
from docx import Document
from PIL import Image

from backend.documents import blocks as page
from backend.documents import drawing, pdf
from backend.documents.blocks import Block, texts_of
from backend.documents.docx import render_docx
from backend.documents.pdf import FLOOR, render_pdf, render_png
from backend.documents.pictures import for_print
from tests.factories.notices import picture

RARE = "王喆㼆𬭎"
LONG = "北湖区下湄桥街道福泉社区第二网格" + "槐荫路八十八号附九号" * 6
BLOCKS: list[Block] = [
    page.title("隐患整改告知书"),
    page.number("〔2026〕07号"),
    page.addressee(f"{RARE}："),
    page.paragraph(f"经查，你户位于{LONG}存在以下安全隐患："),
    *(page.item(f"{n}．高层公共部位违规停放", f"台账编号：福泉-ebike_charging-2026-{n:04d}") for n in range(1, 13)),
    page.photos([{"sha256": "a" * 64, "caption": "照片1"}, {"sha256": "b" * 64, "caption": "照片2"}]),
    page.signature("福泉社区居民委员会（盖章）", "2026年1月9日"),
    page.note("一式两份"),
    page.fields([("签收人", ""), ("与当事人关系", "本人")]),
]
ABOUT: dict[str, Any] = {
    "title": "隐患整改告知书",
    "author": "福泉社区",
    "dated": date(2026, 1, 9),
    "copies": ("甲", "乙"),
}
IMAGES = {"a" * 64: for_print(picture()) or b""}


def poppler(program: str, made: bytes, tmp_path: Path, *arguments: str) -> bytes:
    """What a program of poppler-utils says about a PDF; the test is skipped where it is not installed."""
    (tmp_path / "page.pdf").write_bytes(made)
    try:
        done = subprocess.run([program, *arguments, str(tmp_path / "page.pdf"), "-"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip(f"{program} is not installed")
    return done.stdout


def check_every_text_is_printed(pdf: bytes, tmp_path: Path) -> None:
    """Every character of the description can be read out of the PDF again."""
    printed = set(poppler("pdftotext", pdf, tmp_path, "-layout").decode())
    wanted = {character for text in texts_of(BLOCKS) for character in text if not character.isspace()}
    assert wanted - printed == set()


def test_render_pdf_has_every_character(tmp_path: Path) -> None:
    check_every_text_is_printed(render_pdf(BLOCKS, **ABOUT, images=IMAGES), tmp_path)


def test_render_pdf_without_a_line_is_caught(tmp_path: Path) -> None:
    pdf = render_pdf([block for block in BLOCKS if block["block"] != "addressee"], **ABOUT)
    with pytest.raises(AssertionError):
        check_every_text_is_printed(pdf, tmp_path)


def test_render_pdf_counts_pages_of_each_copy(tmp_path: Path) -> None:
    text = poppler("pdftotext", render_pdf(BLOCKS, **ABOUT), tmp_path, "-layout").decode()
    pages = [sheet for sheet in text.split("\f") if sheet.strip()]
    half = len(pages) // 2
    assert len(pages) == 2 * half
    for copy, sheets in (("甲", pages[:half]), ("乙", pages[half:])):
        for n, sheet in enumerate(sheets, 1):
            assert copy in sheet
            assert f"—{n}—" in sheet.replace(" ", "")


def test_render_pdf_is_the_same_every_time() -> None:
    assert render_pdf(BLOCKS, **ABOUT, images=IMAGES) == render_pdf(BLOCKS, **ABOUT, images=IMAGES)


def test_render_text_is_never_run(tmp_path: Path) -> None:
    evil = '#read("/etc/passwd") #panic("x") $x$ *b* {{ 7*7 }} </w:t>'
    pdf = render_pdf([page.paragraph(evil)], **ABOUT)
    printed = poppler("pdftotext", pdf, tmp_path, "-raw").decode()
    assert "#read(" in printed
    assert "root:" not in printed
    document = Document(io.BytesIO(render_docx([page.paragraph(evil)], **ABOUT)))
    assert document.paragraphs[0].text == evil


def test_render_docx_names_the_official_fonts() -> None:
    made = render_docx(BLOCKS, **ABOUT, images=IMAGES)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        xml = archive.read("word/document.xml").decode()
    for font in ("方正小标宋简体", "仿宋_GB2312"):
        assert f'w:eastAsia="{font}"' in xml
    assert xml.count('w:pgNumType w:start="1"') == 2
    assert "macro" not in xml.lower()
    document = Document(io.BytesIO(made))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    said = "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    assert [text for text in texts_of(BLOCKS) if text not in said] == []


@pytest.mark.parametrize("mime", ["JPEG", "PNG"])
def test_picture_for_print_forgets_the_camera(mime: str) -> None:
    made = for_print(picture(mime=mime))
    assert made is not None
    assert b"canary-camera" not in made
    with Image.open(io.BytesIO(made)) as found:
        assert dict(found.getexif()) == {}


@pytest.mark.parametrize("raw", [b"", b"\xff\xd8\xff broken", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n"])
def test_picture_that_cannot_be_read_is_none(raw: bytes) -> None:
    assert for_print(raw) is None


def picture_of(character: str) -> bytes:
    """A character as it is drawn."""
    return render_png(drawing.drawing_of(120, "", [drawing.label(30, 60, character, size=300)], width=200))


#: Of no font: what is drawn for it is the mark of a missing glyph.
NO_GLYPH = "\U0010fffd"


def check_has_glyphs(characters: str) -> None:
    """Every character is drawn as itself: unlike a missing one, unlike nothing, unlike the others."""
    pictures = [picture_of(character) for character in characters]
    assert len({*pictures, picture_of(NO_GLYPH), picture_of(" ")}) == len(pictures) + 2


@pytest.mark.parametrize("system_fonts", [True, False])
def test_render_rare_characters_have_glyphs(monkeypatch: pytest.MonkeyPatch, system_fonts: bool) -> None:
    fonts = typst.Fonts(include_system_fonts=system_fonts, font_paths=[str(FLOOR)])
    monkeypatch.setattr(pdf, "_fonts", lambda: fonts)
    check_has_glyphs("喆㼆𬭎王〔〕—％①")


def test_render_missing_glyph_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_has_glyphs("喆\U0010fffc")
