"""A drawing as plain data: marks with whole coordinates, from which a page (SVG), a PDF and a picture are drawn alike.

Lengths are tenths of a millimetre, sizes of type tenths of a point; the origin is at the top left. Text stands with its
middle on ``y``. ``{"width", "height", "alt", "marks": [{"mark": "rect"|"line"|"text"|"dot", …}]}``.
"""

from typing import Any, Final

Drawing = dict[str, Any]
Mark = dict[str, Any]

#: The whole line of a page: 156 mm.
WIDTH: Final = 1560
SHAPES: Final = ("circle", "square", "diamond")


def drawing_of(height: int, alt: str, marks: list[Mark], width: int = WIDTH) -> Drawing:
    """A drawing; ``alt`` says in words what it shows."""
    return {"width": width, "height": height, "alt": alt, "marks": marks}


def rect(x: int, y: int, w: int, h: int, fill: str) -> Mark:
    """A filled rectangle."""
    return {"mark": "rect", "x": x, "y": y, "w": w, "h": h, "fill": fill}


def line(x1: int, y1: int, x2: int, y2: int, stroke: str = "#666666", width: int = 3) -> Mark:
    """A straight line, ``width`` thick."""
    return {"mark": "line", "x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": stroke, "width": width}


def label(x: int, y: int, text: str, *, size: int = 90, anchor: str = "start", fill: str = "#000000") -> Mark:
    """Text that starts at, has its middle at, or ends at ``x``."""
    return {"mark": "text", "x": x, "y": y, "text": text, "size": size, "anchor": anchor, "fill": fill}


def dot(x: int, y: int, r: int, fill: str, shape: str = "circle") -> Mark:
    """A mark on a line; its shape tells lines apart where colours do not."""
    return {"mark": "dot", "x": x, "y": y, "r": r, "fill": fill, "shape": shape}
