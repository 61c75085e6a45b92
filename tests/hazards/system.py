"""The product's own fold over a plain history, without a database, in the oracle's words."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from backend.calendar.queries import day_number
from backend.calendar.working_days import DayFact, WorkingDays
from backend.forms.catalogue import Override, Reassess, RuleBook
from backend.hazards.facts import Block, StepFact, VisitFact
from backend.hazards.fold import PlaceFold, fold_place
from backend.hazards.observing import observe
from backend.hazards.state import HazardState
from backend.rectification.projecting import POWERS
from mobile_contract.forms import list_forms
from mobile_contract.rules import list_rules
from mobile_contract.sync.ordering import OrderKey, Revision, effective_versions, order_key
from tests.hazards.histories import History, for_community
from tests.hazards.invented import EBIKE_RULES_2, EXTINGUISHER, EXTINGUISHER_RULES
from tests.hazards.oracle import NIL, Chain, hazard_of

_FORMS = {(form.code, form.version): form for form in [*list_forms(), EXTINGUISHER]}
_RULES = {(rules.form, rules.version): rules for rules in [*list_rules(), EBIKE_RULES_2, EXTINGUISHER_RULES]}


def book_of(history: History) -> RuleBook:
    overrides: dict[str, tuple[Override, ...]] = {}
    for said in sorted(history["overrides"], key=lambda o: (o["from"], o["id"])):
        numbers = tuple(sorted((said.get("thresholds") or {}).items()))
        made = Override(said["from"], said["enabled"], said["due"], numbers)
        overrides[said["rule"]] = (*overrides.get(said["rule"], ()), made)
    anew = tuple(Reassess(r["id"], r["form"], r["version"], r["ms"]) for r in history["reassessments"])
    in_force = {form: tuple(versions) for form, versions in history["rules"].items()}
    return RuleBook(_FORMS, _RULES, in_force, overrides, anew, calendar_of(history))


def calendar_of(history: History) -> WorkingDays:
    def facts(own: bool) -> list[DayFact]:
        said = [d for d in history.get("days", ()) if d["own"] is own]
        return [DayFact(d["from"], d["id"], day_number(date.fromisoformat(d["day"])), d["works"]) for d in said]

    return WorkingDays.of(facts(False), facts(True))


def facts_of(history: History) -> tuple[list[VisitFact], list[tuple[str, StepFact]]]:
    """Visits in force, and steps with the place they name."""
    records = {record["id"]: record for record in history["records"]}
    visits: list[VisitFact] = []
    steps: list[tuple[str, StepFact]] = []
    for version in effective_versions(map(_revision, records.values())).effective:
        if version.content_id is None:
            continue
        said = records[version.content_id]
        if said["type"] == "visit":
            visits.append(_visit(version.root_id, version.key, said))
        else:
            steps.append((said["step"]["place"], _step(version.root_id, version.key, said)))
    for step in history["console"]:
        steps.append((step["step"]["place"], _step(step["id"], OrderKey(step["ms"], NIL, 0, step["id"]), step)))
    return visits, steps


def _revision(record: Mapping[str, Any]) -> Revision:
    key = order_key(record["ms"], record["install"], record["seq"], record["id"])
    may = record["role"] in ("grid_head", "safety_officer", "committee")
    what = record["amends"], record["voids"], record["reason"]
    return Revision(key, record["type"], record["author"], *what, may_supervise=may)


def _visit(root_id: str, key: OrderKey, said: Mapping[str, Any]) -> VisitFact:
    visit = said["visit"]
    blocks = tuple(Block(b["form"], 1, b["place"], b["answers"], frozenset(b["fixed"])) for b in visit["blocks"])
    return VisitFact(root_id, key, said["id"], said["author"], visit["place"], visit["outcome"], blocks)


def _step(root_id: str, key: OrderKey, said: Mapping[str, Any]) -> StepFact:
    step = said["step"]
    return StepFact(
        root_id, key, step["hazard"], step["kind"], said["author"], said["role"], step, said.get("version", 1)
    )


def fold_history(
    history: History, community: str, as_of: int
) -> tuple[dict[Chain, dict[str, Any]], dict[str, str | None]]:
    """Hazards by chain, and for every step why it does not apply (None: it does)."""
    history = for_community(history, community)
    visits, steps = facts_of(history)
    found: dict[Chain, dict[str, Any]] = {}
    told: dict[str, str | None] = {}
    family: Mapping[str, str] = history["family"]
    named = {block.place_id for visit in visits for block in visit.blocks} | {place for place, _ in steps}
    for place in {family.get(p, p) for p in named}:
        members = frozenset([place, *(p for p, into in family.items() if into == place)])
        here = [step for at, step in steps if at in members]
        fold = _fold(history, visits, here, members, community, as_of)
        for (chain, locus), hazard in fold.hazards.items():
            found[place, chain, locus] = summary(hazard)
            told |= dict.fromkeys(hazard.applied) | hazard.not_applied
        told |= fold.not_applied
    return found, told


def _fold(
    history: History,
    visits: list[VisitFact],
    steps: list[StepFact],
    members: frozenset[str],
    community: str,
    as_of: int,
) -> PlaceFold:
    def ids_of(chain: str, locus: str) -> list[str]:
        return [hazard_of(community, (member, chain, locus)) for member in members]

    book = book_of(history)
    powers = replace(POWERS, calendar=book.calendar)
    return fold_place(observe(book, visits, members), steps, ids_of, powers, as_of)


def summary(hazard: HazardState) -> dict[str, Any]:
    """A hazard in the oracle's words."""
    return {
        "state": hazard.state,
        "cycle": hazard.cycle,
        "severity": hazard.severity,
        "proposed": hazard.severity_proposed,
        "deadline": hazard.deadline_ms,
        "registered": hazard.registered_ms,
        "last": hazard.last_present_ms,
        "closed": hazard.closed_ms,
        "submitter": hazard.submitter_id,
        "revisit": hazard.revisit_id,
        "contradicted": hazard.contradicted,
        "rules": sorted(hazard.rules),
        "assigned": hazard.assign_step.id if hazard.assign_step else None,
        "form": hazard.form,
        "extended": hazard.extensions,
        "holder": hazard.assignee_id,
        "referred": hazard.referred_ms,
        "chased": hazard.chased_ms,
        "changes": [
            (c.cycle, c.step, c.from_state, c.to_state, c.effective_ms, c.severity, c.cause, c.cause_id, c.actor_id)
            for c in hazard.changes
        ],
    }
