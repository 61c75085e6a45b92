"""Which fields are shown, and the typed values that conditions read.

A field without `visible_when` is shown. Otherwise it is shown, hidden, or — when the answers it hangs on
are missing — neither: then it cannot be asked, is not required, and counts as unanswered even if an old
answer is still stored. Fields are taken in the form's order and may hang on earlier ones only, so chains
need no search.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from mobile_contract.forms.condition_syntax import (
    ConditionInvalid,
    fields_read,
    parse_condition,
)
from mobile_contract.forms.condition_value import Judge, judge_of
from mobile_contract.forms.definition import NUMERIC, UNKNOWN, Field, FieldType, Form

Answers: TypeAlias = Mapping[str, Any]


class Visibility(StrEnum):
    SHOWN = "shown"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class _Step:
    id: str
    judge: Judge | None
    convert: Callable[[Any], Any]
    is_list: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Hashable values by field (hidden → None or (); unanswered → absent), hidden fields, untyped answers."""

    values: dict[str, Any]
    hidden: frozenset[str]
    untyped: tuple[str, ...]


class Plan:
    """The fields a set of conditions depends on, in form order; made once, read for every visit."""

    def __init__(self, form: Form, wanted: Iterable[str]) -> None:
        needed = closure(form, wanted)
        self.steps = tuple(_step(form, field) for field in form.fields if field.id in needed)
        self.hideable = any(step.judge for step in self.steps)

    def read(self, answers: Answers) -> Reading:
        values: dict[str, Any] = {}
        hidden: list[str] = []
        untyped: list[str] = []
        for step in self.steps:
            if step.judge is not None:
                verdict = step.judge(values)
                if verdict is False:
                    values[step.id] = () if step.is_list else None
                    hidden.append(step.id)
                    continue
                if verdict is not True:
                    continue
            value = answers.get(step.id)
            if value is None:
                continue
            try:
                value = step.convert(value)
            except (TypeError, ValueError):
                untyped.append(step.id)
                continue
            if value is not None:
                values[step.id] = value
        return Reading(values, frozenset(hidden), tuple(untyped))


def closure(form: Form, wanted: Iterable[str]) -> frozenset[str]:
    """The wanted fields and all fields their visibility hangs on. Raises ConditionInvalid."""
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in form.by_id:
            raise ConditionInvalid(f"form {form.code} has no field {name!r}")
        found.add(name)
        waiting.extend(_hangs_on(form, form.by_id[name]))
    return frozenset(found)


def _hangs_on(form: Form, field: Field) -> frozenset[str]:
    if field.visible_when is None:
        return frozenset()
    names = fields_read(parse_condition(field.visible_when))
    for name in names:
        if name not in form.order or form.order[name] >= form.order[field.id]:
            raise ConditionInvalid(f"{field.id}: visible_when may only name earlier fields, not {name!r}")
    return names


def _step(form: Form, field: Field) -> _Step:
    _hangs_on(form, field)
    judge = judge_of(field.visible_when) if field.visible_when is not None else None
    convert = _CONVERT.get(field.type, _present)
    return _Step(field.id, judge, convert, field.type is FieldType.MANY_OF)


@lru_cache(maxsize=256)
def _whole_plan(form: Form) -> Plan:
    return Plan(form, form.by_id)


def visibility(form: Form, answers: Answers) -> dict[str, Visibility]:
    """Whether each field of the form is shown under these answers; the same as on the phone's screen."""
    plan = _whole_plan(form)
    values = plan.read(answers).values
    found: dict[str, Visibility] = {}
    for step in plan.steps:
        verdict = True if step.judge is None else step.judge(values)
        found[step.id] = (
            Visibility.SHOWN if verdict is True else Visibility.HIDDEN if verdict is False else Visibility.UNKNOWN
        )
    return found


def opened_forms(form: Form, answers: Answers) -> tuple[str, ...]:
    """Codes of the forms that these answers bring along: to be filled on the same visit, for the same place."""
    if not form.opens:
        return ()
    values = _whole_plan(form).read(answers).values
    return tuple(opening.form for opening in form.opens if judge_of(opening.when)(values) is True)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise TypeError(value)
    return int(value)


def _decimal(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _code(value: Any) -> str | None:
    return None if value == UNKNOWN else _text(value)


def _codes(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        raise TypeError(value)
    return None if UNKNOWN in value else tuple(map(_text, value))


def _day(value: Any) -> datetime:
    if len(_text(value)) != 10:
        raise ValueError(value)
    day = date.fromisoformat(value)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


def _present(value: Any) -> bool:
    """Photos, signatures and the like are never read; a condition can only ask whether they are there."""
    return True


_CONVERT: dict[FieldType, Callable[[Any], Any]] = {
    **dict.fromkeys(NUMERIC, _integer),
    FieldType.DECIMAL: _decimal,
    FieldType.BOOLEAN: _boolean,
    FieldType.TEXT: _text,
    FieldType.YES_NO: _code,
    FieldType.ONE_OF: _code,
    FieldType.MANY_OF: _codes,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
}
