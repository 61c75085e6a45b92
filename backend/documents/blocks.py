"""What a printed page consists of, as plain JSON: one description, typeset by ``pdf`` and by ``docx`` alike.

A paper that was issued keeps its blocks, so that it prints the same for ever, whatever is worded otherwise later.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Block = dict[str, Any]
"""``{"block": kind, …}`` with texts only; pictures are named by the SHA-256 of their file."""

Images = Mapping[str, bytes]
"""SHA-256 (hex) → the picture's bytes (JPEG or PNG); those that are not there are printed as an empty frame."""

KINDS: Final = ("title", "number", "addressee", "paragraph", "item", "photos", "fields", "signature", "note")


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


def item(text: str, *details: str) -> Block:
    """A numbered entry with lines of detail below it."""
    return {"block": "item", "text": text, "details": list(details)}


def photos(found: Iterable[Mapping[str, str]]) -> Block:
    """Pictures side by side: ``sha256`` and ``caption`` each."""
    return {"block": "photos", "photos": [dict(photo) for photo in found]}


def fields(rows: Iterable[tuple[str, str]]) -> Block:
    """A ruled table of label and value; an empty value leaves room to write."""
    return {"block": "fields", "rows": [list(row) for row in rows]}


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
        found += [block["text"]] if "text" in block else []
        found += block.get("details", ())
        found += block.get("lines", ())
        found += [photo["caption"] for photo in block.get("photos", ())]
        found += [cell for row in block.get("rows", ()) for cell in row]
    return found
