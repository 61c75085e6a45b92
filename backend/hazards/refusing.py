"""Why a step does not apply: the one place that says no, with the reason that a supervisor is shown."""

from collections.abc import Callable, Mapping, Sequence

from backend.hazards.facts import Seen, Standing, StepFact
from backend.hazards.lifecycle import MOST_EXTENSIONS, NEEDS_CHECKED_FROM, STEP_KINDS, UNDO_WITHIN_MS
from backend.hazards.state import HazardState, Powers, Sighting


def refusal_of(
    hazard: HazardState,
    step: StepFact,
    sightings: Sequence[Sighting],
    powers: Powers,
    standings: Sequence[Standing] = (),
) -> str | None:
    """The reason (a key of ``NOT_APPLIED``) why a step does not apply to the hazard as it stands; None when it does."""
    kind = STEP_KINDS.get(step.kind)
    if kind is None:
        return "step_unknown"
    if not hazard.state:
        return "hazard_unknown"
    if hazard.state not in kind.starts:
        return "wrong_state"
    if not powers.may_take(step.role, kind.permission):
        return "not_permitted"
    if step.kind == "close":
        why_not = _refusal_to_close(hazard, step, sightings, powers)
        return _refusal_for_evidence(hazard, step, standings) if why_not is None else why_not
    if step.kind == "extend":
        return _refusal_to_extend(hazard, step, powers)
    return _CHECKS[step.kind](hazard, step) if step.kind in _CHECKS else None


def _refusal_to_close(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> str | None:
    if step.actor_id == hazard.submitter_id:
        return "submitter_may_not_close"
    if not powers.may_close(step.role, hazard.closers):
        return "closer_not_permitted"
    cited = step.body.get("revisit_id")
    since = hazard.review_since
    if cited:
        revisit = next((s for s in sightings if s.visit_id == str(cited).lower() and not s.virtual), None)
        why_not = _refusal_to_cite(hazard, revisit, step)
        if revisit is None or why_not is not None:
            return why_not
        since = revisit.key
    elif hazard.needs_revisit:
        return "revisit_missing"
    known = {str(visit_id).lower() for visit_id in step.body.get("basis") or ()}
    for sighting in sightings:
        between = since < sighting.evidence and sighting.key < step.key
        if between and sighting.finding.seen is Seen.PRESENT and sighting.visit_id not in known:
            return "contradicted"
    return None


def _refusal_for_evidence(hazard: HazardState, step: StepFact, standings: Sequence[Standing]) -> str | None:
    """What is not brought with the step must have been brought in the cycle before, or be on a register by then.

    Where a register speaks of a kind of evidence, no file outweighs it.
    """
    brought = {str(item.get("kind")) for item in step.body.get("evidence") or () if item.get("attachments")}
    on_register = {s.evidence: s.holds for s in sorted(standings, key=lambda s: s.key) if s.key <= step.key}
    held = {kind for kind in hazard.proven | brought if on_register.get(kind, True)}
    is_lacking = hazard.evidence_asked - held - {kind for kind, holds in on_register.items() if holds}
    return "evidence_missing" if is_lacking and step.version >= NEEDS_CHECKED_FROM else None


def _refusal_to_cite(hazard: HazardState, revisit: Sighting | None, step: StepFact) -> str | None:
    if revisit is None:
        return "revisit_unknown"
    if revisit.finding.seen is not Seen.ABSENT and not revisit.finding.fixed:
        return "revisit_not_absent"
    if revisit.key > step.key:
        return "revisit_later"
    return "revisit_earlier" if revisit.evidence < hazard.begun else None


def _refusal_to_extend(hazard: HazardState, step: StepFact, powers: Powers) -> str | None:
    if not powers.may_extend(step.role, hazard.severity):
        return "extender_not_permitted"
    if hazard.extensions >= MOST_EXTENSIONS:
        return "extended_twice"
    if step.key.effective_ms > hazard.deadline_ms:
        return "extended_too_late"
    return None if int(step.body["deadline_ms"]) > hazard.deadline_ms else "extended_to_earlier"


def _refusal_to_accept(hazard: HazardState, step: StepFact) -> str | None:
    if step.version < NEEDS_CHECKED_FROM:
        return None
    if not step.body.get("signature") and not str(step.body.get("refusal_witness") or "").strip():
        return "signature_missing"
    return "five_missing" if hazard.severity == "red" and not hazard.five_filled else None


def _refusal_without_photos(hazard: HazardState, step: StepFact) -> str | None:
    is_asked = step.kind == "relapse" or step.version >= NEEDS_CHECKED_FROM
    return "photos_missing" if is_asked and not step.body.get("photos") else None


def _refusal_to_undo(hazard: HazardState, step: StepFact) -> str | None:
    undone = hazard.last_step
    if undone is None or undone.id != str(step.body.get("undoes")).lower():
        return "nothing_to_undo"
    if undone.actor_id != step.actor_id:
        return "not_own_step"
    return "undo_too_late" if step.key.effective_ms - undone.key.effective_ms > UNDO_WITHIN_MS else None


_CHECKS: Mapping[str, Callable[[HazardState, StepFact], str | None]] = {
    "accept": _refusal_to_accept,
    "submit": _refusal_without_photos,
    "relapse": _refusal_without_photos,
    "undo": _refusal_to_undo,
}
