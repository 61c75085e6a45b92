"""Why a step does not apply: the one place that says no, with the reason that a supervisor is shown."""

from collections.abc import Sequence

from backend.hazards.facts import Seen, StepFact
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.state import HazardState, Powers, Sighting


def refusal_of(hazard: HazardState, step: StepFact, sightings: Sequence[Sighting], powers: Powers) -> str | None:
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
    return _refusal_to_close(hazard, step, sightings, powers) if step.kind == "close" else None


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


def _refusal_to_cite(hazard: HazardState, revisit: Sighting | None, step: StepFact) -> str | None:
    if revisit is None:
        return "revisit_unknown"
    if revisit.finding.seen is not Seen.ABSENT and not revisit.finding.fixed:
        return "revisit_not_absent"
    if revisit.key > step.key:
        return "revisit_later"
    return "revisit_earlier" if revisit.evidence < hazard.begun else None
