"""The slow path of a push: split a body that does not parse as a whole into records by byte span.

A JSON parser refuses a whole body for one lone surrogate in one record. This scanner reads brackets
and strings only, so it finds where each record begins and ends whatever is inside; where the damage
is structural (a quote or bracket lost), it goes on at the next thing that looks like a record's
beginning, which cannot occur inside a well-formed string because quotes are escaped there.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

# Possessive, and an open string runs to the end of the body: linear for any input.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_NEXT_RECORD: Final = re.compile(rb'[,\[}]\s*+(?=\{\s*+"(?:id|type|schema_version|sha256|payload|anchor)"\s*+:)')
_RECORDS_KEY: Final = re.compile(rb"\s*+:\s*+\[")
_BLANK: Final = b" \t\r\n"
_RESCANS: Final = 8
"""How many times the body's length may be read again over damaged records; then only guesses."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start:end` of the body, one record of the `records` array, without its comma."""

    start: int
    end: int

    def of(self, raw: bytes) -> bytes:
        """The record's own bytes."""
        return raw[self.start : self.end]


def split_records(raw: bytes) -> list[Span]:
    """Spans of the elements of the top object's `records` array, in order.

    Never raises. An undamaged element is always a span of exactly its bytes, provided the damage
    of its neighbours left the comma before it and its own first brace. Damaged bytes are spans too,
    so that they can be kept. No `records` array → no spans.
    """
    return _Splitter(raw).spans


def open_damaged_push(raw: bytes) -> tuple[dict[str, Any] | None, list[Span], bool]:
    """The body's own fields without `records` (None when those are damaged), the spans, and whether
    the body ends before `records` does, so that the last span may be only a part of its record."""
    splitter = _Splitter(raw)
    return splitter.fields(), splitter.spans, splitter.closed is None


class _Splitter:
    """Walks over one body. `opened` and `closed` are the offsets of the array's brackets."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.spans: list[Span] = []
        self.opened = _find_array(raw)
        self.closed: int | None = None
        self._budget = _RESCANS * len(raw) + 10_000
        self._next: re.Match[bytes] | None = None
        self._searched = False
        if self.opened is not None:
            self._walk(self.opened + 1)

    def fields(self) -> dict[str, Any] | None:
        """The top object with an empty `records`, if what is left of it parses."""
        if self.opened is None:
            return None
        tail = b"]}" if self.closed is None else self.raw[self.closed :]
        found = _parsed(self.raw[: self.opened + 1] + tail)
        return found if isinstance(found, dict) else None

    def _walk(self, at: int) -> None:
        raw = self.raw
        while True:
            while at < len(raw) and raw[at] in _BLANK:
                at += 1
            if at >= len(raw):
                return
            if raw[at] == 0x5D and self._closes(at):
                self.closed = at
                return
            end, after = self._element(at)
            self._keep(at, end)
            at = after + 1 if raw[after : after + 1] == b"," else after

    def _keep(self, start: int, end: int) -> None:
        length = len(self.raw[start:end].rstrip(_BLANK))
        if length:
            self.spans.append(Span(start, start + length))

    def _closes(self, at: int) -> bool:
        """True when the bracket at `at` ends the array: the rest completes the top object."""
        if self.opened is None or not self._may_read(len(self.raw) - at):
            return False
        return _parsed(self.raw[: self.opened + 1] + self.raw[at:]) is not None

    def _may_read(self, length: int) -> bool:
        self._budget -= length
        return self._budget >= 0

    def _reads(self, start: int, end: int) -> bool:
        """True when these bytes are one JSON value."""
        return self._may_read(end - start) and _parsed(self.raw[start:end]) is not None

    def _next_record(self, start: int) -> re.Match[bytes] | None:
        """What looks like the border before another record; every byte is searched once only."""
        if not self._searched or (self._next is not None and self._next.start() < start):
            self._next = _NEXT_RECORD.search(self.raw, start)
            self._searched = True
        return self._next

    def _element(self, start: int) -> tuple[int, int]:
        """Where the element at `start` ends, and where to go on (a comma there is skipped)."""
        raw = self.raw
        following = self._next_record(start)
        guess = len(raw) if following is None else following.start() + (raw[following.start()] == 0x7D)
        if following is not None and self._reads(start, guess):
            return guess, guess
        end = self._structural_end(start)
        if end is not None and (end <= guess or self._reads(start, end)):
            # A stray closing bracket is an element of its own, or the walk would stand still.
            stray = end == start and raw[start] == 0x5D
            return (end + 1, end + 1) if stray else (end, end)
        if following is not None:
            return guess, guess + (raw[guess : guess + 1] == b"[")
        return self._last_end(start)

    def _structural_end(self, start: int) -> int | None:
        """Offset of the `,` or `]` after the element, reading brackets and strings; None if cut."""
        if self._budget < 0:
            return None
        opened = bytearray()
        counts = {b"{": 0, b"[": 0}
        for match in _TOKEN.finditer(self.raw, start):
            token = match.group()
            if token in (b"{", b"["):
                opened += token
                counts[token] += 1
            elif token in (b"}", b"]"):
                # A bracket that was never closed does not hide the end of what is around it.
                opener = b"{" if token == b"}" else b"["
                if counts[opener]:
                    last = opened.rfind(opener)
                    for kind in counts:
                        counts[kind] -= opened.count(kind, last)
                    del opened[last:]
                elif token == b"]":
                    self._budget -= match.start() - start
                    return match.start()
            elif token == b"," and not opened:
                self._budget -= match.start() - start
                return match.start()
        self._budget -= len(self.raw) - start
        return None

    def _last_end(self, start: int) -> tuple[int, int]:
        """A damaged last element: up to the last bracket that closes the array, if there is one."""
        closing = self.raw.rfind(b"]", start)
        if closing >= 0 and self._closes(closing):
            return closing, closing
        return len(self.raw), len(self.raw)


def _find_array(raw: bytes) -> int | None:
    """Offset of the `[` of `"records": [` directly in the top object."""
    depth = 0
    for match in _TOKEN.finditer(raw):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and token == b'"records"':
            colon = _RECORDS_KEY.match(raw, match.end())
            if colon is not None:
                return colon.end() - 1
    return None


def _parsed(piece: bytes) -> Any:
    """The JSON value, or None when it is no JSON (or null)."""
    try:
        return orjson.loads(piece)
    except orjson.JSONDecodeError:
        return None
