"""The sentences of notifications: numbers, grades and days, and nothing that names a person or a home."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.notifications.escalation import CHASE, DUE, LATE, TEST, WATCH
from backend.rectification.presenting import severity_label

#: kind → (zh, en); "due" that is over already has sentences of its own.
SENTENCES: Mapping[str, tuple[str, str]] = {
    DUE: (
        "隐患 {number}（{severity}）{days} 天后到期，请抓紧整改。",
        "{number} ({severity}) is due in {days} days.",
    ),
    "today": ("隐患 {number}（{severity}）今天到期，请抓紧整改。", "{number} ({severity}) is due today."),
    LATE: ("隐患 {number}（{severity}）已逾期 {days} 天，请督促整改。", "{number} ({severity}) is {days} days late."),
    WATCH: (
        "{severity}隐患 {number} 尚未销号，请落实每日盯守。",
        "{number} ({severity}) is open: watch it today.",
    ),
    CHASE: (
        "隐患 {number}（{severity}）移交后 {days} 天未见反馈，请催办。",
        "{number} ({severity}) was referred {days} days ago and there is no answer: chase it.",
    ),
    TEST: ("这是一条测试消息，收到即表示通知渠道可用。", "This is a test: the channel works."),
}
UNNUMBERED = ("（未编号）", "(without a number)")


def text_of(kind: str, said: Mapping[str, Any]) -> dict[str, str]:
    """A notification's sentence in both languages."""
    days = int(said.get("days", 0))
    if kind == DUE and days <= 0:
        kind = "today" if days == 0 else LATE
    severity = severity_label(said["severity"]) if "severity" in said else {"zh": "", "en": ""}
    zh, en = SENTENCES[kind]
    number = said.get("number")
    return {
        "zh": zh.format(number=number or UNNUMBERED[0], severity=severity["zh"], days=abs(days)),
        "en": en.format(number=number or UNNUMBERED[1], severity=severity["en"], days=abs(days)),
    }


def message_of(community: str, told: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, str]:
    """Subject and body of one message about several things, for readers who must sign in to see more."""
    lines = [f"{n}. {text_of(kind, said)['zh']}" for n, (kind, said) in enumerate(told, 1)]
    subject = f"【{community}】安全隐患提醒（{len(told)}条）"
    return subject, "\n".join([subject, *lines, "详情请登录系统查看。"])
