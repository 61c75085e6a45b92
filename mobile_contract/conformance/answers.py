"""Answers for simulated visits, made from the form's definition: mostly harmless, some a hazard."""

import copy
from functools import lru_cache
from random import Random
from typing import Any

from mobile_contract.forms import Form, get_form, list_forms
from mobile_contract.forms.condition_syntax import fields_read, parse_condition
from mobile_contract.forms.sample_answers import sample_answers, sample_value
from mobile_contract.forms.visibility import Visibility, visibility
from mobile_contract.rules import CompiledRules, Rule, RuleResult, at_ms, compile_rules, evaluate, list_rules

POOL = 40
_MENDINGS = 200
SEEN_MS = 1_767_225_600_000
"""When simulated answers count as given, for rules that hang on a date: 2026-01-01, between the two years below."""
_GONE, _FAR = "2001", "2090"
"""Years of the dates that such rules read: whenever a fleet is played, the day has long come or is far off."""


@lru_cache(maxsize=64)
def rules_of(form: Form) -> CompiledRules | None:
    """The newest shipped rules that judge this form version."""
    fitting = [rules for rules in list_rules() if rules.form == form.code and form.version in rules.form_versions]
    return compile_rules(form, fitting[-1]) if fitting else None


def present_rules(form: Form, answers: dict[str, Any]) -> list[str]:
    """Codes of all rules, service gaps included, that these answers make present; dated ones once their day came."""
    compiled = rules_of(form)
    if compiled is None:
        return []
    present = [code for code, result in evaluate(compiled, answers).items() if result is RuleResult.PRESENT]
    return [code for code in present if (at_ms(compiled.ruleset.by_code[code], answers) or 0) <= SEEN_MS]


def present_chains(form: Form, answers: dict[str, Any]) -> set[str]:
    """Chains (groups or codes) of the present rules."""
    compiled = rules_of(form)
    if compiled is None:
        return set()
    return {compiled.ruleset.by_code[code].chain for code in present_rules(form, answers)}


def is_hazard(form: Form, answers: dict[str, Any]) -> bool:
    """True when some rule that is no service gap is present."""
    compiled = rules_of(form)
    if compiled is None:
        return False
    return any(compiled.ruleset.by_code[code].is_hazard for code in present_rules(form, answers))


def can_be_hazard(form: Form) -> bool:
    """True when the form has a rule that is no service gap."""
    compiled = rules_of(form)
    return compiled is not None and any(rule.is_hazard for rule in compiled.ruleset.rules)


class AnswerPool:
    """Ready answers of one form: drawing one costs a copy, which keeps a big fleet cheap."""

    def __init__(self, form: Form, seed: object) -> None:
        rng = Random(f"{seed}/{form.code}/{form.version}")
        self.form = form
        self.harmless: list[dict[str, Any]] = []
        self.hazards: list[dict[str, Any]] = []
        wanted = POOL if can_be_hazard(form) else 0
        for _ in range(POOL * 50):
            answers = _with_plain_dates(form, sample_answers(form, rng), rng)
            if len(self.hazards) < wanted and is_hazard(form, answers):
                self.hazards.append(answers)
            if len(self.harmless) < POOL:
                mended = _mend(form, answers, rng)
                if mended is not None:
                    self.harmless.append(mended)
            if len(self.harmless) >= POOL and len(self.hazards) >= wanted:
                break

    def draw(self, rng: Random, hazard: bool) -> dict[str, Any]:
        """Answers that are (or are not) a hazard, as far as the form has such answers."""
        wanted, other = (self.hazards, self.harmless) if hazard else (self.harmless, self.hazards)
        return copy.deepcopy(rng.choice(wanted or other or [{}]))


@lru_cache(maxsize=16)
def answer_pools(seed: object) -> dict[str, AnswerPool]:
    """Pools of the newest version of every shipped form, by form code."""
    newest = {form.code: form for form in list_forms()}
    return {code: AnswerPool(form, seed) for code, form in newest.items()}


def form_of(code: str, version: int) -> Form:
    """A shipped form version. Raises FormUnknown."""
    return get_form(code, version)


def _mend(form: Form, answers: dict[str, Any], rng: Random) -> dict[str, Any] | None:
    """Answer anew what the present rules read, until none is present; None if that does not succeed."""
    compiled = rules_of(form)
    for _ in range(_MENDINGS):
        codes = present_rules(form, answers)
        if not codes or compiled is None:
            return answers
        name = rng.choice(_fields_of(compiled.ruleset.by_code[codes[0]]))
        changed = answers | {name: sample_value(form.by_id[name], rng)}
        answers = _complete(form, _with_plain_dates(form, changed, rng), rng)
    return None


def _fields_of(rule: Rule) -> list[str]:
    """What a rule reads."""
    names = set() if rule.when is None else set(fields_read(parse_condition(rule.when)))
    return sorted(names if rule.at is None else names | {rule.at.field})


def _with_plain_dates(form: Form, answers: dict[str, Any], rng: Random) -> dict[str, Any]:
    """The answers with every date that a rule reads moved to a year that leaves no doubt."""
    compiled = rules_of(form)
    dated = [] if compiled is None else [rule.at.field for rule in compiled.ruleset.rules if rule.at is not None]
    moved = dict(answers)
    for name in dict.fromkeys(dated):
        if name in moved:
            moved[name] = (_GONE if rng.random() < 0.5 else _FAR) + moved[name][4:]
    return moved


def _complete(form: Form, wished: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Valid answers near the wished ones: hidden fields dropped, newly shown required ones answered."""
    answers: dict[str, Any] = {}
    for field in form.fields:
        shown = field.visible_when is None or visibility(form, answers)[field.id] is Visibility.SHOWN
        if shown and (field.id in wished or field.required):
            answers[field.id] = wished[field.id] if field.id in wished else sample_value(field, rng)
    return answers
