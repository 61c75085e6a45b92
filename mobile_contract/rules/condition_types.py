"""Strict types for conditions: what a form's fields may be compared with. Part of the publish checks.

CEL itself coerces nothing and compares unlike things as unequal, so a slip would be silently absent on every
phone; here it is refused before anything is published.
"""

from collections.abc import Iterator

from mobile_contract.forms.condition_syntax import (
    Compare,
    Contains,
    FieldRef,
    Has,
    Literal,
    Member,
    Node,
    Truth,
    walk,
)
from mobile_contract.forms.definition import (
    CHOICE,
    READABLE,
    UNKNOWN,
    Field,
    FieldType,
    Form,
)

Finding = tuple[str, str]
"""(code, message)"""

_ORDERED = frozenset({"<", "<=", ">", ">="})
_LITERALS = {
    FieldType.INTEGER: int,
    FieldType.MONEY: int,
    FieldType.DECIMAL: float,
    FieldType.TEXT: str,
    FieldType.ONE_OF: str,
    FieldType.YES_NO: str,
}
_COMPARABLE = frozenset({FieldType.INTEGER, FieldType.MONEY, FieldType.DECIMAL, FieldType.DATE, FieldType.DATETIME})


def type_findings(form: Form, node: Node, known: frozenset[str], personal: bool = False) -> Iterator[Finding]:
    """Everything wrong with the names and types of a condition that may read the fields `known`.

    `personal`: it decides about personal data, and so may read some.
    """
    for part in walk(node):
        match part:
            case Compare(op, name, FieldRef(other)):
                yield from _readable(form, name, known, personal)
                yield from _readable(form, other, known, personal)
                if name in known and other in known:
                    yield from _pair(form.by_id[name], op, form.by_id[other])
            case Compare(op, name, str() | int() | float() as value):
                yield from _readable(form, name, known, personal)
                if name in known:
                    yield from _literal(form.by_id[name], value, op)
            case Member(name, values):
                yield from _readable(form, name, known, personal)
                for value in values if name in known else ():
                    yield from _literal(form.by_id[name], value, "in")
            case Contains(name, codes):
                yield from _readable(form, name, known, personal)
                for code in codes if name in known else ():
                    yield from _item(form.by_id[name], code)
            case Truth(name):
                yield from _readable(form, name, known, personal)
                if name in known and form.by_id[name].type is not FieldType.BOOLEAN:
                    yield "wrong_type", f"{name} is {form.by_id[name].type}, it cannot stand alone"
            case Has(name):
                yield from _readable(form, name, known, personal)


def _readable(form: Form, name: str, known: frozenset[str], personal: bool) -> Iterator[Finding]:
    field = form.by_id.get(name)
    if field is None:
        yield "unknown_field", f"form {form.code} has no field {name}"
    elif name not in known:
        yield "forward_reference", f"{name} stands later in the form or is the field itself"
    elif field.sensitive is not None and not personal:
        yield "sensitive_field", f"{name} is personal data ({field.sensitive}) and cannot be read"
    elif field.type not in READABLE:
        yield "wrong_type", f"{name} is {field.type}, which no condition can read"


def _pair(left: Field, op: str, right: Field) -> Iterator[Finding]:
    if left.type is not right.type:
        yield "wrong_type", f"{left.id} is {left.type} but {right.id} is {right.type}"
    elif left.type not in _COMPARABLE:
        yield "wrong_type", f"{left.id} and {right.id} of type {left.type} cannot be compared ({op})"


def _literal(field: Field, value: Literal, op: str) -> Iterator[Finding]:
    wanted = _LITERALS.get(field.type)
    if wanted is None:
        yield "wrong_type", f"{field.id} is {field.type}; {op} with a literal does not fit"
    elif type(value) is not wanted:
        hint = "1" if wanted is int else "0.8" if wanted is float else "'text'"
        yield "wrong_type", f"{field.id} is {field.type}; write {hint}, not {value!r}"
    elif op in _ORDERED and wanted is str:
        yield "wrong_type", f"{field.id} is {field.type}; it has no order"
    elif field.type in CHOICE:
        yield from _choice(field, str(value))


def _item(field: Field, code: str) -> Iterator[Finding]:
    if field.type is not FieldType.MANY_OF:
        yield "wrong_type", f"{field.id} is {field.type}, not a list"
    else:
        yield from _choice(field, code)


def _choice(field: Field, code: str) -> Iterator[Finding]:
    if code == UNKNOWN:
        yield "unknown_choice", f"{field.id} never equals 'unknown': that answer counts as missing"
    elif code not in field.choice_codes:
        yield "unknown_choice", f"{field.id} has no choice {code!r}"
