"""Turns "this condition is true" into JSON Schema, so that a validator alone knows which answers are
required.

The three-valued logic is carried over by making two schemas of every condition: one that holds exactly
when it is true, one exactly when it is false. Where neither holds, an answer is missing.
"""

from typing import Any

from mobile_contract.forms.condition_syntax import (
    And,
    Compare,
    ConditionInvalid,
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
from mobile_contract.forms.definition import UNKNOWN, FieldType, Form

Schema = dict[str, Any]

_KEYWORDS = {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def shown_schema(form: Form, field_id: str) -> Schema | None:
    """Holds exactly when the field is shown; None when it always is. Raises ConditionInvalid."""
    text = form.by_id[field_id].visible_when
    return None if text is None else _when(form, parse_condition(text), True)


def _hidden_schema(form: Form, field_id: str) -> Schema | None:
    """Holds exactly when the field is hidden; None when it never is."""
    text = form.by_id[field_id].visible_when
    return None if text is None else _when(form, parse_condition(text), False)


def _when(form: Form, node: Node, wanted: bool) -> Schema:
    match node:
        case Not(item):
            return _when(form, item, not wanted)
        case And(items):
            return {"allOf" if wanted else "anyOf": [_when(form, item, wanted) for item in items]}
        case Or(items):
            return {"anyOf" if wanted else "allOf": [_when(form, item, wanted) for item in items]}
        case Has(field):
            return _has(form, field, wanted)
        case Truth(field):
            return _answered(form, field, {"const": wanted})
        case Member(field, values):
            return _equality(form, field, {"enum": list(values)}, wanted)
        case Contains(field, values):
            return _equality(form, field, {"contains": {"enum": list(values)}}, wanted)
        case Compare(_, _, FieldRef()):
            raise ConditionInvalid("visible_when compares a field with a literal only")
        case Compare("==", field, value):
            return _equality(form, field, {"const": value}, wanted)
        case Compare("!=", field, value):
            return _equality(form, field, {"const": value}, not wanted)
        case Compare(op, field, value):
            return _answered(form, field, {_KEYWORDS[op if wanted else _OPPOSITE[op]]: value})


def _equality(form: Form, field: str, test: Schema, wanted: bool) -> Schema:
    """A hidden field is null (a hidden list empty): equal to nothing, which is a definite false."""
    if wanted:
        return _answered(form, field, test)
    hidden = _hidden_schema(form, field)
    differs = _answered(form, field, {"not": test})
    return differs if hidden is None else {"anyOf": [hidden, differs]}


def _answered(form: Form, name: str, test: Schema) -> Schema:
    """The field is shown, has an answer other than unknown, and the answer passes."""
    field = form.by_id[name]
    tests = [test]
    if field.has_unknown:
        is_list = field.type is FieldType.MANY_OF
        tests.append({"not": {"contains": {"const": UNKNOWN}} if is_list else {"const": UNKNOWN}})
    schema: Schema = {"required": [name], "properties": {name: test if len(tests) == 1 else {"allOf": tests}}}
    shown = shown_schema(form, name)
    return schema if shown is None else {"allOf": [shown, schema]}


def _has(form: Form, field: str, wanted: bool) -> Schema:
    answered = _answered(form, field, {})
    hidden = _hidden_schema(form, field)
    there = answered if hidden is None else {"anyOf": [hidden, answered]}
    return there if wanted else {"not": there}
