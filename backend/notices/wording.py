"""What notices say. A community informs, persuades and reports: its words threaten with nothing.

Source: domain, notices. All sentences here are drafts of ours; only verified articles are printed as law.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backend import clock
from backend.documents import blocks as page
from backend.documents.blocks import Block


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """``series`` is its numbering's; ``title`` as printed."""

    kind: str
    series: str
    title: str
    label: tuple[str, str]


KINDS: Final[Mapping[str, NoticeKind]] = {
    kind.kind: kind
    for kind in (
        NoticeKind("rectification", "ZG", "隐患整改告知书", ("隐患整改告知书", "Notice to put hazards right")),
        NoticeKind("evacuation", "QL", "危房劝离通知书", ("危房劝离通知书", "Notice to leave a dangerous house")),
    )
}
MODES: Final[Mapping[str, tuple[str, str]]] = {
    "onsite": ("当面送达", "Handed over"),
    "phone": ("电话告知", "Told by telephone"),
    "sms": ("短信", "Text message"),
    "sticker": ("门上贴条", "Posted on the door"),
    "registered": ("挂号信", "Registered letter"),
}
RESULTS: Final[Mapping[str, tuple[str, str]]] = {
    "signed": ("签收", "Signed for"),
    "refused": ("拒签（见证）", "Refused, witnessed"),
    "delivered": ("已送达", "Delivered"),
}
#: Which results a mode may have: only who stands before somebody can sign or refuse.
RESULTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "onsite": ("signed", "refused"),
    "phone": ("delivered",),
    "sms": ("delivered",),
    "sticker": ("delivered",),
    "registered": ("delivered", "signed"),
}
COPIES: Final = ("第一联：交当事人", "第二联：社区存档")
CONSEQUENCE: Final = "逾期未整改的，我社区将报告有关部门依法处理。"
INTERIM: Final = "落实专人看护，清理周边可燃物，保持疏散通道畅通"
REQUIREMENT: Final = "消除上述隐患并保持"
TWO_COPIES: Final = "本告知书一式两份，一份交当事人，一份由社区存档。"

#: Acts of public power, in the words people use for them. None of them is the community's to announce.
_POWER: Final = re.compile(
    r"罚款|罚金|罚没|处罚|处以罚|拘留|查封|封门|贴封条|停业整顿|吊销"
    r"|断电|停电|拉闸|断水|停水|断气|停气"
    r"|强制(?!认证)|强拆|强行|没收|扣押|法律责任|后果自负|追究"
)


def words_of_power(texts: Iterable[str]) -> list[str]:
    """Words in ``texts`` that announce what a community may not do; empty when there are none."""
    return sorted({match for text in texts for match in _POWER.findall(text)})


def day_text(at_ms: int) -> str:
    """``2026年1月9日``."""
    day = clock.local_day(at_ms)
    return f"{day.year}年{day.month}月{day.day}日"


def moment_text(at_ms: int) -> str:
    """``2026年1月9日18时00分``."""
    time = (clock.iso(at_ms) or "")[11:16]
    return f"{day_text(at_ms)}{time[:2]}时{time[3:]}分"


def rectification_blocks(content: Mapping[str, Any]) -> list[Block]:
    """隐患整改告知书 out of what was decided: everything printed, in order."""
    blocks = [
        *_head(content),
        page.paragraph(
            f"{content['inspected_on']}，{'、'.join(content['inspectors'])}到场检查。"
            f"经查，你户（单位）位于{content['address']}存在以下安全隐患："
        ),
    ]
    shown = 0
    for n, hazard in enumerate(content["hazards"], 1):
        details = [f"台账编号：{hazard['number']}"] if hazard["number"] else []
        details += [f"依据：{'；'.join(hazard['law'])}"] if hazard["law"] else []
        blocks.append(page.item(f"{n}．{hazard['place']}：{hazard['title']}", *details))
        if hazard["photos"]:
            captions = [f"隐患{n} 照片{i}" for i in range(1, len(hazard["photos"]) + 1)]
            pairs = zip(hazard["photos"], captions, strict=True)
            blocks.append(page.photos({"sha256": sha256, "caption": caption} for sha256, caption in pairs))
            shown += len(hazard["photos"])
    return [
        *blocks,
        page.paragraph(f"请于{day_text(content['deadline_ms'])}前{content['requirement']}。"),
        page.paragraph(f"整改期间请落实以下临时防范措施：{content['interim']}。"),
        page.paragraph(CONSEQUENCE),
        page.paragraph(f"联系人及电话：{content['contact']}"),
        *_tail(content, TWO_COPIES),
        page.fields(_receipt()),
    ]


def evacuation_blocks(content: Mapping[str, Any]) -> list[Block]:
    """危房劝离通知书 out of the appraisal and the households it concerns."""
    houses = [
        f"{n}．{household['name']}（{household['persons']}人）" for n, household in enumerate(content["households"], 1)
    ]
    persons = sum(household["persons"] for household in content["households"])
    return [
        *_head(content),
        page.paragraph(f"房屋编码：{content['house_code']}；地址：{content['address']}；产权人：{content['owner']}。"),
        page.paragraph(
            f"经{content['appraiser']}鉴定（报告编号{content['report_no']}，{content['reported_on']}），"
            f"该房屋危险性等级为{content['grade']}级，继续使用存在安全风险。主要危险部位：{content['danger_parts']}。"
        ),
        page.paragraph(
            f"为保障生命安全，请立即停止使用，并于{moment_text(content['deadline_ms'])}前撤离。"
            "危险解除并经确认前，请勿返回居住。"
        ),
        page.paragraph(f"本通知涉及{len(houses)}户{persons}人：{'；'.join(houses)}。"),
        page.paragraph(f"安置方式：{content['resettlement']}。如需临时安置，请联系{content['contact']}。"),
        page.paragraph(f"老弱病残孕及行动不便人员的帮助：{content['help']}。"),
        page.paragraph(f"水电气及财物：{content['utilities']}。"),
        *_tail(content, TWO_COPIES.replace("告知书", "通知书")),
        *(page.fields(_receipt(household["name"])) for household in content["households"]),
    ]


def _head(content: Mapping[str, Any]) -> list[Block]:
    title = KINDS[content["kind"]].title
    found = [page.title(title), page.number(content["number"]), page.addressee(f"{content['addressee']}：")]
    if content["replaced_number"]:
        found.append(page.paragraph(f"本通知更正并替代{content['replaced_number']}{title}。"))
    return found


def _tail(content: Mapping[str, Any], copies: str) -> list[Block]:
    seals = [f"{issuer}（盖章）" for issuer in content["issuers"]]
    return [page.signature(*seals, day_text(content["issued_ms"])), page.note(copies)]


def _receipt(household: str | None = None) -> list[tuple[str, str]]:
    modes = "　".join(f"□{zh}" for zh, _ in MODES.values())
    named: Sequence[tuple[str, str]] = [] if household is None else [("住户", household)]
    return [
        *named,
        ("送达方式", modes),
        ("签收人", ""),
        ("与当事人关系", ""),
        ("签收时间", "　　　　年　　月　　日　　时　　分"),
        ("拒签及见证人", "□拒签　　见证人："),
        ("送达人", ""),
    ]
