"""The headers of tus 1.0: what a phone says of an upload and what it is told. https://tus.io/protocols/resumable-upload"""

import base64
import binascii
import hashlib
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from flask import Response, request

from backend.attachments import errors
from backend.attachments.declaring import RECEIVING, REFUSED
from backend.attachments.finishing import RAW_RECORD
from backend.attachments.kinds import MOST_BYTES, PDF, PICTURES
from backend.attachments.models import Upload
from backend.attachments.uploads import Announced
from backend.errors import FieldError
from mobile_contract.sync.fields import is_sha256, is_uuid

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS: Final = ("sha256", "sha1")
CHUNK_TYPE: Final = "application/offset+octet-stream"
#: kind → the types that it may have.
KINDS: Final = {
    "photo": (*PICTURES, PDF),
    "signature": PICTURES,
    RAW_RECORD: ("application/json", "application/octet-stream"),
}
#: What this server can do.
CAPABILITIES: Final = {
    "Tus-Version": VERSION,
    "Tus-Extension": EXTENSIONS,
    "Tus-Max-Size": str(MOST_BYTES),
    "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
}
_METADATA: Final = ("id", "sha256", "mime", "kind")


def require_version() -> None:
    """TusVersionUnknown unless the request speaks the one version there is."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise errors.TusVersionUnknown(tus_version=VERSION)


def whole_number(header: str) -> int:
    """A header's non-negative integer; UploadInvalid."""
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise invalid(header)
    return int(text)


def read_announcement() -> Announced:
    """What POST says in ``Upload-Length`` and ``Upload-Metadata``; UploadInvalid names what is wrong."""
    length = whole_number("Upload-Length")
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    kind, mime = said.get("kind", "photo"), said.get("mime", "")
    if not is_uuid(said.get("id")):
        raise invalid("Upload-Metadata/id")
    if not is_sha256(said.get("sha256")):
        raise invalid("Upload-Metadata/sha256")
    if kind not in KINDS:
        raise invalid("Upload-Metadata/kind")
    if mime not in KINDS[kind]:
        raise errors.AttachmentKindUnknown
    if length == 0:
        raise invalid("Upload-Length")
    return Announced(UUID(said["id"]), kind, mime, bytes.fromhex(said["sha256"]), length)


def check_chunk(chunk: bytes) -> None:
    """ChecksumMismatch when ``Upload-Checksum`` is there and says otherwise; UploadInvalid when it cannot be read."""
    given = request.headers.get("Upload-Checksum")
    if given is None:
        return
    algorithm, _, encoded = given.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise invalid("Upload-Checksum")
    try:
        expected = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise invalid("Upload-Checksum") from error
    if hashlib.new(algorithm, chunk, usedforsecurity=False).digest() != expected:
        raise errors.ChecksumMismatch


def invalid(where: str) -> errors.UploadInvalid:
    """The error for one header."""
    return errors.UploadInvalid(errors=[FieldError(f"/{where}", "invalid")])


def tell(row: Upload, status: int, *, in_full: bool = False, location: str | None = None) -> Response:
    """Where an upload stands, in headers; ``in_full``: with what was announced."""
    answer = Response(status=status)
    answer.headers["Tus-Resumable"] = VERSION
    answer.headers["Upload-Offset"] = str(row.bytes if row.state not in (RECEIVING, REFUSED) else row.received)
    answer.headers["Upload-State"] = row.state
    if row.state == RECEIVING:
        answer.headers["Upload-Expires"] = format_datetime(row.expires_at, usegmt=True)
    if row.state == REFUSED:
        answer.headers["Upload-Code"] = row.code or ""
    if in_full:
        answer.headers["Upload-Length"] = str(row.bytes)
        answer.headers["Upload-Metadata"] = _written(row)
    if location is not None:
        answer.headers["Location"] = location
    return answer


def _metadata(header: str) -> dict[str, str]:
    """Key → text; UploadInvalid for what is no base64 of UTF-8. Keys that nobody knows are ignored."""
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise invalid("Upload-Metadata") from error
    return found


def _written(row: Upload) -> str:
    said = dict(zip(_METADATA, (str(row.id), row.sha256.hex(), row.mime, row.kind), strict=True))
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
