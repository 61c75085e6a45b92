"""Blocks as PDF/A, typeset by Typst. Texts are data to it, and it reads nothing but the folder it is given."""

import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import manimgx_fonts_cjk
import orjson
import typst

from backend.documents.blocks import Block, Images
from backend.documents.drawing import Drawing

TEMPLATES: Final = Path(__file__).parent / "templates"
#: Fonts that are always there: they hold every character, the rare ones too. Better ones of the machine go first.
FLOOR: Final = Path(manimgx_fonts_cjk.__file__).parent
PPI: Final = 220


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, font_paths=[str(FLOOR)])


def render_pdf(
    blocks: Sequence[Block],
    *,
    title: str,
    author: str,
    dated: date,
    copies: Sequence[str] = ("",),
    images: Images | None = None,
) -> bytes:
    """A PDF/A-2b of the blocks, once a copy; each copy is marked by its text at the top and counts its own pages."""
    with tempfile.TemporaryDirectory(prefix="saolou-page-") as name:
        folder = Path(name)
        shown = [_with_files(block, images or {}, folder) for block in blocks]
        day = [dated.year, dated.month, dated.day]
        data = {"title": title, "author": author, "date": day, "copies": list(copies), "blocks": shown}
        made = typst.compile(
            _laid_out(folder, "page.typ", data), root=name, font_paths=_fonts(), format="pdf", pdf_standards="a-2b"
        )
    return bytes(made)


def render_png(drawn: Drawing) -> bytes:
    """A drawing as a picture, for documents that take nothing but pictures."""
    with tempfile.TemporaryDirectory(prefix="saolou-drawing-") as name:
        made = typst.compile(
            _laid_out(Path(name), "picture.typ", drawn), root=name, font_paths=_fonts(), format="png", ppi=PPI
        )
    return bytes(made)


def _laid_out(folder: Path, template: str, data: Any) -> str:
    """Templates and data in ``folder``, the only one that Typst may read; the path of ``template`` there."""
    (folder / "data.json").write_bytes(orjson.dumps(data))
    for file in TEMPLATES.glob("*.typ"):
        (folder / file.name).write_bytes(file.read_bytes())
    return str(folder / template)


def _with_files(block: Block, images: Images, folder: Path) -> Block:
    if block["block"] != "photos":
        return block
    return {**block, "photos": [_photo(photo, images, folder) for photo in block["photos"]]}


def _photo(photo: dict[str, str], images: Images, folder: Path) -> dict[str, Any]:
    held = images.get(photo["sha256"])
    if held is None:
        return {**photo, "file": None, "missing": missing(photo["sha256"])}
    file = folder / f"{photo['sha256']}.jpg"
    file.write_bytes(held)
    return {**photo, "file": file.name}


def missing(sha256: str) -> str:
    """What stands in the frame of a picture that is not here (yet)."""
    return f"照片未上传 {sha256[:12]}"
