"""What a printed page consists of, as plain JSON: one description, typeset by ``pdf`` and by ``docx`` alike.

A paper that was issued keeps its blocks, so that it prints the same for ever, whatever is worded otherwise later.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from backend.documents.drawing import Drawing

Block = dict[str, Any]
"""``{"block": kind, …}`` with texts only; pictures are named by the SHA-256 of their file."""

Images = Mapping[str, bytes]
"""SHA-256 (hex) → the picture's bytes (JPEG or PNG); those that are not there are printed as an empty frame."""

KINDS: Final = (
    *("title", "number", "addressee", "heading", "paragraph", "item", "photos", "fields", "table", "drawing"),
    *("landscape", "signature", "note"),
)


def title(text: str) -> Block:
    """The heading of the paper, centred."""
    return {"block": "title", "text": text}


def number(text: str) -> Block:
    """The paper's number, centred below its heading."""
    return {"block": "number", "text": text}


def addressee(text: str) -> Block:
    """To whom: flush left."""
    return {"block": "addressee", "text": text}


def paragraph(text: str) -> Block:
    """Body text, the first line indented by two characters."""
    return {"block": "paragraph", "text": text}


def heading(text: str, level: int = 1) -> Block:
    """A heading of its own line: 一、 (level 1) or （一） (level 2)."""
    return {"block": "heading", "text": text, "level": level}


def item(text: str, *details: str) -> Block:
    """A numbered entry with lines of detail below it."""
    return {"block": "item", "text": text, "details": list(details)}


def photos(found: Iterable[Mapping[str, str]]) -> Block:
    """Pictures side by side: ``sha256`` and ``caption`` each."""
    return {"block": "photos", "photos": [dict(photo) for photo in found]}


def fields(rows: Iterable[tuple[str, str]]) -> Block:
    """A ruled table of label and value; an empty value leaves room to write."""
    return {"block": "fields", "rows": [list(row) for row in rows]}


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    widths: Sequence[int],
    total: bool = False,
    size: float = 10.5,
) -> Block:
    """A ruled table below its caption; its head is printed again on every page. ``widths`` are shares of the line;
    ``total``: the last row sums up; ``size``: of its type in points."""
    return {
        "block": "table",
        "caption": caption,
        "head": list(head),
        "rows": [list(row) for row in rows],
        "widths": list(widths),
        "total": total,
        "size": size,
    }


def drawing(caption: str, drawn: Drawing) -> Block:
    """A chart below its caption."""
    return {"block": "drawing", "caption": caption, "drawing": drawn}


def landscape(blocks: Iterable[Block]) -> Block:
    """Pages of their own, turned: for wide tables."""
    return {"block": "landscape", "blocks": list(blocks)}


def signature(*lines: str) -> Block:
    """Who issues it, where the seal goes, the date: to the right."""
    return {"block": "signature", "lines": list(lines)}


def note(text: str) -> Block:
    """A small line."""
    return {"block": "note", "text": text}


def texts_of(blocks: Iterable[Block]) -> list[str]:
    """Everything that is printed as text, in order."""
    found: list[str] = []
    for block in blocks:
        found += [block[name] for name in ("text", "caption") if name in block]
        found += block.get("head", ())
        found += [mark["text"] for mark in block.get("drawing", {}).get("marks", ()) if mark["mark"] == "text"]
        found += texts_of(block.get("blocks", ()))
        found += block.get("details", ())
        found += block.get("lines", ())
        found += [photo["caption"] for photo in block.get("photos", ())]
        found += [cell for row in block.get("rows", ()) for cell in row]
    return found
