"""Chinese names of forms, rules, severities, states and places, as papers print them.

Forms and rules are read from their published definitions, so a form of a later release is named without new code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.forms.models import FormVersion, RuleVersion
from backend.hazards.lifecycle import STATE_LABELS
from backend.places.kinds import KIND_LABELS
from backend.places.models import Place
from mobile_contract.forms import header_form
from mobile_contract.forms.catalogue import HEADER
from mobile_contract.rules.definition import CATEGORIES, SEVERITY_LABELS

SEVERITY_ZH = {severity.value: label.zh for severity, label in SEVERITY_LABELS.items()}
STATE_ZH = {state: zh for state, (zh, _) in STATE_LABELS.items()}
OUTCOME_ZH = {choice.code: choice.label.zh for choice in header_form().by_id["outcome"].choices}
PLACE_KIND_ZH = {kind: zh for kind, (zh, _) in KIND_LABELS.items()}
NO_GRID: Final = "g0"
ORIGIN_ZH = {"registered": "台账登记", "field": "走访新增"}


@dataclass(frozen=True, slots=True)
class Labels:
    """``forms`` and ``rules`` (and their groups) by code; ``categories``: the ledger's 隐患类别 of a form; ``gaps``:
    ``form|chain`` of what is no hazard; ``grids``: names by the part of a key that stands for a grid.
    """

    forms: Mapping[str, str]
    rules: Mapping[str, str]
    categories: Mapping[str, str]
    gaps: tuple[str, ...]
    grids: Mapping[str, str] = field(default_factory=dict)

    def form(self, code: str) -> str:
        return self.forms.get(code, code)

    def category(self, code: str) -> str:
        """The ledger category of the form ``code``."""
        return self.categories.get(code, CATEGORIES["other"].zh)

    def hazard(self, rules: list[str]) -> str:
        """A hazard's title: those of the rules that made it."""
        return "；".join(self.rules.get(code, code) for code in rules)

    def part(self, name: str) -> str:
        """A sub-figure's part of a key: a severity, a kind of place, a grid or a form."""
        return SEVERITY_ZH.get(name) or PLACE_KIND_ZH.get(name) or self.grids.get(name) or self.form(name)


def grid_part(grid_id: UUID | None) -> str:
    """The part of a figure's key that stands for a grid (None: what lies in none)."""
    return NO_GRID if grid_id is None else f"g{grid_id.hex}"


def load_labels(session: Session, community_id: UUID | None = None) -> Labels:
    """Names as published; of several versions of one form or rule, the newest. With the grids of a community."""
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
    return Labels(
        forms,
        rules,
        categories,
        tuple(sorted(chain for chain, only_gaps in gaps.items() if only_gaps)),
        _grids(session, community_id),
    )


def _grids(session: Session, community_id: UUID | None) -> dict[str, str]:
    found = select(Place.id, Place.name).where(Place.community_id == community_id, Place.kind == "grid")
    names = {} if community_id is None else {grid_part(row.id): row.name for row in session.execute(found)}
    return {NO_GRID: "未划网格", **names}


def _read_rules(form: str, listed: list[dict[str, Any]], rules: dict[str, str], gaps: dict[str, bool]) -> None:
    for rule in listed:
        rules[rule["code"]] = rule["title"]["zh"]
        rules.setdefault(rule.get("group") or rule["code"], rule["title"]["zh"])
        chain = f"{form}|{rule.get('group') or rule['code']}"
        gaps[chain] = gaps.get(chain, True) and rule["severity"] == "blue"
