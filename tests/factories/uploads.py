"""Files of tests and a phone's way to bring them: tus by hand, so that every header can be wrong."""

import base64
import hashlib
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from PIL import Image
from sqlalchemy import select, update

from backend.attachments.models import Upload
from tests.factories.phones import Phone

CAMERA = "canary-camera"


def photo(shade: int = 120, size: tuple[int, int] = (64, 48), mime: str = "JPEG", orientation: int = 1) -> bytes:
    """A picture with everything a camera writes beside it: device, time, place, a comment."""
    picture = Image.new("RGB", size, (shade % 256, 160, 90))
    picture.putpixel((3, 5), (255, 0, (shade // 256) % 256))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = CAMERA, orientation
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 09:30:00"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(out, mime, exif=exif, **({"comment": CAMERA.encode()} if mime == "JPEG" else {}))
    return out.getvalue()


def metadata(**said: str) -> str:
    """An ``Upload-Metadata`` header."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def declared(raw: bytes, attachment_id: UUID | None = None, mime: str = "image/jpeg") -> dict[str, Any]:
    """An attachment as a record declares it."""
    return {
        "id": str(attachment_id or uuid4()),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "mime": mime,
    }


class Uploading:
    """One phone's uploads over the test client."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        """A tus request; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        content = {"Content-Type": "application/offset+octet-stream"} if body or method == "PATCH" else {}
        every = {**self.phone.headers, "Tus-Resumable": "1.0.0", **content, **named}
        return self.phone.client.open(path, method=method, data=body, headers=every)

    def announce(self, attachment: dict[str, Any], body: bytes = b"", kind: str = "photo", **headers: str) -> Any:
        """POST, as the record declares it."""
        said = metadata(id=attachment["id"], sha256=attachment["sha256"], mime=attachment["mime"], kind=kind)
        given = {"Upload_Length": str(attachment["bytes"]), "Upload_Metadata": said, **headers}
        return self.call("POST", "/sync/v1/files", body, **given)

    def append(self, attachment_id: str, offset: int, body: bytes, **headers: str) -> Any:
        return self.call("PATCH", f"/sync/v1/files/{attachment_id}", body, Upload_Offset=str(offset), **headers)

    def head(self, attachment_id: str) -> Any:
        return self.call("HEAD", f"/sync/v1/files/{attachment_id}")

    def bring(self, raw: bytes, mime: str = "image/jpeg", kind: str = "photo") -> dict[str, Any]:
        """A whole file in one request after its announcement; how it was declared."""
        attachment = declared(raw, mime=mime)
        assert self.announce(attachment, kind=kind).status_code == 201
        answer = self.append(attachment["id"], 0, raw)
        assert answer.status_code == 204, answer.get_data(as_text=True)
        return attachment


def expire(world: Any, attachment_id: str) -> None:
    """Let an upload's time be over."""
    with world.db.transaction([world.community_id]) as session:
        session.execute(update(Upload).where(Upload.id == UUID(attachment_id)).values(expires_at="2020-01-01"))


def uploads(world: Any) -> Iterator[Upload]:
    """All uploads of the community."""
    with world.db.transaction([world.community_id]) as session:
        yield from session.scalars(select(Upload).where(Upload.community_id == world.community_id))
