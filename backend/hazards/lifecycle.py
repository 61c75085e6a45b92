"""The life cycle of a rectification task as one table: which step leads from where to where, and who may take it.

registered 已登记 → assigned 已交办 → fixing 整改中 → review 待复查 → closed 已销号; void 撤销 for a false alarm or a
double. Overdue 逾期 is computed by whoever reads, never stored. The API, the fold and the documentation read this
table; a further step is one more row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

OPEN_STATES = frozenset({"registered", "assigned", "fixing", "review", "referred"})
STATES = ("registered", "assigned", "fixing", "review", "closed", "referred", "void")

STATE_LABELS: Mapping[str, tuple[str, str]] = {
    "registered": ("已登记", "Registered"),
    "assigned": ("已交办", "Assigned"),
    "fixing": ("整改中", "Being put right"),
    "review": ("待复查", "Waiting for re-inspection"),
    "closed": ("已销号", "Struck off"),
    "referred": ("已移交", "Referred upward"),
    "void": ("撤销", "Void"),
}


@dataclass(frozen=True, slots=True)
class StepKind:
    """A step: the states it may start from, the state it leads to, the permission it needs.

    ``to`` None: the fold decides, as ``leads`` tells. ``needs`` and ``due`` (until when it is taken by default) are
    told to people; what of the needs is checked, and how, says ``refusing``.
    """

    kind: str
    label: tuple[str, str]
    starts: frozenset[str]
    to: str | None
    permission: str
    needs: tuple[str, str]
    due: str = "–"
    leads: tuple[str, str] = ("", "")


def _step(kind: str, zh: str, en: str, starts: str, to: str | None, *told: Any, **more: Any) -> StepKind:
    return StepKind(kind, (zh, en), frozenset(starts.split()), to, f"task.{kind}", *told, **more)


_STAYS = ("状态不变", "where it was")

STEP_KINDS: Mapping[str, StepKind] = {
    step.kind: step
    for step in (
        _step(
            *("assign", "交办", "Assign", "registered assigned", "assigned"),
            ("责任人、措施、期限；重大另需资金、预案", "party, measures, time limit; for red ones funds and plan too"),
            "24h",
        ),
        _step(
            *("accept", "签收", "Accept", "assigned", "fixing"),
            ("签字，或拒签见证；重大须五落实齐全", "signature, or witness of refusal; for red ones all five measures"),
        ),
        _step(
            *("submit", "报整改", "Report as put right", "fixing", "review"),
            ("整改后照片、说明", "photos afterwards, note"),
            "deadline",
        ),
        _step(
            *("close", "复查销号", "Re-inspect and strike off", "review", "closed"),
            ("复查走访、规则要求的证据；非报整改人", "re-visit, the evidence the rules ask for; not who reported it"),
            "3d",
        ),
        _step(
            *("return", "退回", "Return", "review", None),
            ("理由、新期限", "reason, new date"),
            leads=("整改中；无责任人则已登记；重大缺五落实则已交办", "fixing; registered when nobody was assigned"),
        ),
        _step("void", "误报/合并", "False alarm or double", "registered", "void", ("理由、关联编号", "reason, link")),
        _step(
            *("extend", "延期", "Extend", "fixing", None),
            (
                "理由、临时防范措施、到期前的新期限，最多两次",
                "reason, safeguard, new date before expiry; at most twice",
            ),
            leads=_STAYS,
        ),
        _step(
            *("refer", "移交", "Refer upward", "registered assigned fixing review", "referred"),
            ("受文单位、函、隐患材料、回执", "recipient, letter, hazard pack, receipt"),
            "red 24h; orange 3d",
        ),
        _step(
            *("chase", "催办", "Chase", "referred", None),
            ("催办情况", "what was asked and answered"),
            "7d",
            leads=_STAYS,
        ),
        _step("feedback", "反馈", "Feedback", "referred", "review", ("书面结果", "written outcome")),
        _step(
            *("relapse", "回头看反弹", "Found again on re-check", "closed", None),
            ("新照片；原编号，轮次加一", "new photo; same number, next cycle"),
            leads=("整改中；重大缺五落实则已交办或已登记", "fixing; for a red one without all five measures not yet"),
        ),
        _step(
            *("reassign", "移交承办", "Hand over to another", "assigned fixing review referred", None),
            ("新承办人、理由", "the new assignee, reason"),
            leads=_STAYS,
        ),
        _step(
            *("undo", "撤回", "Undo", " ".join(STATES), None),
            ("本人最后一步，15分钟内", "one's own last step, within 15 minutes"),
            leads=("撤回前的状态", "where it was before the step undone"),
        ),
    )
}

#: From this schema version of a step on, what it needs is checked; apps that knew no such need are not held to it.
NEEDS_CHECKED_FROM: Final = 2
UNDO_WITHIN_MS: Final = 15 * 60_000
MOST_EXTENSIONS: Final = 2
CHASE_EVERY_MS: Final = 7 * 86_400_000
#: 五落实: all filled before a red one is being put right.
FIVE_MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "measures": ("措施", "measures"),
    "responsible_party": ("责任", "responsibility"),
    "funds": ("资金", "funds"),
    "deadline_ms": ("时限", "time limit"),
    "plan": ("预案", "plan"),
}

#: What the record of visits does by itself: never more than registering, reopening and proposing.
OBSERVED_LABELS: Mapping[str, tuple[str, str]] = {
    "register": ("发现登记", "Found and registered"),
    "relapse": ("反弹", "Came back"),
    "propose": ("复查未见", "Not seen any more: proposed for striking off"),
}

NOT_APPLIED: Mapping[str, tuple[str, str]] = {
    "step_unknown": ("此步骤类型尚不支持", "This kind of step is not known yet"),
    "hazard_unknown": ("尚无此隐患", "There is no such hazard (yet)"),
    "wrong_state": ("当时的状态不允许此步骤", "The state at that time does not allow this step"),
    "not_permitted": ("角色无权进行此步骤", "The role may not take this step"),
    "submitter_may_not_close": ("报整改人不得复查销号", "Who reported it as put right may not strike it off"),
    "closer_not_permitted": ("须由规定的角色销号", "Another role must strike this off"),
    "revisit_missing": ("须引用一次复查走访", "A re-visit must be cited"),
    "revisit_unknown": ("所引用的走访尚未收到", "The cited re-visit has not arrived (yet)"),
    "revisit_not_absent": ("所引用的走访仍见隐患或未查看", "The cited re-visit did not see the hazard gone"),
    "revisit_earlier": ("所引用的走访早于本次发现", "The cited re-visit is earlier than the finding"),
    "revisit_later": ("所引用的走访晚于销号", "The cited re-visit is later than the step"),
    "contradicted": ("复查之后又有走访见到隐患", "A visit after the re-visit saw the hazard again"),
    "evidence_missing": ("缺少规则要求的证据", "Evidence that the rules ask for is missing"),
    "signature_missing": ("须有签字或拒签见证", "A signature is missing, or a witness of its refusal"),
    "photos_missing": ("须有照片", "Photos are missing"),
    "five_missing": ("重大隐患五落实未齐全", "Not all five measures of a red one are filled"),
    "extender_not_permitted": ("须由街道批准延期", "Another role must approve this extension"),
    "extended_twice": ("已延期两次", "It was extended twice already"),
    "extended_too_late": ("原期限已过，不能延期", "The old date had expired"),
    "extended_to_earlier": ("新期限须晚于原期限", "The new date is not after the old one"),
    "nothing_to_undo": ("所指步骤不是最后一步", "The step named is not the last thing that happened"),
    "not_own_step": ("只能撤回本人的步骤", "Only one's own step can be undone"),
    "undo_too_late": ("已超过撤回时限", "It is too late to undo the step"),
    "undone": ("已由本人撤回", "Its author undid it"),
}
