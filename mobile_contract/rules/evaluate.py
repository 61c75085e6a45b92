"""Judges a block of answers by the rules of its form: present, absent, or unknown (待核).

Conditions are compiled once per process; one CEL context serves all rules of a block. An answer that is
missing makes a condition that truly depends on it unknown; a hidden field is null (a hidden list empty),
which is equal to nothing, so the rule is absent. Any other failure of a condition is a defect: counted,
reported, unknown.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import cel

from mobile_contract.forms.condition_syntax import (
    ConditionInvalid,
    fields_read,
    parse_condition,
)
from mobile_contract.forms.condition_value import judge_of
from mobile_contract.forms.definition import READABLE, Form
from mobile_contract.forms.visibility import Plan, Reading
from mobile_contract.rules.definition import Basis, Rule, RuleSet


class RuleResult(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


MEMORY = 4096
"""Results remembered per form and rule set. Most blocks repeat the readings of an earlier one, and a result
is a function of the readings alone; building the context is what costs.
"""

DefectListener = Callable[[str, str], None]
"""Called with a rule code and the reason of a defect."""


@dataclass(frozen=True, slots=True)
class _Program:
    code: str
    run: cel.Program | None
    at: str | None
    hidden_unknown: bool


class CompiledRules:
    """The rules of one form version, ready to run. Raises ConditionInvalid for a condition that cannot.

    Only what the rules name goes into a context: no personal data ever does.
    """

    def __init__(self, form: Form, ruleset: RuleSet) -> None:
        if ruleset.form != form.code or form.version not in ruleset.form_versions:
            raise ConditionInvalid(
                f"rules {ruleset.form} v{ruleset.version} do not judge form {form.code} v{form.version}"
            )
        self.form = form
        self.ruleset = ruleset
        self.programs = tuple(_compile(form, rule) for rule in ruleset.rules)
        self.named = frozenset().union(*(_named(rule) for rule in ruleset.rules))
        self.named_hidden_unknown = frozenset().union(
            *(_named(rule) for rule in ruleset.rules if rule.hidden_unknown)
        )
        self.plan = Plan(form, self.named)
        self.exact = self.named == {step.id for step in self.plan.steps}
        self.memory: dict[Hashable, dict[str, RuleResult]] = {}
        self.defect_total = 0
        self._defects: Counter[str] = Counter()

    def defects(self) -> Mapping[str, int]:
        """Defects of this process, by rule code (or `answer:<field>` for an answer of a wrong type)."""
        return dict(self._defects)

    def count_defect(self, code: str, reason: str, listener: DefectListener | None) -> None:
        self._defects[code] += 1
        self.defect_total += 1
        if listener is not None:
            listener(code, reason)


@lru_cache(maxsize=256)
def compile_rules(form: Form, ruleset: RuleSet) -> CompiledRules:
    """The compiled rules, made once per process for each pair of form and rule set objects."""
    return CompiledRules(form, ruleset)


def _named(rule: Rule) -> frozenset[str]:
    names = fields_read(parse_condition(rule.when)) if rule.when is not None else frozenset()
    return names | {rule.at.field} if rule.at is not None else names


def _compile(form: Form, rule: Rule) -> _Program:
    for name in _named(rule):
        field = form.by_id.get(name)
        if field is None:
            raise ConditionInvalid(f"{rule.code}: form {form.code} has no field {name!r}")
        if field.sensitive is not None:
            raise ConditionInvalid(f"{rule.code}: {name} is personal data and cannot be read by a rule")
        if field.type not in READABLE:
            raise ConditionInvalid(f"{rule.code}: {name} of type {field.type} cannot be read by a rule")
    run = None if rule.when is None else cel.compile(rule.when)
    return _Program(rule.code, run, rule.at.field if rule.at else None, rule.hidden_unknown)


def evaluate(
    compiled: CompiledRules, answers: Mapping[str, Any], on_defect: DefectListener | None = None
) -> dict[str, RuleResult]:
    """The result of every rule for one block of answers, by rule code in rule order.

    A rule with `at` is present when its condition holds and its date is answered; `deadlines.at_ms` says
    from when.
    """
    reading = compiled.plan.read(answers)
    key = (tuple(reading.values.items()), reading.hidden)
    known = compiled.memory.get(key)
    if known is not None and not reading.untyped:
        return known.copy()
    before = compiled.defect_total
    for name in reading.untyped:
        compiled.count_defect(f"answer:{name}", "stored answer has another type than its field", on_defect)
    results = _evaluate(compiled, reading, on_defect)
    if compiled.defect_total == before:
        if len(compiled.memory) >= MEMORY:
            compiled.memory.clear()
        compiled.memory[key] = results
    return results.copy()


def _evaluate(
    compiled: CompiledRules, reading: Reading, on_defect: DefectListener | None
) -> dict[str, RuleResult]:
    values = reading.values
    if not compiled.exact:
        values = {name: value for name, value in values.items() if name in compiled.named}
    context = cel.Context({"a": values})
    strict_values, strict = values, context
    if not reading.hidden.isdisjoint(compiled.named_hidden_unknown):
        names = compiled.named_hidden_unknown - reading.hidden
        strict_values = {name: value for name, value in values.items() if name in names}
        strict = cel.Context({"a": strict_values})
    results: dict[str, RuleResult] = {}
    for program in compiled.programs:
        where, seen = (strict, strict_values) if program.hidden_unknown else (context, values)
        result = RuleResult.PRESENT if program.run is None else _judge(compiled, program, where, on_defect)
        if program.at is not None and result is RuleResult.PRESENT:
            result = _dated(program.at, seen)
        results[program.code] = result
    return results


def _judge(
    compiled: CompiledRules, program: _Program, context: cel.Context, on_defect: DefectListener | None
) -> RuleResult:
    assert program.run is not None
    try:
        verdict = program.run.execute(context)
    except KeyError:
        return RuleResult.UNKNOWN
    except Exception as error:  # noqa: BLE001 - whatever the library raises is a defect of the condition
        compiled.count_defect(program.code, f"{type(error).__name__}: {error}", on_defect)
        return RuleResult.UNKNOWN
    if verdict is True:
        return RuleResult.PRESENT
    if verdict is False:
        return RuleResult.ABSENT
    compiled.count_defect(program.code, f"result {verdict!r} is no boolean", on_defect)
    return RuleResult.UNKNOWN


def _dated(field: str, values: Mapping[str, Any]) -> RuleResult:
    if field not in values:
        return RuleResult.UNKNOWN
    return RuleResult.ABSENT if values[field] is None else RuleResult.PRESENT


def basis_in_force(form: Form, rule: Rule, answers: Mapping[str, Any]) -> tuple[Basis, ...]:
    """The grounds of a rule that hold in this case; one whose `when` is false or unknown does not."""
    conditions = [basis.when for basis in rule.basis if basis.when is not None]
    if not conditions:
        return rule.basis
    plan = _basis_plan(form, tuple(conditions))
    values = plan.read(answers).values
    return tuple(basis for basis in rule.basis if basis.when is None or judge_of(basis.when)(values) is True)


@lru_cache(maxsize=1024)
def _basis_plan(form: Form, conditions: tuple[str, ...]) -> Plan:
    return Plan(form, frozenset().union(*(fields_read(parse_condition(text)) for text in conditions)))
