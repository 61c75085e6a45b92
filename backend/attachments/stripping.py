"""Pictures on their way out: every pixel as it was taken, nothing that the camera wrote beside them.

Where, when and with which device somebody stood at a door is nobody's business but the archive's. The original stays
sealed as it came; what leaves is cut free of metadata without being compressed again, so evidence loses no detail.
"""

import struct
from collections.abc import Iterator
from typing import Final

from backend.attachments.kinds import PDF

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
#: JFIF, colour profiles and Adobe's colour transform: how to draw, not where or by whom.
_KEPT_SEGMENTS: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_APP, _COMMENT, _EXIF = range(0xE0, 0xF0), 0xFE, b"Exif\0\0"
_ORIENTATION: Final = 0x0112
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS: Final = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs")
)


class Unstrippable(ValueError):
    """It does not have the structure of its kind, so nobody knows what it carries."""


def stripped(raw: bytes, mime: str) -> bytes:
    """The file without EXIF, XMP, comments, hidden second pictures. Unstrippable. PDF scans are given as they are."""
    if mime == PDF:
        return raw
    try:
        return _jpeg(raw) if mime == "image/jpeg" else _png(raw)
    except (IndexError, struct.error) as error:
        raise Unstrippable from error


def _jpeg(raw: bytes) -> bytes:
    out, turned = bytearray(b"\xff\xd8"), 1
    body = bytearray()
    for marker, segment in _segments(raw):
        if marker in _APP or marker == _COMMENT:
            if segment[4:].startswith(_EXIF):
                turned = _orientation(segment[4 + len(_EXIF) :])
            kept = _KEPT_SEGMENTS.get(marker)
            if kept is None or not segment[4:].startswith(kept):
                continue
        body += segment
    if turned != 1:
        out += _upright(turned)
    return bytes(out + body + b"\xff\xd9")


def _segments(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, bytes) of all segments between the start and the end of the first image; scans with their data."""
    if raw[:2] != b"\xff\xd8":
        raise Unstrippable
    at = 2
    while True:
        if raw[at] != 0xFF:
            raise Unstrippable
        while raw[at + 1] == 0xFF:
            at += 1
        marker = raw[at + 1]
        if marker == _EOI:
            return
        end = at + 2 + struct.unpack_from(">H", raw, at + 2)[0]
        if marker == _SOS:
            end = _end_of_scan(raw, end)
        if end > len(raw) or marker == _SOI:
            raise Unstrippable
        yield marker, raw[at:end]
        at = end


def _end_of_scan(raw: bytes, at: int) -> int:
    """Where the next marker after a scan's data begins: stuffed bytes and restart markers belong to the data."""
    while True:
        at = raw.find(b"\xff", at)
        if at < 0:
            raise Unstrippable
        following = raw[at + 1]
        if following == 0xFF:
            at += 1
        elif following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        else:
            return at


def _orientation(tiff: bytes) -> int:
    """How the picture is turned (1 to 8); 1 when it cannot be told."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        at = struct.unpack_from(f"{order}I", tiff, 4)[0]
        for n in range(struct.unpack_from(f"{order}H", tiff, at)[0]):
            tag, kind, count = struct.unpack_from(f"{order}HHI", tiff, at + 2 + 12 * n)
            if (tag, kind, count) == (_ORIENTATION, 3, 1):
                turned = int(struct.unpack_from(f"{order}H", tiff, at + 10 + 12 * n)[0])
                return turned if 1 <= turned <= 8 else 1
    except struct.error:
        return 1
    return 1


def _upright(turned: int) -> bytes:
    """An EXIF segment that says how the picture is turned and nothing else."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, turned, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF) + len(tiff)) + _EXIF + tiff


def _png(raw: bytes) -> bytes:
    if not raw.startswith(_PNG_HEAD):
        raise Unstrippable
    out, at = bytearray(_PNG_HEAD), len(_PNG_HEAD)
    while True:
        length, kind = struct.unpack_from(">I4s", raw, at)
        end = at + 12 + length
        if end > len(raw):
            raise Unstrippable
        if kind in _KEPT_CHUNKS:
            out += raw[at:end]
        if kind == b"IEND":
            return bytes(out)
        at = end
