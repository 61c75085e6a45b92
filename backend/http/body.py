"""Request bodies: read whole before a database connection is taken, decompressed under a cap.

A slow phone must not hold a connection, and a 50 MB zip bomb must not fill memory.
"""

import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from flask import request
from werkzeug.exceptions import ClientDisconnected

from backend.errors import DomainError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BYTES = 4 * 1024 * 1024
#: Some libraries write it before their JSON; it is no part of it.
BOM = b"\xef\xbb\xbf"
CHUNK = 64 * 1024
#: Members (gzip) or frames (zstd) of one body; a phone may join a few pieces it compressed apart.
MAX_MEMBERS: Final = 64
DRAINED_BYTES = 64 * 1024 * 1024


class BodyTooLarge(DomainError):
    """The decompressed body is over the cap; ``max_records`` and ``max_bytes`` say what fits."""

    status = 413


class BodyUnreadable(DomainError):
    """The content coding is unknown or broken. ``raw`` holds what arrived."""

    status = 400

    def __init__(self, raw: bytes, coding: str) -> None:
        super().__init__(coding=coding)
        self.raw = raw


def read_body(max_bytes: int = MAX_BYTES) -> bytes:
    """The request's body, decompressed (gzip, zstd or identity).

    Raises BodyTooLarge beyond ``max_bytes`` decompressed and BodyUnreadable (with the raw bytes) on broken coding.
    """
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    raw = request.stream.read(max_bytes + 1)
    if len(raw) > max_bytes:
        drain()
        raise BodyTooLarge(max_bytes=max_bytes, max_records=500)
    if coding in ("identity", ""):
        return raw.removeprefix(BOM)
    try:
        return decompress(raw, coding, max_bytes).removeprefix(BOM)
    except (zlib.error, zstd.ZstdError, EOFError, ValueError) as error:
        raise BodyUnreadable(raw, coding) from error


def read_what_comes(max_bytes: int) -> bytes:
    """The body as it is, as far as it came before the connection broke. BodyTooLarge beyond ``max_bytes``."""
    found = bytearray()
    with suppress(ClientDisconnected, OSError):
        while chunk := request.stream.read(CHUNK):
            found += chunk
            if len(found) > max_bytes:
                drain()
                raise BodyTooLarge(max_bytes=max_bytes, max_records=1)
    return bytes(found)


def drain() -> None:
    """Read on and forget, within bounds: a client that is cut off while it sends never sees why it was refused."""
    left = DRAINED_BYTES
    while left > 0 and (chunk := request.stream.read(CHUNK)):
        left -= len(chunk)


def decompress(raw: bytes, coding: str, max_bytes: int) -> bytes:
    """``raw`` decompressed; BodyTooLarge as soon as it grows past the cap, EOFError when it is cut short."""
    if coding == "gzip":
        out, finished = _all_members(raw, max_bytes, lambda: zlib.decompressobj(wbits=31), b"\x00")
    elif coding == "zstd":
        out, finished = _all_members(raw, max_bytes, zstd.ZstdDecompressor)
    else:
        raise ValueError(f"unknown content coding {coding!r}")
    if len(out) > max_bytes:
        raise BodyTooLarge(max_bytes=max_bytes, max_records=500)
    if not finished:
        raise EOFError("the compressed body is cut short")
    return out


class Inflating(Protocol):
    """What reads one gzip member or one zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _all_members(
    raw: bytes, max_bytes: int, inflating: Callable[[], Inflating], padding: bytes = b""
) -> tuple[bytes, bool]:
    """All members (gzip) or frames (zstd) one after another, up to one byte over the cap; whether the last one ended.

    ``padding`` may follow a member. ValueError for more members than any phone sends: each costs a copy of the rest.
    """
    out, finished, members = b"", False, 0
    while raw and len(out) <= max_bytes:
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        member = inflating()
        out += member.decompress(raw, max_bytes + 1 - len(out))
        finished, raw = member.eof, member.unused_data.lstrip(padding) if padding else member.unused_data
    return out, finished
