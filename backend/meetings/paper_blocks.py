"""The blocks a paper's content consists of: plain JSON, from which every output is made.

A block is ``{"type": "heading"|"paragraph"|"table"|"note"|"chart", …}``; a number is always
``{"figure": key, "value": n}``, so any reader can reach the rows behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from backend.documents.drawing import Drawing
from backend.meetings.data_state import DataState
from backend.meetings.figures import Figure
from backend.meetings.grid_figures import GridLine
from backend.meetings.labels import Labels
from backend.meetings.listing import HazardEntry
from backend.meetings.outlook import Outlook
from backend.meetings.periods import Period
from backend.meetings.receipts import figure_label
from backend.meetings.sentences import WORDS, Part, Words, say

Block = dict[str, Any]
Cell = str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a paper says, before it is put into words.

    ``trend``: the periods before it, oldest first, with their figures. ``is_first``: nothing was done before it.
    ``ledger``: how many lines the attached ledger has, and their seal.
    """

    community: str
    period: Period
    cutoff_ms: int
    values: Mapping[str, int]
    before: Mapping[str, int]
    labels: Labels
    figures: Sequence[Figure]
    data: DataState
    ledger: Mapping[str, Any]
    outlook: Outlook = field(default_factory=Outlook)
    trend: Sequence[tuple[Period, Mapping[str, int]]] = ()
    grids: Sequence[GridLine] = ()
    is_first: bool = False
    major: Sequence[HazardEntry] = ()
    overdue: Sequence[HazardEntry] = ()
    corrections: Sequence[dict[str, Any]] = ()
    reconciliation: dict[str, Any] | None = None

    @property
    def words(self) -> Words:
        return WORDS[self.period.kind]

    def label(self, key: str) -> str:
        """``新增隐患（电动车违规充电·重大）`` for ``new.ebike_charging.red``."""
        return figure_label(self.figures, self.labels, key)

    def number(self, key: str) -> Cell:
        """A linked number; plain ``0`` where no row made the figure, for it has no receipts to link to."""
        return {"figure": key, "value": self.values[key]} if key in self.values else "0"


def paragraph(parts: list[Part]) -> Block:
    return {"type": "paragraph", "parts": parts}


def note(text: str) -> Block:
    return {"type": "note", "parts": [text]}


def heading(text: str) -> Block:
    return {"type": "heading", "text": text}


def table(caption: str, head: list[str], rows: list[list[Cell]], *, widths: list[int] | None = None) -> Block:
    return {"type": "table", "caption": caption, "head": head, "rows": rows, "widths": widths}


def chart(caption: str, drawn: Drawing) -> Block:
    return {"type": "chart", "caption": caption, "drawing": drawn}


def cut_short(found: Findings, key: str, shown: int) -> list[Block]:
    """Says so when a list does not hold all its rows."""
    if found.values.get(key, 0) <= shown:
        return []
    said = say("（仅列前{shown}处，全部{" + key + "}处见台账。）", found.values, shown=str(shown))
    return [{"type": "note", "parts": said}]


def chinese_date(day: date) -> str:
    """``2026年1月9日``, without leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"


def short_day(day: date) -> str:
    """``1月9日``."""
    return f"{day.month}月{day.day}日"
