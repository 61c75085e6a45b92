"""The sentences of a paper. A template names figures by key; what comes out is text and numbers that know their key.

Source: domain, meeting paper. “完成率” is never rounded up to 100: a door that was not reached must show.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")

Part = str | dict[str, Any]


class Words(NamedTuple):
    """How a kind of paper speaks of itself, its period, the one before and the one after."""

    title: str
    this: str
    last: str
    next: str


WORDS: Final = {
    "weekly": Words("周报", "本周", "上周", "下周"),
    "monthly": Words("月报", "本月", "上月", "下月"),
    "annual": Words("年报", "本年", "上年", "下年"),
}

COVERAGE: Final = (
    "{this}共排查{completed.building}栋{completed.household}户、场所{completed.premises}家，"
    "完成率{rate}，未见面{not_met.household}户。"
)
HAZARDS: Final = (
    "新增隐患{new}处，其中重大{new.red}处；整改销号{closed}处，逾期{overdue}处，移交{referred}处；"
    "期末未销号{open_end}处。"
)
IDENTITY: Final = (
    "期初未销号{open_start}处 + 新增{new}处 + 反弹{rebound}处 − 销号{closed}处 − 撤销{void}处"
    " = 期末未销号{open_end}处（移交的在销号前仍计入未销号）。"
)
GAPS: Final = "服务缺口不计入隐患：新增{gap_new}处，解决{gap_closed}处，期末{gap_open_end}处。"
ON_TIME: Final = (
    "走访{visits}次，待核{unverified}项。完成率为完成数与登记数之比（{completed}／{registered}），无人应答不算完成。"
)


def say(template: str, values: Mapping[str, int], **words: str) -> list[Part]:
    """``template`` with ``{word}`` put in as text and ``{figure.key}`` as ``{"figure": key, "value": n}``."""
    parts: list[Part] = []
    for index, piece in enumerate(_PLACEHOLDER.split(template)):
        said: Part = piece
        if index % 2:
            known = {"figure": piece, "value": values[piece]} if piece in values else "0"
            said = words.get(piece, known)
        if isinstance(said, str) and parts and isinstance(parts[-1], str):
            parts[-1] += said
        elif said != "":
            parts.append(said)
    return parts


def plain(parts: list[Part]) -> str:
    """The sentence as text; a cell may hold a sentence of its own."""
    return "".join(
        part if isinstance(part, str) else plain(part["parts"]) if "parts" in part else str(part["value"])
        for part in parts
    )


def rate(part: int, whole: int) -> str:
    """``part`` of ``whole`` in percent with at most one decimal, rounded down; ``—`` when there is no whole."""
    if whole <= 0:
        return "—"
    tenths = part * 1000 // whole
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}%"


def compared(now: int, before: int, last: str) -> str:
    """``较上周增加3处（25%）``, ``较上周减少…``, ``与上周持平``; no percentage on a zero base."""
    if now == before:
        return f"与{last}持平"
    difference = abs(now - before)
    said = f"较{last}{'增加' if now > before else '减少'}{difference}处"
    if before == 0:
        return said
    tenths = (difference * 2000 + before) // (2 * before)
    percent = f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
    return f"{said}（{percent}%）"
