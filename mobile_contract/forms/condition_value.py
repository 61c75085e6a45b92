"""Judges a condition in plain Python: the reference for showing fields and for publish checks.

Rules themselves run on the CEL library (`rules.evaluate`); tests hold the two equal on random conditions.
State: field → typed value, `None` for a field that is hidden (a hidden list is empty), absent when
unanswered.
"""

import operator
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

from mobile_contract.forms.condition_syntax import (
    And,
    Compare,
    Contains,
    FieldRef,
    Has,
    Member,
    Node,
    Not,
    Or,
    Truth,
    parse_condition,
)

State: TypeAlias = Mapping[str, Any]


class Failure(Enum):
    """Neither true nor false. MISSING: an answer is needed. ERROR: the condition itself is at fault."""

    MISSING = "missing"
    ERROR = "error"


Verdict: TypeAlias = bool | Failure
Judge: TypeAlias = Callable[[State], Verdict]

_ABSENT = object()
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@lru_cache(maxsize=2048)
def judge_of(text: str) -> Judge:
    """The compiled condition. Raises ConditionInvalid."""
    return compile_node(parse_condition(text))


def compile_node(node: Node) -> Judge:
    match node:
        case And(items):
            return _joined(tuple(compile_node(item) for item in items), decisive=False)
        case Or(items):
            return _joined(tuple(compile_node(item) for item in items), decisive=True)
        case Not(item):
            return _negated(compile_node(item))
        case Compare(op, field, FieldRef(other)):
            return _pairwise(op, field, other)
        case Compare(op, field, other):
            return _compared(op, field, other)
        case Member(field, values):
            return _looked_up(field, lambda value: value in values)
        case Contains(field, values):
            wanted = frozenset(values)
            return _looked_up(field, lambda value: not wanted.isdisjoint(value) if value is not None else None)
        case Has(field):
            return lambda state: field in state
        case Truth(field):
            return _looked_up(field, lambda value: value if isinstance(value, bool) else None)


def _joined(judges: tuple[Judge, ...], decisive: bool) -> Judge:
    """`&&` and `||`: one deciding side decides, whatever becomes of the others."""

    def judge(state: State) -> Verdict:
        outcome: Verdict = not decisive
        for inner in judges:
            verdict = inner(state)
            if verdict is decisive:
                return decisive
            if isinstance(verdict, Failure) and outcome is not Failure.ERROR:
                outcome = verdict
        return outcome

    return judge


def _negated(inner: Judge) -> Judge:
    def judge(state: State) -> Verdict:
        verdict = inner(state)
        return verdict if isinstance(verdict, Failure) else not verdict

    return judge


def _looked_up(field: str, test: Callable[[Any], bool | None]) -> Judge:
    def judge(state: State) -> Verdict:
        value = state.get(field, _ABSENT)
        if value is _ABSENT:
            return Failure.MISSING
        verdict = test(value)
        return Failure.ERROR if verdict is None else verdict

    return judge


def _compared(op: str, field: str, other: Any) -> Judge:
    if op == "==":
        return _looked_up(field, lambda value: bool(value == other))
    if op == "!=":
        return _looked_up(field, lambda value: bool(value != other))
    compare = _ORDERED[op]
    return _looked_up(field, lambda value: None if value is None else compare(value, other))


def _pairwise(op: str, field: str, other: str) -> Judge:
    def judge(state: State) -> Verdict:
        left, right = state.get(field, _ABSENT), state.get(other, _ABSENT)
        if left is _ABSENT or right is _ABSENT:
            return Failure.MISSING
        if op in _ORDERED:
            return Failure.ERROR if left is None or right is None else _ORDERED[op](left, right)
        return bool(left == right) is (op == "==")

    return judge
