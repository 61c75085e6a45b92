"""Lines of a DOCX: the official fonts by name, for the office's own PC to find."""

from typing import Any, Final

from docx.document import Document as DocumentType
from docx.enum.text import WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph

TITLE, FANG, SONG, KAI, HEI = "方正小标宋简体", "仿宋_GB2312", "宋体", "楷体_GB2312", "黑体"
LATIN: Final = "Times New Roman"
BODY: Final = 16
#: 28 characters of 16 pt are 448 pt, the line has 442: a quarter of a point less each (in twentieths).
TIGHT: Final = "-5"
#: Exact distance of lines in points: 22 lines to a page.
LINE: Final = 28.95


def write_run(paragraph: Paragraph, text: str, font: str, size: float) -> Any:
    """Text of one font and size at the end of a paragraph."""
    run = paragraph.add_run(text)
    run.font.name, run.font.size = LATIN, Pt(size)
    about = run._r.get_or_add_rPr()
    about.get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if size == BODY:
        spacing: Any = OxmlElement("w:spacing")
        spacing.set(qn("w:val"), TIGHT)
        about.insert_element_before(spacing, "w:w", "w:kern", "w:position", "w:sz")
    return run


def set_spacing(paragraph: Paragraph, exactly: float | None) -> None:
    """Nothing above and below, and lines ``exactly`` so many points apart (None: as their content needs)."""
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    if exactly is None:
        shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
    else:
        shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(exactly)


def write_line(
    document: DocumentType,
    text: str,
    *,
    font: str = FANG,
    size: float = 16,
    indent: int = 0,
    align: Any = None,
    exactly: float = LINE,
) -> Paragraph:
    """A paragraph; ``indent`` its first line by so many characters."""
    paragraph = document.add_paragraph()
    set_spacing(paragraph, exactly)
    if align is not None:
        paragraph.alignment = align
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(indent * size)
    write_run(paragraph, text, font, size)
    return paragraph
