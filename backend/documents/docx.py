"""Blocks as DOCX for Word and WPS: plain paragraphs and tables, the official fonts named for the office's own PC."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from backend.documents.blocks import Block, Images
from backend.documents.pdf import missing

SONG_TITLE, FANG, SONG = "方正小标宋简体", "仿宋_GB2312", "宋体"
LATIN: Final = "Times New Roman"
LINE: Final = Pt(28.95)
PHOTOS_A_ROW: Final = 3


def render_docx(
    blocks: Sequence[Block],
    *,
    title: str,
    author: str,
    dated: date,
    copies: Sequence[str] = ("",),
    images: Images | None = None,
) -> bytes:
    """A DOCX of the blocks, once a copy, each a section of its own that counts its own pages."""
    document = Document()
    about = document.core_properties
    about.title, about.author, about.comments = title, author, ""
    about.created = about.modified = datetime(dated.year, dated.month, dated.day)
    for n, copy in enumerate(copies):
        section = document.sections[0] if n == 0 else document.add_section(WD_SECTION.NEW_PAGE)
        _page(section, copy)
        for block in blocks:
            _BLOCKS[block["block"]](document, block, images or {})
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page(section: Any, copy: str) -> None:
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header.is_linked_to_previous = section.footer.is_linked_to_previous = False
    head = section.header.paragraphs[0]
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _run(head, copy, FANG, 10.5)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(foot, "— ", SONG, 14)
    _page_number(_run(foot, "", SONG, 14))
    _run(foot, " —", SONG, 14)
    # A further section begins as a copy of the one before, its numbering included.
    for copied in section._sectPr.findall(qn("w:pgNumType")):
        section._sectPr.remove(copied)
    start = OxmlElement("w:pgNumType")
    start.set(qn("w:start"), "1")
    section._sectPr.find(qn("w:pgMar")).addnext(start)


def _page_number(run: Any) -> None:
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:instrText" if text else "w:fldChar")
        if text:
            element.text = text
        else:
            element.set(qn("w:fldCharType"), str(kind))
        run._r.append(element)


def _run(paragraph: Paragraph, text: str, font: str, size: float) -> Any:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = LATIN, Pt(size)
    fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), font)
    return run


def _line(
    document: DocumentType, text: str, *, font: str = FANG, size: float = 16, indent: int = 0, align: Any = None
) -> Paragraph:
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
    if align is not None:
        paragraph.alignment = align
    if indent:
        shape.first_line_indent = Pt(indent * size)
    _run(paragraph, text, font, size)
    return paragraph


def _title(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"], font=SONG_TITLE, size=22, align=WD_ALIGN_PARAGRAPH.CENTER)


def _number(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"], align=WD_ALIGN_PARAGRAPH.CENTER)


def _addressee(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"])


def _paragraph(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"], indent=2)


def _item(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"], indent=2)
    for detail in block["details"]:
        _line(document, detail, size=14, indent=2)


def _photos(document: DocumentType, block: Block, images: Images) -> None:
    found = block["photos"]
    table = document.add_table(rows=0, cols=PHOTOS_A_ROW)
    for start in range(0, len(found), PHOTOS_A_ROW):
        cells = table.add_row().cells
        for cell, photo in zip(cells, found[start : start + PHOTOS_A_ROW], strict=False):
            held, paragraph = images.get(photo["sha256"]), cell.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            if held is None:
                _run(paragraph, f"［{missing(photo['sha256'])}］", FANG, 10.5)
            else:
                paragraph.add_run().add_picture(io.BytesIO(held), width=Mm(48))
            under = cell.add_paragraph()
            under.alignment = WD_ALIGN_PARAGRAPH.CENTER
            _run(under, photo["caption"], FANG, 10.5)


def _fields(document: DocumentType, block: Block, _: Images) -> None:
    table = document.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for label, value in block["rows"]:
        cells = table.add_row().cells
        for cell, text, width in zip(cells, (label, value), (Mm(34), Mm(122)), strict=True):
            cell.width = width
            _run(cell.paragraphs[0], text, FANG, 12)


def _signature(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, "")
    for text in block["lines"]:
        line = _line(document, text, align=WD_ALIGN_PARAGRAPH.RIGHT)
        line.paragraph_format.right_indent = Pt(4 * 16)


def _note(document: DocumentType, block: Block, _: Images) -> None:
    _line(document, block["text"], size=10.5)


_BLOCKS: Final = {
    "title": _title,
    "number": _number,
    "addressee": _addressee,
    "paragraph": _paragraph,
    "item": _item,
    "photos": _photos,
    "fields": _fields,
    "signature": _signature,
    "note": _note,
}
