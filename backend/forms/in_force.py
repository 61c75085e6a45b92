"""The rules as they judge a community's visits at one moment, its own changes included."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.forms.models import RuleOverride
from mobile_contract.rules import Rule
from mobile_contract.rules.thresholds import condition_with, default_of


def rules_in_force(session: Session, catalogue: FormCatalogue, community_id: UUID, at_ms: int) -> list[dict[str, Any]]:
    """Every rule of the rule sets in force at ``at_ms``, by form and in ledger order."""
    book = catalogue.rule_book(session, community_id)
    rows = session.scalars(
        select(RuleOverride)
        .where(RuleOverride.community_id == community_id, RuleOverride.effective_from_ms <= at_ms)
        .order_by(RuleOverride.effective_from_ms, RuleOverride.id)
    )
    overrides = {row.rule_code: row for row in rows}
    found = []
    for form, versions in sorted(book.in_force.items()):
        begun = [version for since_ms, version in versions if since_ms <= at_ms]
        for rule in book.rule_sets[form, begun[-1]].rules if begun else ():
            found.append({"form": form, "rule_version": begun[-1], **_shown(rule, overrides.get(rule.code))})
    return found


def override_shown(row: RuleOverride) -> dict[str, Any]:
    """A change to a rule as the office sees it."""
    return {
        "id": row.id,
        "rule": row.rule_code,
        "effective_from_ms": row.effective_from_ms,
        "enabled": row.enabled,
        "due": row.due,
        "thresholds": row.thresholds,
        "actor_id": row.actor_id,
    }


def _shown(rule: Rule, override: RuleOverride | None) -> dict[str, Any]:
    thresholds = (override.thresholds if override is not None else None) or {}
    return {
        "code": rule.code,
        "title": {"zh": rule.title.zh, "en": rule.title.en},
        "severity": str(rule.severity),
        "enabled": override is None or override.enabled,
        "due": rule.due if override is None or override.due is None else override.due,
        "when": condition_with(rule, thresholds),
        "parameters": [
            {
                "field": parameter.field,
                "label": {"zh": parameter.label.zh, "en": parameter.label.en},
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "default": (default := default_of(rule, parameter)),
                "value": thresholds.get(parameter.field, default),
            }
            for parameter in rule.parameters
        ],
        "override": None if override is None else override_shown(override),
    }
