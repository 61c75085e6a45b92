"""Photos for a demonstration: drawn, of nobody's door."""

import io

from PIL import Image, ImageDraw


def drawn_photo(number: int) -> bytes:
    """A JPEG of a stairwell as a child would draw it; another for each number."""
    picture = Image.new("RGB", (320, 240), (214, 214, 206))
    drawing = ImageDraw.Draw(picture)
    for step in range(6):
        drawing.rectangle((20 + 40 * step, 200 - 25 * step, 300, 225), fill=(150 + 10 * step,) * 3)
    drawing.text((8, 8), f"demo {number}", fill=(40, 40, 40))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
