"""A hazard while its chain is walked: the looks at it, what it has become, the changes that led there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from backend.calendar.working_days import WorkingDays
from backend.hazards.facts import Finding, StepFact
from backend.hazards.lifecycle import FIVE_MEASURES, OPEN_STATES
from backend.hazards.observing import gravity
from mobile_contract.rules import Rule
from mobile_contract.sync.ordering import OrderKey

MayTake = Callable[[str | None, str], bool]
"""(role, permission) → whether that role may."""
MayClose = Callable[[str | None, Sequence[str]], bool]
"""(role, the rule's closers) → whether that role may strike off."""
MayExtend = Callable[[str | None, str], bool]
"""(role, severity) → whether that role may move the date."""


@dataclass(frozen=True, slots=True)
class Powers:
    """Who may do what, as the access rules say, and which days are worked (kept out of the fold so that it stays
    pure)."""

    may_take: MayTake
    may_close: MayClose
    may_extend: MayExtend
    calendar: WorkingDays = field(default_factory=WorkingDays)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look's finding on one chain, in order. ``virtual``: the day of a dated rule came, nobody was there.

    ``evidence`` is the key of what was really seen: a reassessment judges old answers anew, at its own key.
    """

    key: OrderKey
    evidence: OrderKey
    visit_id: str
    author_id: str
    finding: Finding
    form: str
    rule_version: int
    virtual: bool = False

    def with_finding(self, finding: Finding) -> "Sighting":
        return replace(self, finding=finding)

    def on_day(self, key: OrderKey, finding: Finding) -> "Sighting":
        """What this look led to expect, on the day it came true."""
        return replace(self, key=key, evidence=key, finding=finding, virtual=True)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state. ``cause`` is ``visit`` or ``step``."""

    cycle: int
    step: str
    from_state: str | None
    to_state: str
    effective_ms: int
    severity: str
    cause: str
    cause_id: str
    actor_id: str | None


_NEVER = OrderKey(-1, "", 0, "")


@dataclass(slots=True)
class HazardState:
    """A chain after the walk: the open or last cycle, and all changes that led there.

    ``seen_severity`` is the gravest seen in the cycle; ``begun``, ``review_since`` and ``ended`` are the order keys of
    what began the cycle, put it into review and ended it. ``proven`` are the kinds of evidence brought so far;
    ``chased_ms`` is when the recipient of a referral was last written to. ``before_last`` is what it was before
    ``last_step``, as long as nothing was seen since.
    """

    chain: str
    locus: str
    calendar: WorkingDays
    form: str = ""
    state: str = ""
    cycle: int = 0
    severity: str = "yellow"
    seen_severity: str = "yellow"
    deadline_ms: int = 0
    strict_ms: int = 0
    deadline_fixed: bool = False
    registered_ms: int = 0
    last_present_ms: int = 0
    closed_ms: int | None = None
    rules: dict[str, Rule] = field(default_factory=dict)
    rule_version: int = 0
    contradicted: bool = False
    void_reason: str | None = None
    duplicate_of: str | None = None
    assign_step: StepFact | None = None
    assignee_id: str | None = None
    extensions: int = 0
    proven: frozenset[str] = frozenset()
    referred_ms: int | None = None
    chased_ms: int | None = None
    submitter_id: str | None = None
    revisit_id: str | None = None
    begun: OrderKey = _NEVER
    review_since: OrderKey = _NEVER
    ended: OrderKey = _NEVER
    changes: list[Change] = field(default_factory=list)
    not_applied: dict[str, str] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    last_step: StepFact | None = None
    before_last: "HazardState | None" = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def severity_proposed(self) -> str | None:
        """What was seen graver than the assigner wrote: a flagged proposal, never more."""
        is_graver = gravity(self.seen_severity) > gravity(self.severity)
        return self.seen_severity if self.assign_step is not None and is_graver else None

    @property
    def closers(self) -> tuple[str, ...]:
        """Who may strike it off: the closers of the gravest rule that fired in this cycle."""
        gravest = max(self.rules.values(), key=lambda rule: (gravity(rule.severity), rule.code))
        return gravest.closers

    @property
    def five_filled(self) -> bool:
        """Whether the assignment says all of 五落实."""
        said = self.assign_step.body if self.assign_step is not None else {}
        return all(str(said.get(name) or "").strip() for name in FIVE_MEASURES)

    @property
    def unfinished(self) -> str:
        """The state of one that is not put right: as far as its assignment allows."""
        if self.assign_step is None:
            return "registered"
        return "assigned" if self.severity == "red" and not self.five_filled else "fixing"

    @property
    def refused(self) -> int:
        """How many steps took no effect; what was undone did, for a while."""
        return sum(reason != "undone" for reason in self.not_applied.values())

    @property
    def evidence_asked(self) -> frozenset[str]:
        """The kinds of evidence that the rules of this cycle ask for, beside the re-visit."""
        return frozenset(code for rule in self.rules.values() for code in rule.evidence) - {"rv"}

    @property
    def needs_revisit(self) -> bool:
        return any("rv" in rule.evidence for rule in self.rules.values())

    def begin_cycle(self, state: str, key: OrderKey, at_ms: int) -> None:
        """Nothing of the cycle before is left but who had it, how grave it was and by which rules."""
        self.cycle += 1
        self.state, self.begun = state, key
        self.registered_ms = self.last_present_ms = at_ms
        self.closed_ms = self.void_reason = self.duplicate_of = None
        self.submitter_id = self.revisit_id = self.referred_ms = self.chased_ms = None
        self.contradicted, self.extensions, self.proven = False, 0, frozenset()

    def copy(self) -> "HazardState":
        """As it stands; what becomes of either does not change the other."""
        return replace(
            self,
            changes=list(self.changes),
            applied=list(self.applied),
            rules=dict(self.rules),
            not_applied=dict(self.not_applied),
        )
