"""What a file is, by its own bytes and never by its name; and which files are refused for what they are."""

import io
import warnings
from typing import Final

from PIL import Image

from backend.attachments.errors import AttachmentKindUnknown, ImageTooLarge

#: Of one file.
MOST_BYTES: Final = 20 * 1024 * 1024
#: Phones' cameras go to 200 million; what is drawn whole for a thumbnail must fit into the worker's memory.
MOST_PIXELS: Final = 60_000_000
PICTURES: Final = ("image/jpeg", "image/png")
PDF: Final = "application/pdf"
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", PDF),
)
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


def kind_of(raw: bytes) -> str:
    """The MIME type by magic bytes, and of a picture by its header. AttachmentKindUnknown, ImageTooLarge.

    Only the header is read: a picture of ten kilobytes may claim to be as large as a field.
    """
    mime = next((mime for magic, mime in _MAGIC if raw.startswith(magic)), None)
    if mime is None:
        raise AttachmentKindUnknown
    if mime in PICTURES:
        width, height = _size_of(raw, _FORMATS[mime])
        if width * height > MOST_PIXELS:
            raise ImageTooLarge
    return mime


def _size_of(raw: bytes, kind: str) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            # Large is judged here, by our own measure.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=(kind,)) as picture:
                return picture.size
    except Image.DecompressionBombError as error:
        raise ImageTooLarge from error
    except (OSError, ValueError, SyntaxError) as error:
        raise AttachmentKindUnknown from error
