"""The numbers of a condition that a community may set otherwise: read from the condition, and written into it.

Whoever judges sees a plain condition with its numbers in place, so a phone needs to know nothing of thresholds.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from mobile_contract.rules.definition import Parameter, Rule, RuleSet

Thresholds = tuple[tuple[str, float], ...]
"""(field, number), by field."""


def default_of(rule: Rule, parameter: Parameter) -> float:
    """The number written in the rule's condition. Raises ValueError unless the field is compared exactly once, as
    `a.field < 0.8`."""
    found = _comparison(parameter.field).findall(rule.when or "")
    named = re.findall(rf"\ba\.{parameter.field}\b", rule.when or "")
    if len(found) != 1 or len(named) != 1:
        raise ValueError(f"{rule.code}: a.{parameter.field} is not compared with one number, as in a.x < 0.8")
    return float(found[0][1])


def condition_with(rule: Rule, thresholds: Mapping[str, float]) -> str | None:
    """The rule's condition with these numbers in the place of its own"""
    text = rule.when
    for parameter in rule.parameters:
        if text is not None and parameter.field in thresholds:
            number = thresholds[parameter.field]
            text = _comparison(parameter.field).sub(lambda at: f"{at[1]}{_literal(number, at[2])}", text)  # noqa: B023
    return text


def with_thresholds(ruleset: RuleSet, changes: Mapping[str, Mapping[str, float]]) -> RuleSet:
    """The rule set with the numbers of some rules changed: rule code → field → number."""
    rules = tuple(
        replace(rule, when=condition_with(rule, changes[rule.code])) if rule.code in changes else rule
        for rule in ruleset.rules
    )
    return replace(ruleset, rules=rules)


def _comparison(field: str) -> re.Pattern[str]:
    return re.compile(rf"(\ba\.{re.escape(field)}\s*(?:<=|>=|<|>)\s*)(\d+(?:\.\d+)?)")


def _literal(number: float, like: str) -> str:
    """CEL knows whole numbers from decimals by how they are written."""
    if "." not in like:
        return str(round(number))
    whole, _, part = f"{number:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"
