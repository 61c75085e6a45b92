"""Tables and pictures of a DOCX: fixed widths, heads that are printed again on every page, rows that stay whole."""

import io
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from docx.document import Document as DocumentType
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt
from docx.text.paragraph import Paragraph

from backend.documents.blocks import Block
from backend.documents.docx_text import HEI, SONG, set_spacing, write_line, write_run
from backend.documents.pdf import render_png


def write_table(document: DocumentType, block: Block, line_mm: int) -> None:
    """A ruled table as wide as the line, ``line_mm``."""
    write_caption(document, block["caption"])
    shares = block["widths"]
    widths = [Emu(int(Mm(line_mm) * share / sum(shares))) for share in shares]
    table = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    table._tbl.tblPr.append(_cell_margins())
    for column, width in zip(table._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = width
    table._tbl.append(_row(block["head"], widths, HEI, block["size"], is_head=True))
    plain = _row([""] * len(widths), widths, SONG, block["size"])
    rows = block["rows"][:-1] if block["total"] else block["rows"]
    for texts in rows:
        # Copied, and not built cell by cell: a ledger has thousands of cells that differ in their text only.
        row = deepcopy(plain)
        for part, text in zip(row.iter(qn("w:t")), texts, strict=True):
            part.text = text
        table._tbl.append(row)
    if block["total"]:
        table._tbl.append(_row(block["rows"][-1], widths, HEI, block["size"]))
    write_line(document, "", size=6, exactly=10)


def _cell_margins() -> Any:
    """Next to none at the sides: official tables are narrow."""
    margins: Any = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "40")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    return margins


def _row(texts: Sequence[str], widths: Sequence[Emu], font: str, size: float, *, is_head: bool = False) -> Any:
    """A row's element: every cell one centred line of text."""
    row: Any = OxmlElement("w:tr")
    about = row.get_or_add_trPr()
    for name in ("w:cantSplit", "w:tblHeader") if is_head else ("w:cantSplit",):
        about.append(OxmlElement(name))
    for text, width in zip(texts, widths, strict=True):
        cell = row._add_tc()
        cell.width = width
        centred = OxmlElement("w:vAlign")
        centred.set(qn("w:val"), "center")
        cell.get_or_add_tcPr().append(centred)
        paragraph = Paragraph(cell.p_lst[0], cell)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        set_spacing(paragraph, size + 4.5)
        run = write_run(paragraph, "", font, size)
        said = OxmlElement("w:t")
        said.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        said.text = text
        run._r.append(said)
    return row


def write_drawing(document: DocumentType, block: Block) -> None:
    """A chart as a picture, with its words for those who do not see it."""
    write_caption(document, block["caption"])
    paragraph = document.add_paragraph()
    set_spacing(paragraph, None)
    drawn = block["drawing"]
    shape = paragraph.add_run().add_picture(io.BytesIO(render_png(drawn)), width=Mm(drawn["width"] / 10))
    shape._inline.docPr.set("descr", drawn["alt"])


def write_caption(document: DocumentType, text: str) -> None:
    """A line in the middle that stays with what it names."""
    paragraph = write_line(document, text, font=HEI, size=12, align=WD_ALIGN_PARAGRAPH.CENTER)
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = Pt(3)
