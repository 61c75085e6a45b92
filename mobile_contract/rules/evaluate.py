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
from mobile_contract.forms.visibility import Plan
from mobile_contract.rules.definition import Basis, Rule, RuleSet


class RuleResult(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


MEMORY = 1024
"""Results remembered per rule. A rule reads a handful of answers with a handful of choices, and its result is a
function of these alone; building a context costs more than all rules of a form together."""

_MISSING = object()

DefectListener = Callable[[str, str], None]
"""Called with a rule code and the reason of a defect."""


@dataclass(frozen=True, slots=True)
class _Program:
    code: str
    names: tuple[str, ...]
    run: cel.Program | None
    at: str | None
    hidden_unknown: bool
    memory: dict[tuple[Hashable, ...], RuleResult]


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
        self.named = frozenset().union(*(program.names for program in self.programs))
        self.hidden_unknown = any(program.hidden_unknown for program in self.programs)
        self.plan = Plan(form, self.named)
        self._defects: Counter[str] = Counter()

    def defects(self) -> Mapping[str, int]:
        """Defects of this process, by rule code (or `answer:<field>` for an answer of a wrong type)."""
        return dict(self._defects)

    def count_defect(self, code: str, reason: str, listener: DefectListener | None) -> None:
        self._defects[code] += 1
        if listener is not None:
            listener(code, reason)


@lru_cache(maxsize=256)
def compile_rules(form: Form, ruleset: RuleSet) -> CompiledRules:
    """The compiled rules, made once per process for each pair of form and rule set objects."""
    return CompiledRules(form, ruleset)


def _compile(form: Form, rule: Rule) -> _Program:
    names = fields_read(parse_condition(rule.when)) if rule.when is not None else frozenset()
    if rule.at is not None:
        names |= {rule.at.field}
    for name in names:
        field = form.by_id.get(name)
        if field is None:
            raise ConditionInvalid(f"{rule.code}: form {form.code} has no field {name!r}")
        if field.sensitive is not None:
            raise ConditionInvalid(f"{rule.code}: {name} is personal data and cannot be read by a rule")
        if field.type not in READABLE:
            raise ConditionInvalid(f"{rule.code}: {name} of type {field.type} cannot be read by a rule")
    run = None if rule.when is None else cel.compile(rule.when)
    return _Program(rule.code, tuple(sorted(names)), run, rule.at.field if rule.at else None, rule.hidden_unknown, {})


def evaluate(
    compiled: CompiledRules, answers: Mapping[str, Any], on_defect: DefectListener | None = None
) -> dict[str, RuleResult]:
    """The result of every rule for one block of answers, by rule code in rule order.

    A rule with `at` is present when its condition holds and its date is answered; `deadlines.at_ms` says
    from when.
    """
    reading = compiled.plan.read(answers)
    for name in reading.untyped:
        compiled.count_defect(f"answer:{name}", "stored answer has another type than its field", on_defect)
    values = strict = reading.values
    if compiled.hidden_unknown and reading.hidden:
        strict = {name: value for name, value in values.items() if name not in reading.hidden}
    contexts: dict[bool, cel.Context] = {}
    results: dict[str, RuleResult] = {}
    for program in compiled.programs:
        seen = strict if program.hidden_unknown else values
        key = tuple([seen.get(name, _MISSING) for name in program.names])
        result = program.memory.get(key)
        if result is None:
            context = contexts.get(program.hidden_unknown)
            if context is None:
                context = cel.Context({"a": {name: seen[name] for name in compiled.named if name in seen}})
                contexts[program.hidden_unknown] = context
            result = _fresh(compiled, program, context, seen, key, on_defect)
        results[program.code] = result
    return results


def _fresh(
    compiled: CompiledRules,
    program: _Program,
    context: cel.Context,
    seen: Mapping[str, Any],
    key: tuple[Hashable, ...],
    on_defect: DefectListener | None,
) -> RuleResult:
    """Runs the condition and remembers its result; a defect is not remembered, so every one is counted."""
    result: RuleResult | str = RuleResult.PRESENT if program.run is None else _run(program.run, context)
    if not isinstance(result, RuleResult):
        compiled.count_defect(program.code, result, on_defect)
        return RuleResult.UNKNOWN
    if program.at is not None and result is RuleResult.PRESENT:
        result = _dated(program.at, seen)
    if len(program.memory) >= MEMORY:
        program.memory.clear()
    program.memory[key] = result
    return result


def _run(program: cel.Program, context: cel.Context) -> RuleResult | str:
    """The result of a condition, or the reason of its defect."""
    try:
        verdict = program.execute(context)
    except KeyError:
        return RuleResult.UNKNOWN
    except Exception as error:  # whatever else the library raises is a defect of the condition
        return f"{type(error).__name__}: {error}"
    if isinstance(verdict, bool):
        return RuleResult.PRESENT if verdict else RuleResult.ABSENT
    return f"result {verdict!r} is no boolean"


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
