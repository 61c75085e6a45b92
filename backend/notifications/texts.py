"""The sentences of notifications: numbers, grades and days, and nothing that names a person or a home."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backend.notifications.escalation import CHASE, DUE, LATE, TEST, WATCH
from backend.rectification.presenting import severity_label
from mobile_contract.rules.definition import Severity

#: kind → (zh, en); "due" that is over already has sentences of its own.
SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    DUE: ("{what}{days} 天后到期，请抓紧处理。", "{what} is due in {days} days."),
    "today": ("{what}今天到期，请抓紧处理。", "{what} is due today."),
    LATE: ("{what}已逾期 {days} 天，请督促整改。", "{what} is {days} days late."),
    WATCH: ("{what}尚未销号，请落实每日盯守。", "{what} is open: watch it today."),
    CHASE: (
        "{what}已移交，距上次联系 {days} 天未见反馈，请催办。",
        "{what} was referred; the recipient last heard of it {days} days ago and has not answered: chase it.",
    ),
    TEST: ("这是一条测试消息，收到即表示通知渠道可用。", "This is a test: the channel works."),
}
HAZARD: Final = ("隐患 {number}（{severity}）", "{number} ({severity})")
#: What is blue is no hazard, and its grade is its name.
GAP: Final = ("{severity} {number} ", "{number} ({severity})")
UNNUMBERED: Final = ("（未编号）", "(without a number)")


def text_of(kind: str, said: Mapping[str, Any]) -> dict[str, str]:
    """A notification's sentence in both languages."""
    days = int(said.get("days", 0))
    if kind == DUE and days <= 0:
        kind = "today" if days == 0 else LATE
    return {
        tongue: SENTENCES[kind][at].format(what=_what(said, tongue, at) if kind != TEST else "", days=abs(days))
        for at, tongue in enumerate(("zh", "en"))
    }


def _what(said: Mapping[str, Any], tongue: str, at: int) -> str:
    grade, shape = said["severity"], GAP if said["severity"] == Severity.BLUE else HAZARD
    return shape[at].format(number=said["number"] or UNNUMBERED[at], severity=severity_label(grade)[tongue])


def message_of(community: str, told: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Subject and body of one message about several things, for readers who must sign in to see more."""
    lines = [f"{n}. {text_of(kind, said)['zh']}" for n, (kind, said) in enumerate(told, 1)]
    subject = f"【{community}】安全隐患提醒（{len(told)}条）"
    return subject, "\n".join([subject, *lines, "详情请登录系统查看。"])
