"""Tasks and steps in the shape of the API: labels in both languages, times as milliseconds and ISO text."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from backend import clock
from backend.forms.catalogue import FormCatalogue
from backend.hazards.lifecycle import CHASE_EVERY_MS, NOT_APPLIED, STATE_LABELS, STEP_KINDS
from backend.rectification.queries import SETTLED
from mobile_contract.forms import Label
from mobile_contract.rules import Rule
from mobile_contract.rules.definition import SEVERITY_LABELS, Severity

Shape = dict[str, Any]

#: What is red is a suspicion until a department confirms it.
SUSPECTED_MAJOR = {"zh": "疑似重大", "en": "Suspected major"}


def label(text: Label | tuple[str, str]) -> dict[str, str]:
    """A text in both languages."""
    zh, en = (text.zh, text.en) if isinstance(text, Label) else text
    return {"zh": zh, "en": en}


def severity_label(severity: str) -> dict[str, str]:
    """A severity's name as it is shown."""
    return SUSPECTED_MAJOR if severity == Severity.RED else label(SEVERITY_LABELS[Severity(severity)])


def moment(at_ms: int | None) -> Shape | None:
    """A time as epoch milliseconds and as ISO text of Shanghai."""
    return None if at_ms is None else {"ms": at_ms, "iso": clock.iso(at_ms)}


class RuleTitles:
    """The rules behind hazards, from the published rule sets; reads nothing that this process has read before."""

    def __init__(self, session: Session, catalogue: FormCatalogue) -> None:
        self._session, self._catalogue = session, catalogue

    def rules_of(self, form: str, rule_version: int, codes: Sequence[str]) -> list[Rule]:
        """The named rules as of the version that judged the hazard last; those it does not know are left out."""
        rule_set = self._catalogue.rule_set(self._session, form, rule_version) if codes else None
        by_code: Mapping[str, Rule] = rule_set.by_code if rule_set is not None else {}
        return [by_code[code] for code in codes if code in by_code]

    def title_of(self, form: str, rule_version: int, codes: Sequence[str], chain: str) -> dict[str, str]:
        """What the hazard is called: its rules' titles; the chain's code when no rule is left (a void one)."""
        rules = self.rules_of(form, rule_version, codes)
        if not rules:
            return {"zh": chain, "en": chain}
        return {
            "zh": "；".join(rule.title.zh for rule in rules),
            "en": "; ".join(rule.title.en for rule in rules),
        }


def task_line(row: Row[Any], titles: RuleTitles, now_ms: int) -> Shape:
    """A line of a list of tasks, out of a row of ``queries.select_tasks``."""
    return {
        "id": row.id,
        "number": row.number,
        "title": titles.title_of(row.form, row.rule_version, row.rules, row.chain),
        "form": row.form,
        "chain": row.chain,
        "locus": row.locus,
        "rules": row.rules,
        "service_gap": row.service_gap,
        "severity": row.severity,
        "severity_label": severity_label(row.severity),
        "severity_proposed": row.severity_proposed,
        "state": row.state,
        "state_label": label(STATE_LABELS[row.state]),
        "cycle": row.cycle,
        "place": place_of(row),
        "building": named(row.building_id, row.building_name),
        "grid_id": row.grid_id,
        "registered": moment(row.registered_ms),
        "deadline": moment(row.deadline_ms),
        "closed": moment(row.closed_ms),
        "overdue": row.deadline_ms < now_ms and row.state not in SETTLED,
        "assignee": named(row.assignee_id, row.assignee_name),
        "closer": row.closer,
        "extensions": row.extensions,
        "referred": moment(row.referred_ms if row.state == "referred" else None),
        "chase_due": moment(row.chased_ms + CHASE_EVERY_MS if row.state == "referred" else None),
        "recheck": moment(row.recheck_ms),
        "contradicted": row.contradicted,
        "steps_not_applied": row.steps_not_applied,
        "rev": row.rev,
    }


def step_line(row: Row[Any]) -> Shape:
    """A step out of a row of ``queries.select_steps``. A kind of a later version is named by its code."""
    kind = STEP_KINDS.get(row.kind)
    reason = row.reason
    return {
        "id": row.step_id,
        "hazard_id": row.hazard_id,
        "number": row.number,
        "place": place_of(row),
        "kind": row.kind,
        "label": label(kind.label if kind else (row.kind, row.kind)),
        "applied": row.applied,
        "reason": None if reason is None else {"code": reason, **label(NOT_APPLIED.get(reason, (reason, reason)))},
        "actor": named(row.actor_id, row.actor_name),
        "actor_role": row.actor_role,
        "from_phone": row.from_record,
        "effective": moment(row.effective_ms),
        "wall": moment(row.wall_ms),
        "received_at": row.received_at,
    }


def place_of(row: Row[Any]) -> Shape:
    """The place of a row that was joined to it."""
    return {"id": row.place_id, "kind": row.place_kind, "name": row.place_name, "code": row.place_code}


def named(identity: Any, name: str | None) -> Shape | None:
    """An id with its name, or None."""
    return None if identity is None else {"id": identity, "name": name}
