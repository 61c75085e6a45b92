"""One chain's walk through its sightings and steps, in order: what each does to the hazard, and what does not apply."""

from collections.abc import Sequence
from dataclasses import fields

from backend.hazards.effects import EFFECTS
from backend.hazards.facts import Finding, Seen, Standing, StepFact
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.observing import gravity
from backend.hazards.refusing import refusal_of
from backend.hazards.state import Change, HazardState, Powers, Sighting
from mobile_contract.rules.definition import Severity
from mobile_contract.sync.ordering import OrderKey


def walk_chain(
    chain: str,
    locus: str,
    sightings: Sequence[Sighting],
    steps: Sequence[StepFact],
    powers: Powers,
    standings: Sequence[Standing] = (),
) -> HazardState:
    hazard = HazardState(chain, locus, powers.calendar)
    events: list[tuple[OrderKey, Sighting | StepFact]] = [(s.key, s) for s in sightings]
    events += [(step.key, step) for step in steps]
    events.sort(key=lambda event: event[0])
    for _, event in events:
        if isinstance(event, StepFact):
            take_step(hazard, event, sightings, powers, standings)
        elif event.finding.seen in (Seen.PRESENT, Seen.ABSENT):
            hazard.last_step = hazard.before_last = None  # what was done since somebody looked cannot be taken back
            see = see_present if event.finding.seen is Seen.PRESENT else see_absent
            see(hazard, event)
    hazard.before_last = None
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
        hazard.proven |= {"ph"}
        _propose(hazard, sighting)


def _begin_cycle(hazard: HazardState, sighting: Sighting) -> None:
    finding = sighting.finding
    before = hazard.state or None
    hazard.form = hazard.form or sighting.form
    hazard.begin_cycle("registered", sighting.evidence, sighting.key.effective_ms)
    hazard.severity = hazard.seen_severity = str(finding.severity)
    hazard.deadline_ms, hazard.strict_ms, hazard.deadline_fixed = finding.due_ms, finding.strict_ms, False
    hazard.rules = {}
    hazard.assign_step = hazard.assignee_id = None
    step = "register" if hazard.cycle == 1 else "relapse"
    _note(hazard, step, before, sighting.key.effective_ms, "visit", sighting.visit_id, sighting.author_id)


def _hear_again(hazard: HazardState, finding: Finding) -> None:
    """Still there: before an assignment it may get graver and more urgent, afterwards graver only as a proposal."""
    hazard.seen_severity = str(max(hazard.seen_severity, finding.severity, key=gravity))
    if hazard.assign_step is None:
        hazard.severity = hazard.seen_severity
    if not hazard.deadline_fixed:
        hazard.strict_ms = min(hazard.strict_ms, finding.strict_ms)
        hazard.deadline_ms = min(hazard.deadline_ms, finding.due_ms)
        if hazard.seen_severity == Severity.RED:  # no holiday moves it any more
            hazard.deadline_ms = min(hazard.deadline_ms, hazard.strict_ms)


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


def take_step(
    hazard: HazardState,
    step: StepFact,
    sightings: Sequence[Sighting],
    powers: Powers,
    standings: Sequence[Standing] = (),
) -> None:
    """Apply a step, or keep it as not applied with its reason."""
    reason = refusal_of(hazard, step, sightings, powers, standings)
    if reason is not None:
        hazard.not_applied[step.id] = reason
    elif step.kind == "undo":
        undo(hazard, step)
    else:
        take_effect(hazard, step)


def undo(hazard: HazardState, step: StepFact) -> None:
    """Back to what it was before the last step: that one took no effect, as if it had never been taken."""
    undone, before = hazard.last_step, hazard.before_last
    if undone is None or before is None:
        raise ValueError("an undo was let through that names no step")
    refused = {**hazard.not_applied, undone.id: "undone"}
    for field in fields(before):
        setattr(hazard, field.name, getattr(before, field.name))
    hazard.not_applied, hazard.last_step, hazard.before_last = refused, None, None
    hazard.applied.append(step.id)


def _remember(hazard: HazardState, step: StepFact) -> None:
    hazard.before_last = None  # a copy holds no further copies
    hazard.before_last, hazard.last_step = hazard.copy(), step
    hazard.before_last.last_step = None


def take_effect(hazard: HazardState, step: StepFact) -> None:
    """What a step that applies does."""
    _remember(hazard, step)
    before = hazard.state
    hazard.state = STEP_KINDS[step.kind].to or before
    EFFECTS[step.kind](hazard, step)
    if hazard.state == "review" != before:
        hazard.review_since = step.key
    elif not hazard.is_open:
        hazard.ended = step.key
    hazard.applied.append(step.id)
    _note(hazard, step.kind, before, step.key.effective_ms, "step", step.id, step.actor_id)


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
