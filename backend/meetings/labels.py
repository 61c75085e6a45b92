"""Chinese names of forms, rules, severities, states and places, as papers print them.

Forms and rules are read from their published definitions, so a form of a later release is named without new code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.forms.models import FormVersion, RuleVersion
from backend.hazards.lifecycle import STATE_LABELS
from backend.places.kinds import KIND_LABELS
from mobile_contract.forms import header_form
from mobile_contract.forms.catalogue import HEADER
from mobile_contract.rules.definition import CATEGORIES, SEVERITY_LABELS

SEVERITY_ZH = {severity.value: label.zh for severity, label in SEVERITY_LABELS.items()}
STATE_ZH = {state: zh for state, (zh, _) in STATE_LABELS.items()}
OUTCOME_ZH = {choice.code: choice.label.zh for choice in header_form().by_id["outcome"].choices}
PLACE_KIND_ZH = {kind: zh for kind, (zh, _) in KIND_LABELS.items()}
ORIGIN_ZH = {"registered": "台账登记", "field": "走访新增"}


@dataclass(frozen=True, slots=True)
class Labels:
    """``forms`` and ``rules`` (and their groups) by code; ``categories``: the ledger's 隐患类别 of a form; ``gaps``:
    ``form|chain`` of what is no hazard.
    """

    forms: Mapping[str, str]
    rules: Mapping[str, str]
    categories: Mapping[str, str]
    gaps: tuple[str, ...]

    def form(self, code: str) -> str:
        return self.forms.get(code, code)

    def category(self, code: str) -> str:
        """The ledger category of the form ``code``."""
        return self.categories.get(code, CATEGORIES["other"].zh)

    def hazard(self, rules: list[str]) -> str:
        """A hazard's title: those of the rules that made it."""
        return "；".join(self.rules.get(code, code) for code in rules)

    def part(self, name: str) -> str:
        """A sub-figure's part of a key: a severity, a kind of place or a form."""
        return SEVERITY_ZH.get(name) or PLACE_KIND_ZH.get(name) or self.form(name)


def load_labels(session: Session) -> Labels:
    """Names as published; of several versions of one form or rule, the newest."""
    forms: dict[str, str] = {}
    titles = select(FormVersion.code, FormVersion.definition["title"]["zh"].astext).order_by(
        FormVersion.code, FormVersion.version
    )
    for code, title in session.execute(titles):
        if code != HEADER:
            forms[code] = title
    rules: dict[str, str] = {}
    categories: dict[str, str] = {}
    gaps: dict[str, bool] = {}
    published = select(RuleVersion.form_code, RuleVersion.definition).order_by(
        RuleVersion.form_code, RuleVersion.version
    )
    for form, definition in session.execute(published):
        category = CATEGORIES.get(definition["category"], CATEGORIES["other"])
        categories[form] = category.zh
        _read_rules(form, definition["rules"], rules, gaps)
    return Labels(forms, rules, categories, tuple(sorted(chain for chain, only_gaps in gaps.items() if only_gaps)))


def _read_rules(form: str, listed: list[dict[str, Any]], rules: dict[str, str], gaps: dict[str, bool]) -> None:
    for rule in listed:
        rules[rule["code"]] = rule["title"]["zh"]
        rules.setdefault(rule.get("group") or rule["code"], rule["title"]["zh"])
        chain = f"{form}|{rule.get('group') or rule['code']}"
        gaps[chain] = gaps.get(chain, True) and rule["severity"] == "blue"
