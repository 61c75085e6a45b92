"""What a rule may contain: an immutable model. A rule has one severity and one deadline.

Vocabulary of severities, actions, evidence, closers and departments follows domain: hazard rules and roles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from mobile_contract.forms.definition import Label


class Severity(StrEnum):
    """RED is 疑似重大 until a department confirms it. BLUE is a service gap, kept out of hazard figures."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"


SEVERITY_LABELS = {
    Severity.RED: Label("重大", "Major"),
    Severity.ORANGE: Label("较大", "Considerable"),
    Severity.YELLOW: Label("一般", "Ordinary"),
    Severity.BLUE: Label("服务缺口", "Service gap"),
}

COMMUNITY_ROLES = ("grid_worker", "grid_head", "safety_officer", "committee")
AUTHORITY_ROLES = ("street", "department")
CLOSERS = ("grid_head", "safety_officer", "committee", "street", "department")

ACTIONS = {
    "fix": Label("当场整改", "Fix on the spot"),
    "notice": Label("发整改告知书", "Hand over a notice"),
    "warn": Label("警示封控", "Warn and cordon"),
    "report": Label("报街道", "Report to the street"),
    "refer": Label("移交部门", "Refer to a department"),
    "leave": Label("劝离撤离", "Persuade to leave"),
    "persuade": Label("劝导", "Persuade"),
}
ENFORCEMENT = {
    "penalty": Label("罚款", "Fine"),
    "seal": Label("查封", "Seal"),
    "power_cut": Label("断电", "Cut the power"),
    "eviction": Label("强制撤离", "Evict"),
}
"""Acts of public power. The community has none: only a street or department may be named for them."""

EVIDENCE = {
    "ph": Label("整改前后同角度照片", "Photos before and after from one angle"),
    "rv": Label("现场复查", "Re-visit"),
    "xp": Label("鉴定/部门书面结论", "Written finding of an appraiser or department"),
    "sg": Label("签字确认", "Signature"),
    "plan": Label("建设计划", "Plan"),
    "receipt": Label("票据", "Receipt"),
    "household_left": Label("每户已撤离", "Every household has left"),
}

DEPARTMENTS = {
    "housing": Label("住建", "Housing"),
    "fire": Label("消防救援", "Fire and rescue"),
    "police": Label("公安派出所", "Police"),
    "market": Label("市场监管", "Market supervision"),
    "urban": Label("城管", "Urban management"),
    "civil_affairs": Label("民政", "Civil affairs"),
    "health": Label("卫健", "Health"),
    "gas": Label("燃气", "Gas"),
    "power": Label("供电", "Power supply"),
}

CATEGORIES = {
    "house": Label("房屋安全", "House safety"),
    "ebike": Label("电动车消防", "E-bike fire safety"),
    "window": Label("逃生窗口", "Escape windows"),
    "mixed_use": Label("合用场所", "Mixed-use premises"),
    "shop": Label("门店消防", "Shop fire safety"),
    "gas": Label("燃气安全", "Gas safety"),
    "alarm": Label("报警设施", "Alarms"),
    "other": Label("其他", "Other"),
}
"""Values of the ledger's column 隐患类别."""

DUE = re.compile(r"0|[1-9][0-9]{0,3}h|[1-9][0-9]{0,3}d|[1-9][0-9]{0,3}wd")
AT = re.compile(r"(?P<field>[a-z][a-z0-9_]*)(?: (?P<sign>[+-]) (?P<days>[0-9]{1,4}) days)?")


class BasisMark(StrEnum):
    """VERIFIED: the text was read. UNVERIFIED: never printed as law. DEFAULT: ours, without force."""

    VERIFIED = "V"
    UNVERIFIED = "U"
    DEFAULT = "D"


@dataclass(frozen=True, slots=True)
class Source:
    """What a basis cites. `force`: law | standard | analogue | draft | practice."""

    id: str
    title: Label
    force: str


@dataclass(frozen=True, slots=True)
class Basis:
    """One ground of a rule. `when` narrows a ground that holds only for some of the rule's cases."""

    mark: BasisMark
    text: str
    source: Source | None = None
    when: str | None = None

    @property
    def is_law(self) -> bool:
        """Whether a paper may print this as law."""
        return self.mark is BasisMark.VERIFIED and self.source is not None and self.source.force == "law"


@dataclass(frozen=True, slots=True)
class Action:
    """`by`: community, or the role that alone may do it; `to`: department; `on_repeat`: only from the second
    time.
    """

    do: str
    to: str | None = None
    by: str = "community"
    on_repeat: bool = False
    note: Label | None = None


@dataclass(frozen=True, slots=True)
class At:
    """The day a rule becomes present: a date answer plus `days` (negative: before it)."""

    field: str
    days: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number in a rule's condition that a community may set otherwise: what the answer `field` is compared with.

    The number written in the condition is the default; `thresholds.default_of` reads it.
    """

    field: str
    label: Label
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Rule:
    """`due`: "0" today, "24h" hours, "7d" calendar days, "5wd" working days. `when` may be absent only where `at` is
    given.

    Rules of one `group` that are present at one locus are one hazard: highest severity, earliest deadline.
    `hidden_unknown`: a hidden field counts as missing for this rule instead of not applicable.
    """

    code: str
    title: Label
    severity: Severity
    when: str | None
    due: str
    actions: tuple[Action, ...]
    evidence: tuple[str, ...]
    closers: tuple[str, ...]
    basis: tuple[Basis, ...]
    group: str | None = None
    at: At | None = None
    hidden_unknown: bool = False
    due_note: Label | None = None
    parameters: tuple[Parameter, ...] = ()

    @property
    def chain(self) -> str:
        """What the identity of its hazard is made of."""
        return self.group or self.code

    @property
    def is_hazard(self) -> bool:
        return self.severity is not Severity.BLUE


@dataclass(frozen=True, eq=False)
class RuleSet:
    """The rules of one form, in ledger order. `form_versions`: the versions of the form they can judge."""

    form: str
    version: int
    form_versions: tuple[int, ...]
    category: str
    rules: tuple[Rule, ...]

    @cached_property
    def by_code(self) -> Mapping[str, Rule]:
        return {rule.code: rule for rule in self.rules}

    @cached_property
    def chains(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules by the hazard they make, each chain in rule order."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            found[rule.chain] = (*found.get(rule.chain, ()), rule)
        return found
