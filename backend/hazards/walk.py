"""One chain's walk through its sightings and steps, in order: what each does to the hazard, and what does not apply."""

from collections.abc import Callable, Mapping, Sequence

from backend.hazards.facts import Finding, Seen, StepFact
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.observing import gravity
from backend.hazards.refusing import refusal_of
from backend.hazards.state import Change, HazardState, Powers, Sighting
from mobile_contract.sync.ordering import OrderKey


def walk_chain(
    chain: str, locus: str, sightings: Sequence[Sighting], steps: Sequence[StepFact], powers: Powers
) -> HazardState:
    hazard = HazardState(chain, locus)
    events: list[tuple[OrderKey, Sighting | StepFact]] = [(s.key, s) for s in sightings]
    events += [(step.key, step) for step in steps]
    events.sort(key=lambda event: event[0])
    for _, event in events:
        if isinstance(event, StepFact):
            take_step(hazard, event, sightings, powers)
        elif event.finding.seen is Seen.PRESENT:
            see_present(hazard, event)
        elif event.finding.seen is Seen.ABSENT:
            see_absent(hazard, event)
    return hazard


def see_present(hazard: HazardState, sighting: Sighting) -> None:
    """A visit saw it: register, reopen as the next cycle, or note that it is still there."""
    finding = sighting.finding
    if not hazard.is_open:
        if sighting.evidence < hazard.ended:
            return  # a reassessment of what was seen before somebody concluded: nothing new was seen
        _begin_cycle(hazard, sighting)
    else:
        if hazard.state == "review" and sighting.evidence > hazard.review_since:
            hazard.contradicted = True
        _hear_again(hazard, finding)
    for rule in finding.rules:
        hazard.rules[rule.code] = rule
    if sighting.form == hazard.form:
        hazard.rule_version = sighting.rule_version
    hazard.last_present_ms = sighting.key.effective_ms
    if finding.fixed:
        # Who put it right on the spot may not be the one who strikes it off, whoever reported it before.
        hazard.submitter_id, hazard.contradicted = sighting.author_id, False
        _propose(hazard, sighting)


def _begin_cycle(hazard: HazardState, sighting: Sighting) -> None:
    finding = sighting.finding
    before = hazard.state or None
    hazard.form = hazard.form or sighting.form
    hazard.cycle += 1
    hazard.state = "registered"
    hazard.severity = hazard.seen_severity = str(finding.severity)
    hazard.deadline_ms, hazard.deadline_fixed = finding.due_ms, False
    hazard.registered_ms, hazard.begun = sighting.key.effective_ms, sighting.evidence
    hazard.closed_ms = hazard.void_reason = hazard.duplicate_of = None
    hazard.rules = {}
    hazard.assign_step = hazard.submitter_id = hazard.revisit_id = None
    hazard.contradicted = False
    step = "register" if hazard.cycle == 1 else "relapse"
    _note(hazard, step, before, sighting.key.effective_ms, "visit", sighting.visit_id, sighting.author_id)


def _hear_again(hazard: HazardState, finding: Finding) -> None:
    """Still there: before an assignment it may get graver and more urgent, afterwards graver only as a proposal."""
    hazard.seen_severity = str(max(hazard.seen_severity, finding.severity, key=gravity))
    if hazard.assign_step is None:
        hazard.severity = hazard.seen_severity
    if not hazard.deadline_fixed:
        hazard.deadline_ms = min(hazard.deadline_ms, finding.due_ms)


def see_absent(hazard: HazardState, sighting: Sighting) -> None:
    """A visit saw it gone: a proposal to strike it off, with the visit as evidence; never more."""
    if hazard.is_open:
        hazard.contradicted = False
        if hazard.state != "review":
            hazard.submitter_id = sighting.author_id
        _propose(hazard, sighting)


def _propose(hazard: HazardState, sighting: Sighting) -> None:
    hazard.revisit_id = sighting.visit_id
    if hazard.state == "review":
        return
    before, hazard.state = hazard.state, "review"
    hazard.review_since = sighting.key
    _note(hazard, "propose", before, sighting.key.effective_ms, "visit", sighting.visit_id, sighting.author_id)


def take_step(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> None:
    """Apply a step, or keep it as not applied with its reason."""
    reason = refusal_of(hazard, step, sightings, powers)
    if reason is not None:
        hazard.not_applied[step.id] = reason
        return
    before = hazard.state
    hazard.state = STEP_KINDS[step.kind].to or ("fixing" if hazard.assign_step is not None else "registered")
    _EFFECTS.get(step.kind, _no_more)(hazard, step)
    if hazard.state == "review":
        hazard.review_since = step.key
    elif not hazard.is_open:
        hazard.ended = step.key
    hazard.applied.append(step.id)
    _note(hazard, step.kind, before, step.key.effective_ms, "step", step.id, step.actor_id)


def _assigned(hazard: HazardState, step: StepFact) -> None:
    """Assigning fixes severity and deadline until another step changes them."""
    hazard.assign_step = step
    hazard.severity = str(step.body["severity"])
    hazard.deadline_ms, hazard.deadline_fixed = int(step.body["deadline_ms"]), True


def _submitted(hazard: HazardState, step: StepFact) -> None:
    hazard.submitter_id = step.actor_id


def _closed(hazard: HazardState, step: StepFact) -> None:
    hazard.closed_ms = step.key.effective_ms
    hazard.revisit_id = step.body.get("revisit_id") or hazard.revisit_id


def _returned(hazard: HazardState, step: StepFact) -> None:
    """The proposal is off the table, its evidence too; a new date holds like an assigned one."""
    hazard.submitter_id = hazard.revisit_id = None
    hazard.contradicted = False
    if step.body.get("deadline_ms") is not None:
        hazard.deadline_ms, hazard.deadline_fixed = int(step.body["deadline_ms"]), True


def _voided(hazard: HazardState, step: StepFact) -> None:
    hazard.void_reason = str(step.body.get("reason", ""))
    hazard.duplicate_of = step.body.get("duplicate_of")


def _no_more(hazard: HazardState, step: StepFact) -> None:
    """A step that changes nothing but the state."""


_EFFECTS: Mapping[str, Callable[[HazardState, StepFact], None]] = {
    "assign": _assigned,
    "submit": _submitted,
    "close": _closed,
    "return": _returned,
    "void": _voided,
}


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
