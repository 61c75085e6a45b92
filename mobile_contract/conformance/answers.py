"""Answers for simulated visits, made from the form's definition: mostly harmless, some a hazard."""

import copy
from functools import lru_cache
from random import Random
from typing import Any

from mobile_contract.forms import Form, get_form, list_forms
from mobile_contract.forms.condition_syntax import fields_read, parse_condition
from mobile_contract.forms.sample_answers import sample_answers, sample_value
from mobile_contract.forms.visibility import Visibility, visibility
from mobile_contract.rules import CompiledRules, RuleResult, compile_rules, evaluate, list_rules

POOL = 40
_MENDINGS = 200


@lru_cache(maxsize=64)
def rules_of(form: Form) -> CompiledRules | None:
    """The newest shipped rules that judge this form version."""
    fitting = [rules for rules in list_rules() if rules.form == form.code and form.version in rules.form_versions]
    return compile_rules(form, fitting[-1]) if fitting else None


def present_rules(form: Form, answers: dict[str, Any]) -> list[str]:
    """Codes of all rules, service gaps included, that these answers make present."""
    compiled = rules_of(form)
    if compiled is None:
        return []
    return [code for code, result in evaluate(compiled, answers).items() if result is RuleResult.PRESENT]


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


class AnswerPool:
    """Ready answers of one form: drawing one costs a copy, which keeps a big fleet cheap."""

    def __init__(self, form: Form, seed: object) -> None:
        rng = Random(f"{seed}/{form.code}/{form.version}")
        self.form = form
        self.harmless: list[dict[str, Any]] = []
        self.hazards: list[dict[str, Any]] = []
        for _ in range(POOL * 50):
            answers = sample_answers(form, rng)
            if len(self.hazards) < POOL and is_hazard(form, answers):
                self.hazards.append(answers)
            if len(self.harmless) < POOL:
                mended = _mend(form, answers, rng)
                if mended is not None:
                    self.harmless.append(mended)
            if len(self.harmless) >= POOL and len(self.hazards) >= POOL:
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
        condition = compiled.ruleset.by_code[codes[0]].when
        names = sorted(fields_read(parse_condition(condition))) if condition is not None else []
        if not names:
            return None
        name = rng.choice(names)
        answers = _complete(form, answers | {name: sample_value(form.by_id[name], rng)}, rng)
    return None


def _complete(form: Form, wished: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Valid answers near the wished ones: hidden fields dropped, newly shown required ones answered."""
    answers: dict[str, Any] = {}
    for field in form.fields:
        shown = field.visible_when is None or visibility(form, answers)[field.id] is Visibility.SHOWN
        if shown and (field.id in wished or field.required):
            answers[field.id] = wished[field.id] if field.id in wished else sample_value(field, rng)
    return answers
