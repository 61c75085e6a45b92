"""Plays a condition through every answer that matters, to see what it can become. For the publish checks.

Answers that matter: every choice the condition and the conditions behind it name plus one they do not,
numbers around every limit they name, hidden fields hidden. A missing answer is played only where `has()` asks for
it: elsewhere it can but make things unknown.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any

from mobile_contract.forms.condition_syntax import (
    Compare,
    Contains,
    Has,
    Member,
    Node,
    Or,
    Truth,
    fields_read,
    parse_condition,
    walk,
)
from mobile_contract.forms.condition_value import Failure, compile_node, judge_of
from mobile_contract.forms.definition import (
    CHOICE,
    NUMERIC,
    UNKNOWN,
    Field,
    FieldType,
    Form,
)
from mobile_contract.forms.visibility import closure

MAX_SCENARIOS = 200_000
_LEFT_OUT = object()

Finding = tuple[str, str]


class TooManyScenarios(ValueError):
    """The condition hangs on more combinations than can be played through."""


def scenarios(form: Form, nodes: Sequence[Node]) -> Iterator[dict[str, Any]]:
    """Every state that matters to these conditions, as values conditions read. Raises TooManyScenarios."""
    names = closure(form, frozenset().union(*(fields_read(node) for node in nodes)))
    fields = [field for field in form.fields if field.id in names]
    behind = [parse_condition(field.visible_when) for field in fields if field.visible_when is not None]
    parts = [part for node in [*nodes, *behind] for part in walk(node)]
    options = {field.id: _options(field, parts) for field in fields}
    for produced, state in enumerate(_states(fields, options, {})):
        if produced >= MAX_SCENARIOS:
            raise TooManyScenarios(f"more than {MAX_SCENARIOS} combinations of answers")
        yield state


def _states(fields: Sequence[Field], options: dict[str, list[Any]], state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not fields:
        yield dict(state)
        return
    field, rest = fields[0], fields[1:]
    shown = field.visible_when is None or judge_of(field.visible_when)(state)
    values: list[Any]
    if shown is False:
        values = [() if field.type is FieldType.MANY_OF else None]
    elif shown is True:
        values = options[field.id]
    else:
        values = [_LEFT_OUT] if shown is Failure.MISSING else []
    for value in values:
        if value is _LEFT_OUT:
            state.pop(field.id, None)
        else:
            state[field.id] = value
        yield from _states(rest, options, state)
    state.pop(field.id, None)


def _options(field: Field, parts: Sequence[Node]) -> list[Any]:
    is_asked_for = any(isinstance(part, Has) and part.field == field.id for part in parts)
    return _answers(field, parts) + [_LEFT_OUT] * is_asked_for


def _answers(field: Field, parts: Sequence[Node]) -> list[Any]:
    named: list[Any] = []
    for part in parts:
        match part:
            case Compare(_, name, other) if name == field.id and isinstance(other, str | int | float):
                named.append(other)
            case Member(name, values) | Contains(name, values) if name == field.id:
                named.extend(values)
    named = list(dict.fromkeys(named))
    if field.type is FieldType.MANY_OF:
        codes = _with_one_more(field, named)
        return list(chain.from_iterable(combinations(codes, size) for size in range(len(codes) + 1)))
    if field.type in CHOICE:
        return _with_one_more(field, named)
    if field.type in NUMERIC:
        return _around(field, named)
    if field.type is FieldType.BOOLEAN:
        return [True, False]
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        return [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days) for days in range(3)]
    return [*named, "\x01"]


def _with_one_more(field: Field, named: list[Any]) -> list[Any]:
    """The named choices of the field and the first that is not named; `unknown` counts as missing."""
    codes = [code for code in field.choice_codes if code != UNKNOWN]
    others = [code for code in codes if code not in named]
    return [code for code in codes if code in named] + others[:1]


def _around(field: Field, named: list[Any]) -> list[Any]:
    step: int | float = 0.5 if field.type is FieldType.DECIMAL else 1
    values = {limit + shift for limit in named or [field.minimum or 0] for shift in (-step, 0, step)}
    low = field.minimum if field.minimum is not None else min(values)
    high = field.maximum if field.maximum is not None else max(values)
    return sorted(value for value in values if low <= value <= high) or [low]


def reach_findings(form: Form, node: Node) -> list[Finding]:
    """What the condition can never become, and where it fails on a hidden field. Empty when all is well.

    Raises TooManyScenarios.
    """
    judge = compile_node(node)
    waiting = {id(part): (part, compile_node(part)) for part in _tracked(node)}
    seen: set[object] = set()
    unguarded = False
    for state in scenarios(form, [node]):
        verdict = judge(state)
        seen.add(verdict)
        unguarded = unguarded or verdict is Failure.ERROR
        for key in [key for key, (_, inner) in waiting.items() if inner(state) is True]:
            del waiting[key]
    findings: list[Finding] = []
    if unguarded:
        findings.append(("unguarded", "orders a field while it is hidden; guard it with what shows the field"))
    if True not in seen:
        findings.append(("never_true", "no answers make this true"))
    elif waiting:
        findings.extend(("unreachable", f"this part can never be true: {part}") for part, _ in waiting.values())
    if False not in seen:
        findings.append(("never_false", "no answers make this false"))
    return findings


def _tracked(node: Node) -> list[Node]:
    """Comparisons and the sides of `||`: each must be able to hold."""
    parts = [part for part in walk(node) if isinstance(part, Compare | Member | Contains | Truth | Has)]
    sides = [item for part in walk(node) if isinstance(part, Or) for item in part.items]
    return list({id(part): part for part in [*parts, *sides]}.values())
