"""Pictures made ready for paper: turned upright, scaled down, and without anything the camera wrote beside them."""

import io
from typing import Final

from PIL import Image, ImageOps

MOST_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 1200
QUALITY: Final = 82


def for_print(raw: bytes) -> bytes | None:
    """A JPEG of at most 1200 pixels a side, without EXIF (place, time, device); None when it cannot be read."""
    try:
        with Image.open(io.BytesIO(raw), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
