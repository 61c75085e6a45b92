"""What each kind of step does to a hazard beside leading to the state that the life cycle names."""

from collections.abc import Callable, Mapping

from backend.hazards.facts import StepFact
from backend.hazards.state import HazardState


def _assigned(hazard: HazardState, step: StepFact) -> None:
    """Assigning fixes severity and deadline until another step changes them."""
    hazard.assign_step = step
    hazard.assignee_id = step.body.get("assignee_account_id")
    hazard.severity = str(step.body["severity"])
    _fix_deadline(hazard, step)


def _submitted(hazard: HazardState, step: StepFact) -> None:
    hazard.submitter_id = step.actor_id
    if step.body.get("photos"):
        hazard.proven |= {"ph"}


def _closed(hazard: HazardState, step: StepFact) -> None:
    hazard.closed_ms = step.key.effective_ms
    hazard.revisit_id = step.body.get("revisit_id") or hazard.revisit_id


def _returned(hazard: HazardState, step: StepFact) -> None:
    """The proposal is off the table, its evidence too; a new date holds like an assigned one."""
    hazard.state = hazard.unfinished
    hazard.submitter_id = hazard.revisit_id = None
    hazard.contradicted, hazard.proven = False, frozenset()
    _fix_deadline(hazard, step)


def _voided(hazard: HazardState, step: StepFact) -> None:
    hazard.void_reason = str(step.body.get("reason", ""))
    hazard.duplicate_of = step.body.get("duplicate_of")


def _extended(hazard: HazardState, step: StepFact) -> None:
    hazard.extensions += 1
    _fix_deadline(hazard, step)


def _referred(hazard: HazardState, step: StepFact) -> None:
    hazard.referred_ms = hazard.chased_ms = step.key.effective_ms


def _chased(hazard: HazardState, step: StepFact) -> None:
    hazard.chased_ms = step.key.effective_ms


def _answered(hazard: HazardState, step: StepFact) -> None:
    """A department's written outcome: the finding itself is evidence, when it is attached."""
    hazard.submitter_id, hazard.contradicted = step.actor_id, False
    if step.body.get("attachments"):
        hazard.proven |= {"xp"}


def _relapsed(hazard: HazardState, step: StepFact) -> None:
    """The next cycle of the same hazard, with those who had it, due as its rules say unless a date is named."""
    is_red = hazard.severity == "red"
    hazard.begin_cycle(hazard.unfinished if is_red else "fixing", step.key, step.key.effective_ms)
    hazard.seen_severity = hazard.severity
    hazard.deadline_fixed = False
    now_ms = step.key.effective_ms
    due = [hazard.calendar.deadline(r.due, hazard.severity, now_ms, now_ms) for r in hazard.rules.values()]
    hazard.deadline_ms, hazard.strict_ms = map(min, zip(*due, strict=True))
    _fix_deadline(hazard, step)


def _handed_over(hazard: HazardState, step: StepFact) -> None:
    hazard.assignee_id = step.body["assignee_account_id"]


def _nothing_more(hazard: HazardState, step: StepFact) -> None:
    """The state alone changes."""


def _fix_deadline(hazard: HazardState, step: StepFact) -> None:
    if step.body.get("deadline_ms") is not None:
        hazard.deadline_ms, hazard.deadline_fixed = int(step.body["deadline_ms"]), True


EFFECTS: Mapping[str, Callable[[HazardState, StepFact], None]] = {
    "assign": _assigned,
    "accept": _nothing_more,
    "submit": _submitted,
    "close": _closed,
    "return": _returned,
    "void": _voided,
    "extend": _extended,
    "refer": _referred,
    "chase": _chased,
    "feedback": _answered,
    "relapse": _relapsed,
    "reassign": _handed_over,
}
