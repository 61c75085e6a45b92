"""The charts of a paper, out of its figures. Labels on every mark; colours that the colour-blind tell apart, and shades
that a black-and-white printer does.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from backend.documents.drawing import SHAPES, WIDTH, Drawing, Mark, dot, drawing_of, label, line, rect

#: Okabe and Ito's palette, dark to light in the order of severity.
SEVERITY_FILL: Final = {"red": "#b3400a", "orange": "#e69f00", "yellow": "#f5e663"}
SEVERITY_INK: Final = {"red": "#ffffff", "orange": "#000000", "yellow": "#000000"}
SERIES_INK: Final = ("#0072b2", "#b3400a", "#00805c")
BAR, GREY, AXIS = "#4c8fc0", "#dedede", "#666666"
ROW: Final = 84
LEFT: Final = 430
MOST_ROWS: Final = 20
#: Labels are cut to what fits beside the bars.
MOST_CHARACTERS: Final = 12


class Share(NamedTuple):
    """``part`` of ``whole`` of something named."""

    name: str
    part: int
    whole: int


class Series(NamedTuple):
    """A named line over the same periods."""

    name: str
    values: Sequence[int]


def shortened(name: str) -> str:
    """A name that fits beside a bar."""
    return name if len(name) <= MOST_CHARACTERS else f"{name[: MOST_CHARACTERS - 1]}…"


def by_severity(caption: str, rows: Sequence[tuple[str, dict[str, int]]], names: dict[str, str]) -> Drawing:
    """Stacked bars: a row a form, a piece a severity, the number on each piece and the sum at the end."""
    shown = rows[:MOST_ROWS]
    most = max((sum(values.values()) for _, values in shown), default=0) or 1
    room = WIDTH - LEFT - 120
    marks: list[Mark] = _legend([(names[s], SEVERITY_FILL[s]) for s in SEVERITY_FILL])
    for n, (name, values) in enumerate(shown):
        y, x = 70 + n * ROW, LEFT
        marks.append(label(LEFT - 20, y + 27, shortened(name), anchor="end"))
        for severity, fill in SEVERITY_FILL.items():
            value = values.get(severity, 0)
            width = value * room // most
            if not value:
                continue
            marks.append(rect(x, y, max(width - 3, 3), 54, fill))
            if width >= 44:
                marks.append(
                    label(x + width // 2, y + 27, str(value), size=80, anchor="middle", fill=SEVERITY_INK[severity])
                )
            x += max(width, 6)
        marks.append(label(x + 14, y + 27, str(sum(values.values()))))
    height = 70 + len(shown) * ROW
    marks.append(line(LEFT - 4, 62, LEFT - 4, height - 16, AXIS))
    said = "；".join(
        f"{name}{'、'.join(f'{names[s]}{values.get(s, 0)}' for s in SEVERITY_FILL)}" for name, values in shown
    )
    return drawing_of(height, f"{caption}：{said}", marks)


def by_share(caption: str, rows: Sequence[Share], rates: Sequence[str]) -> Drawing:
    """Bars out of a whole: a row a grid, the rate and both numbers at the end."""
    shown = rows[:MOST_ROWS]
    room = WIDTH - LEFT - 380
    marks: list[Mark] = []
    for n, (row, rate) in enumerate(zip(shown, rates, strict=False)):
        y = 20 + n * ROW
        marks += [
            label(LEFT - 20, y + 27, shortened(row.name), anchor="end"),
            rect(LEFT, y, room, 54, GREY),
        ]
        if row.part:
            marks.append(rect(LEFT, y, max(min(row.part, row.whole) * room // max(row.whole, 1), 3), 54, BAR))
        marks.append(label(LEFT + room + 20, y + 27, f"{rate}（{row.part}／{row.whole}）"))
    height = 20 + len(shown) * ROW
    marks.append(line(LEFT - 4, 12, LEFT - 4, height - 16, AXIS))
    said = "；".join(f"{row.name}{rate}（{row.part}／{row.whole}）" for row, rate in zip(shown, rates, strict=False))
    return drawing_of(height, f"{caption}：{said}", marks)


def trend(caption: str, periods: Sequence[str], lines: Sequence[Series]) -> Drawing:
    """Lines over periods, each with marks of its own shape and the number at every point."""
    top, bottom, left, right = 110, 520, 170, WIDTH - 170
    most = max((value for series in lines for value in series.values), default=0) or 1
    xs = [left + n * (right - left) // max(len(periods) - 1, 1) for n in range(len(periods))]
    marks: list[Mark] = [line(left - 60, bottom + 14, right + 60, bottom + 14, AXIS)]
    above = [_ranks([series.values[n] for series in lines]) for n in range(len(periods))]
    for at, (series, ink, shape) in enumerate(zip(lines, SERIES_INK, SHAPES, strict=False)):
        ys = [bottom - value * (bottom - top) // most for value in series.values]
        points = list(zip(xs, ys, strict=True))
        marks += [line(*a, *b, ink, 5) for a, b in pairwise(points)]
        for (x, y), value, ranks in zip(points, series.values, above, strict=True):
            marks.append(dot(x, y, 13, ink, shape))
            marks.append(label(*_beside(x, y, ranks[at]), str(value), size=85, anchor="middle", fill=ink))
        marks += [
            dot(left + at * 380, 30, 13, ink, shape),
            label(left + 30 + at * 380, 30, series.name, fill=ink),
        ]
    marks += [label(x, bottom + 52, period, size=85, anchor="middle") for x, period in zip(xs, periods, strict=True)]
    said = "；".join(f"{series.name}{'、'.join(map(str, series.values))}" for series in lines)
    return drawing_of(bottom + 90, f"{caption}（{'、'.join(periods)}）：{said}", marks)


def _ranks(values: Sequence[int]) -> list[int]:
    """0 for the highest value of a period, 1 for the next, and so on; equal ones in the order of the lines."""
    order = sorted(range(len(values)), key=lambda n: -values[n])
    return [order.index(n) for n in range(len(values))]


def _beside(x: int, y: int, rank: int) -> tuple[int, int]:
    """Where the number of a point stands: above the highest, below the next, right of the lowest."""
    return ((x, y - 34), (x, y + 34), (x + 50, y - 20))[rank]


def _legend(entries: Sequence[tuple[str, str]]) -> list[Mark]:
    marks: list[Mark] = []
    for n, (name, fill) in enumerate(entries):
        x = LEFT + n * 260
        marks += [rect(x, 10, 34, 34, fill), label(x + 48, 27, name)]
    return marks
