"""The fold, broken on purpose in ways that have happened elsewhere. Whoever checks the fold must notice each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from backend.calendar import working_days
from backend.calendar.working_days import WorkingDays
from backend.forms.catalogue import RuleBook
from backend.hazards import facts, fold, observing, refusing, walk
from backend.hazards.facts import Finding, Seen, StepFact
from backend.hazards.state import HazardState, Sighting
from mobile_contract.forms import Form
from mobile_contract.rules import CompiledRules
from mobile_contract.sync.ordering import OrderKey


class Bug(NamedTuple):
    """What is replaced by what."""

    where: Any
    name: str
    by: Any


_works = WorkingDays.works
_together, _with_days = observing.together, fold._with_days
_see_absent, _walk, _refusal = walk.see_absent, walk.walk_chain, refusing.refusal_of
_as_changed = RuleBook.as_changed
_effects: Mapping[str, Callable[[HazardState, StepFact], None]] = walk.EFFECTS


def closing_on_absent(hazard: HazardState, sighting: Sighting) -> None:
    _see_absent(hazard, sighting)
    hazard.state = "closed"


def lowering(hazard: HazardState, finding: Finding) -> None:
    hazard.severity = hazard.seen_severity = str(finding.severity)


def moving_deadlines(hazard: HazardState, finding: Finding) -> None:
    hazard.deadline_ms = min(hazard.deadline_ms, finding.due_ms)


def steps_last(
    chain: str, locus: str, sightings: Sequence[Sighting], steps: Sequence[StepFact], *others: Any
) -> HazardState:
    """Steps are taken up when everything was seen, whenever they were taken."""
    late = [replace(step, key=step.key._replace(effective_ms=step.key.effective_ms + 10**12)) for step in steps]
    return _walk(chain, locus, sightings, late, *others)


def newest_rules(book: RuleBook, form: Form, effective_ms: int) -> CompiledRules | None:
    return book.rules_of(form, book.in_force[form.code][-1][1])


def latest_numbers(book: RuleBook, judge: CompiledRules, effective_ms: int) -> CompiledRules:
    return _as_changed(book, judge, 2**53)


def for_ever(looks: Iterable[Sighting], as_of: int) -> tuple[list[Sighting], list[int], bool]:
    """A dated rule fires on its day though somebody was there in between."""
    alone = [_with_days([look], as_of) for look in looks]
    walked = sorted((look for some, _, _ in alone for look in some), key=lambda look: look.key)
    return walked, [day for _, days, _ in alone for day in days], any(dated for _, _, dated in alone)


def newest_calendar(calendar: WorkingDays, at_ms: int, day: int) -> bool:
    return _works(calendar, 10**15, day)


def trusting(hazard: HazardState, step: StepFact, *others: Any) -> str | None:
    """Whatever was seen since the re-visit."""
    why = _refusal(hazard, step, *others)
    return None if why in ("contradicted", "submitter_may_not_close") else why


def half_undone(hazard: HazardState, step: StepFact) -> None:
    """The state goes back, and nothing else."""
    before = hazard.before_last
    assert before is not None
    assert hazard.last_step is not None
    hazard.state, hazard.last_step = before.state, None
    hazard.changes.pop()
    hazard.applied.append(step.id)


def same_cycle(hazard: HazardState, state: str, key: OrderKey, at_ms: int) -> None:
    hazard.state, hazard.begun, hazard.registered_ms, hazard.closed_ms = state, key, at_ms, None
    hazard.cycle = 1


BUGS = {
    "closing on absent": Bug(walk, "see_absent", closing_on_absent),
    "severity lowered by a later record": Bug(walk, "_hear_again", lowering),
    "printed deadline moved by a record": Bug(walk, "_hear_again", moving_deadlines),
    "steps after everything seen": Bug(fold, "walk_chain", steps_last),
    "old visits judged by new rules": Bug(RuleBook, "rules_at", newest_rules),
    "dated rules outlive the next visit": Bug(fold, "_with_days", for_ever),
    "what is not mentioned is unknown": Bug(facts, "_ABSENT", Finding(Seen.UNKNOWN)),
    "rules switched off still judge": Bug(RuleBook, "override_of", lambda book, rule, ms: None),
    "numbers set by a community hold for nobody": Bug(RuleBook, "as_changed", lambda book, judge, ms: judge),
    "numbers set by a community hold for all times": Bug(RuleBook, "as_changed", latest_numbers),
    "one rule fixed is all fixed": Bug(
        observing, "together", lambda a, b: replace(_together(a, b), fixed=a.fixed or b.fixed)
    ),
    "reassessment reopens what was concluded": Bug(
        fold, "Sighting", lambda key, evidence, *rest: Sighting(key, key, *rest)
    ),
    "close without looking back": Bug(walk, "refusal_of", trusting),
    "holidays move red deadlines too": Bug(working_days, "Severity", type("Pale", (), {"RED": "none"})),
    "the newest calendar judges all": Bug(WorkingDays, "works", newest_calendar),
    "assignment binds nothing": Bug(walk, "EFFECTS", {**_effects, "assign": lambda hazard, step: None}),
    "extensions are not counted": Bug(refusing, "MOST_EXTENSIONS", 99),
    "undo at any time": Bug(refusing, "UNDO_WITHIN_MS", 10**13),
    "undo leaves what was done": Bug(walk, "undo", half_undone),
    "evidence is not asked for": Bug(refusing, "_refusal_for_evidence", lambda hazard, step, standings: None),
    "red ones need no five measures": Bug(HazardState, "five_filled", property(lambda hazard: True)),
    "relapse stays in its cycle": Bug(HazardState, "begin_cycle", same_cycle),
}
