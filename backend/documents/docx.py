"""Blocks as DOCX for Word and WPS: plain paragraphs and tables, the official fonts named for the office's own PC."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from backend.documents.blocks import Block, Images
from backend.documents.docx_tables import write_drawing, write_table
from backend.documents.docx_text import FANG, HEI, KAI, SONG, TITLE, write_line, write_run
from backend.documents.pdf import missing

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
    for lang in document.styles.element.iter(qn("w:lang")):
        # Without it, Chinese punctuation is set as elsewhere in East Asia.
        lang.set(qn("w:eastAsia"), "zh-CN")
    for n, copy in enumerate(copies):
        section = document.sections[0] if n == 0 else document.add_section(WD_SECTION.NEW_PAGE)
        _page(section, copy)
        upright = [block for block in blocks if block["block"] != "landscape"]
        for block in upright:
            _BLOCKS[block["block"]](document, block, images or {})
        for block in blocks:
            if block["block"] == "landscape":
                _turned(document, block, images or {})
    out = io.BytesIO()
    document.save(out)
    return _dateless(out)


def _dateless(packed: io.BytesIO) -> bytes:
    """The same file without the times at which its parts were packed: the same content has the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            target.writestr(zipfile.ZipInfo(part.filename), source.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _turned(document: DocumentType, block: Block, images: Images) -> None:
    """Pages of their own on the long side, numbered on."""
    section = document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin = section.bottom_margin = Mm(22)
    section.left_margin = section.right_margin = Mm(20)
    for numbered in section._sectPr.findall(qn("w:pgNumType")):
        section._sectPr.remove(numbered)
    for inner in block["blocks"]:
        if inner["block"] == "table":
            write_table(document, inner, 257)
        else:
            _BLOCKS[inner["block"]](document, inner, images)


def _page(section: Any, copy: str) -> None:
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header.is_linked_to_previous = section.footer.is_linked_to_previous = False
    head = section.header.paragraphs[0]
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    write_run(head, copy, FANG, 10.5)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write_run(foot, "— ", SONG, 14)
    _page_number(write_run(foot, "", SONG, 14))
    write_run(foot, " —", SONG, 14)
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


def _title(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"], font=TITLE, size=22, align=WD_ALIGN_PARAGRAPH.CENTER)


def _number(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"], align=WD_ALIGN_PARAGRAPH.CENTER)


def _addressee(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"])


def _heading(document: DocumentType, block: Block, _: Images) -> None:
    line = write_line(document, block["text"], font=HEI if block["level"] == 1 else KAI, indent=2)
    line.paragraph_format.keep_with_next = True


def _table(document: DocumentType, block: Block, _: Images) -> None:
    write_table(document, block, 156)


def _drawing(document: DocumentType, block: Block, _: Images) -> None:
    write_drawing(document, block)


def _paragraph(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"], indent=2)


def _item(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"], indent=2)
    for detail in block["details"]:
        write_line(document, detail, size=14, indent=2)


def _photos(document: DocumentType, block: Block, images: Images) -> None:
    found = block["photos"]
    table = document.add_table(rows=0, cols=PHOTOS_A_ROW)
    for start in range(0, len(found), PHOTOS_A_ROW):
        cells = table.add_row().cells
        for cell, photo in zip(cells, found[start : start + PHOTOS_A_ROW], strict=False):
            held, paragraph = images.get(photo["sha256"]), cell.paragraphs[0]
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            if held is None:
                write_run(paragraph, f"［{missing(photo['sha256'])}］", FANG, 10.5)
            else:
                paragraph.add_run().add_picture(io.BytesIO(held), width=Mm(48))
            under = cell.add_paragraph()
            under.alignment = WD_ALIGN_PARAGRAPH.CENTER
            write_run(under, photo["caption"], FANG, 10.5)


def _fields(document: DocumentType, block: Block, _: Images) -> None:
    table = document.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for label, value in block["rows"]:
        cells = table.add_row().cells
        for cell, text, width in zip(cells, (label, value), (Mm(34), Mm(122)), strict=True):
            cell.width = width
            write_run(cell.paragraphs[0], text, FANG, 12)


def _signature(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, "")
    for text in block["lines"]:
        line = write_line(document, text, align=WD_ALIGN_PARAGRAPH.RIGHT)
        line.paragraph_format.right_indent = Pt(4 * 16)


def _note(document: DocumentType, block: Block, _: Images) -> None:
    write_line(document, block["text"], size=10.5)


_BLOCKS: Final = {
    "title": _title,
    "number": _number,
    "addressee": _addressee,
    "heading": _heading,
    "paragraph": _paragraph,
    "item": _item,
    "photos": _photos,
    "fields": _fields,
    "table": _table,
    "drawing": _drawing,
    "signature": _signature,
    "note": _note,
}
