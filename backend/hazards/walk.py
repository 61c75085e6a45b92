"""One chain's walk through its sightings and steps, in order: what each does to the hazard, and what does not apply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backend.hazards.facts import Finding, Seen, StepFact
from backend.hazards.lifecycle import OPEN_STATES, STEP_KINDS
from backend.hazards.observing import gravity
from mobile_contract.rules import Rule
from mobile_contract.sync.ordering import OrderKey

MayTake = Callable[[str | None, str], bool]
"""(role, permission) → whether that role may."""
MayClose = Callable[[str | None, Sequence[str]], bool]
"""(role, the rule's closers) → whether that role may strike off."""


@dataclass(frozen=True, slots=True)
class Powers:
    """Who may do what, as the access rules say (kept out of the fold so that it stays pure)."""

    may_take: MayTake
    may_close: MayClose


@dataclass(frozen=True, slots=True)
class Sighting:
    """One visit's finding on one chain, in order. ``virtual``: the day of a dated rule came, nobody was there."""

    key: OrderKey
    visit_id: str
    author_id: str
    finding: Finding
    rule_version: int
    virtual: bool = False


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


@dataclass(slots=True)
class HazardState:
    """A chain after the walk: the open or last cycle, and all changes that led there."""

    form: str
    chain: str
    locus: str
    state: str = ""
    cycle: int = 0
    severity: str = "yellow"
    severity_proposed: str | None = None
    deadline_ms: int = 0
    registered_ms: int = 0
    last_present_ms: int = 0
    closed_ms: int | None = None
    rules: dict[str, Rule] = field(default_factory=dict)
    rule_version: int = 0
    contradicted: bool = False
    void_reason: str | None = None
    duplicate_of: str | None = None
    assign_step: StepFact | None = None
    submitter_id: str | None = None
    revisit_id: str | None = None
    changes: list[Change] = field(default_factory=list)
    not_applied: dict[str, str] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def closers(self) -> tuple[str, ...]:
        """Who may strike it off: the closers of the gravest rule that fired in this cycle."""
        gravest = max(self.rules.values(), key=lambda rule: (gravity(rule.severity), rule.code))
        return gravest.closers

    @property
    def needs_revisit(self) -> bool:
        return any("rv" in rule.evidence for rule in self.rules.values())


def walk_chain(
    identity: tuple[str, str, str], sightings: Sequence[Sighting], steps: Sequence[StepFact], powers: Powers
) -> HazardState:
    hazard = HazardState(*identity)
    events: list[tuple[OrderKey, Sighting | StepFact]] = [(s.key, s) for s in sightings]
    events += [(step.key, step) for step in steps]
    events.sort(key=lambda event: event[0])
    for _, event in events:
        if isinstance(event, StepFact):
            take_step(hazard, event, sightings, powers)
        elif event.finding.seen is Seen.PRESENT:
            see_present(hazard, event)
        elif event.finding.seen is Seen.ABSENT and not event.virtual:
            see_absent(hazard, event)
    return hazard


def see_present(hazard: HazardState, sighting: Sighting) -> None:
    """A visit saw it: register, reopen as the next cycle, or note that it is still there."""
    finding = sighting.finding
    if not hazard.is_open:
        _begin_cycle(hazard, sighting)
    else:
        if hazard.state == "review":
            hazard.contradicted = True
        _hear_again(hazard, finding)
    for rule in finding.rules:
        hazard.rules[rule.code] = rule
    hazard.rule_version = sighting.rule_version
    hazard.last_present_ms = sighting.key.effective_ms
    if finding.fixed:
        _propose(hazard, sighting)


def _begin_cycle(hazard: HazardState, sighting: Sighting) -> None:
    finding = sighting.finding
    before = hazard.state or None
    hazard.cycle += 1
    hazard.state = "registered"
    hazard.severity, hazard.severity_proposed = str(finding.severity), None
    hazard.deadline_ms = finding.due_ms
    hazard.registered_ms = sighting.key.effective_ms
    hazard.closed_ms = hazard.void_reason = hazard.duplicate_of = None
    hazard.rules = {}
    hazard.assign_step = hazard.submitter_id = hazard.revisit_id = None
    hazard.contradicted = False
    step = "register" if hazard.cycle == 1 else "relapse"
    _note(hazard, step, before, sighting.key.effective_ms, "visit", sighting.visit_id, sighting.author_id)


def _hear_again(hazard: HazardState, finding: Finding) -> None:
    """Still there: before an assignment it may get graver and more urgent, afterwards graver only as a proposal."""
    if hazard.assign_step is None:
        hazard.severity = str(max(hazard.severity, finding.severity, key=gravity))
        hazard.deadline_ms = min(hazard.deadline_ms, finding.due_ms)
    elif gravity(finding.severity) > gravity(hazard.severity):
        proposed = hazard.severity_proposed or finding.severity
        hazard.severity_proposed = str(max(proposed, finding.severity, key=gravity))


def see_absent(hazard: HazardState, sighting: Sighting) -> None:
    """A visit saw it gone: a proposal to strike it off, with the visit as evidence; never more."""
    if hazard.is_open:
        hazard.contradicted = False
        _propose(hazard, sighting)


def _propose(hazard: HazardState, sighting: Sighting) -> None:
    hazard.revisit_id = sighting.visit_id
    if hazard.state == "review":
        return
    before, hazard.state = hazard.state, "review"
    hazard.submitter_id = sighting.author_id
    _note(hazard, "propose", before, sighting.key.effective_ms, "visit", sighting.visit_id, sighting.author_id)


def take_step(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> None:
    """Apply a step, or keep it as not applied with its reason."""
    reason = _refusal(hazard, step, sightings, powers)
    if reason is not None:
        hazard.not_applied[step.id] = reason
        return
    kind = STEP_KINDS[step.kind]
    before = hazard.state
    hazard.state = kind.to or ("fixing" if hazard.assign_step is not None else "registered")
    if step.kind == "assign":
        _fix_terms(hazard, step)
    elif step.kind == "submit":
        hazard.submitter_id = step.actor_id
    elif step.kind == "close":
        hazard.closed_ms = step.key.effective_ms
        hazard.revisit_id = step.body.get("revisit_id") or hazard.revisit_id
    elif step.kind == "return":
        hazard.submitter_id, hazard.contradicted = None, False
        if step.body.get("deadline_ms") is not None:
            hazard.deadline_ms = int(step.body["deadline_ms"])
    elif step.kind == "void":
        hazard.void_reason = str(step.body.get("reason", ""))
        hazard.duplicate_of = step.body.get("duplicate_of")
    hazard.applied.append(step.id)
    _note(hazard, step.kind, before, step.key.effective_ms, "step", step.id, step.actor_id)


def _fix_terms(hazard: HazardState, step: StepFact) -> None:
    """Assigning fixes severity and deadline; what was seen graver than the assigner wrote stays a flagged proposal."""
    seen = hazard.severity_proposed or hazard.severity
    hazard.assign_step = step
    hazard.severity = str(step.body["severity"])
    hazard.deadline_ms = int(step.body["deadline_ms"])
    hazard.severity_proposed = seen if gravity(seen) > gravity(hazard.severity) else None


def _refusal(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> str | None:
    kind = STEP_KINDS.get(step.kind)
    if kind is None:
        return "step_unknown"
    if not hazard.state:
        return "hazard_unknown"
    if hazard.state not in kind.starts:
        return "wrong_state"
    if not powers.may_take(step.role, kind.permission):
        return "not_permitted"
    return _refusal_to_close(hazard, step, sightings, powers) if step.kind == "close" else None


def _refusal_to_close(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> str | None:
    if step.actor_id == hazard.submitter_id:
        return "submitter_may_not_close"
    if not powers.may_close(step.role, hazard.closers):
        return "closer_not_permitted"
    cited = step.body.get("revisit_id")
    if not cited:
        return "revisit_missing" if hazard.needs_revisit else None
    visits = [s for s in sightings if s.visit_id == str(cited).lower() and not s.virtual]
    if not visits:
        return "revisit_unknown"
    revisit = visits[-1]
    if revisit.finding.seen is not Seen.ABSENT and not revisit.finding.fixed:
        return "revisit_not_absent"
    if revisit.key > step.key:
        return "revisit_later"
    known = {str(visit_id).lower() for visit_id in step.body.get("basis") or ()}
    for sighting in sightings:
        between = revisit.key < sighting.key < step.key
        if between and sighting.finding.seen is Seen.PRESENT and sighting.visit_id not in known:
            return "contradicted"
    return None


def _note(
    hazard: HazardState,
    step: str,
    before: str | None,
    at_ms: int,
    cause: str,
    cause_id: str,
    actor_id: str | None,
) -> None:
    change = Change(hazard.cycle, step, before, hazard.state, at_ms, hazard.severity, cause, cause_id, actor_id)
    hazard.changes.append(change)
