"""What the worker does with a new file: looks whether it can be drawn, notes what the camera said, makes it small."""

import io
import warnings
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from PIL import Image, ImageOps
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.attachments.file_store import FileStore, content_name, thumbnail_name
from backend.attachments.kinds import MOST_PIXELS, PICTURES
from backend.attachments.models import Attachment
from backend.attachments.service import NS_ATTACHMENT, open_under_key, seal_under_key
from backend.http.context import Runtime

LONGEST_SIDE: Final = 480
QUALITY: Final = 80
_TAKEN: Final = 0x9003
_EXIF_IFD: Final = 0x8769


def thumbnail_id(file_id: UUID) -> UUID:
    """The id under which the small picture of a file is sealed."""
    return uuid5(NS_ATTACHMENT, f"{file_id}|thumbnail")


def examine(session: Session, runtime: Runtime, community_id: UUID, file_ids: Sequence[str]) -> None:
    """Examine files; one that was erased meanwhile is passed over. Again is harmless. Unavailable: again later."""
    for file_id in map(UUID, file_ids):
        row = session.scalars(
            select(Attachment).where(Attachment.community_id == community_id, Attachment.id == file_id)
        ).one_or_none()
        if row is None:
            continue
        sealed = runtime.part(FileStore).find(content_name(community_id, row.sha256))
        raw = open_under_key(session, runtime, community_id, file_id, sealed)
        found = {} if raw is None else _look(row.mime, raw)
        small = found.pop("small", None)
        if small is not None:
            own = seal_under_key(session, runtime, community_id, thumbnail_id(file_id), small)
            runtime.part(FileStore).put(thumbnail_name(community_id, file_id), own)
        session.execute(
            update(Attachment)
            .where(Attachment.community_id == community_id, Attachment.id == file_id)
            .values(examined_at=func.now(), **found)
        )


def find_thumbnail(session: Session, runtime: Runtime, community_id: UUID, file_id: UUID) -> bytes | None:
    """The small picture, a JPEG without metadata; None while it is not made, or there is none."""
    sealed = runtime.part(FileStore).find(thumbnail_name(community_id, file_id))
    return open_under_key(session, runtime, community_id, thumbnail_id(file_id), sealed)


def _look(mime: str, raw: bytes) -> dict[str, Any]:
    if mime not in PICTURES:
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=("JPEG", "PNG")) as picture:
                return _examined(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        # Evidence is kept as it came; that it cannot be drawn is said.
        return {"damaged": True}


def _examined(picture: Image.Image) -> dict[str, Any]:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        return {"damaged": True}
    taken = picture.getexif().get_ifd(_EXIF_IFD).get(_TAKEN)
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    small = ImageOps.exif_transpose(picture).convert("RGB")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    said = taken[:32] if isinstance(taken, str) and taken.isprintable() and taken.isascii() else None
    return {"width": width, "height": height, "taken_at": said, "damaged": False, "small": out.getvalue()}
