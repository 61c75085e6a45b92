"""The life cycle of a rectification task as one table: which step leads from where to where, and who may take it.

registered 已登记 → assigned 已交办 → fixing 整改中 → review 待复查 → closed 已销号; void 撤销 for a false alarm or a
double. Overdue 逾期 is computed by whoever reads, never stored. The API, the fold and the documentation read this
table; a further step is one more row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

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

    ``to`` None: the fold decides (a return leads to fixing, or to registered when nobody was assigned).
    """

    kind: str
    label: tuple[str, str]
    starts: frozenset[str]
    to: str | None
    permission: str


def _step(kind: str, zh: str, en: str, starts: str, to: str | None, permission: str) -> StepKind:
    return StepKind(kind, (zh, en), frozenset(starts.split()), to, permission)


STEP_KINDS: Mapping[str, StepKind] = {
    step.kind: step
    for step in (
        _step("assign", "交办", "Assign", "registered assigned", "assigned", "task.assign"),
        _step("accept", "签收", "Accept", "assigned", "fixing", "task.accept"),
        _step("submit", "报整改", "Report as put right", "fixing", "review", "task.submit"),
        _step("close", "复查销号", "Re-inspect and strike off", "review", "closed", "task.close"),
        _step("return", "退回", "Return", "review", None, "task.return"),
        _step("void", "误报/合并", "False alarm or double", "registered", "void", "task.void"),
    )
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
}
