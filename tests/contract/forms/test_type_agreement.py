"""Our type checks against an independent CEL type checker (a development tool only)."""

import re

import pytest

from mobile_contract.forms import Form, list_forms
from mobile_contract.forms.condition_syntax import parse_condition
from mobile_contract.rules import list_rules
from mobile_contract.rules.condition_types import type_findings
from tests.contract.forms import tiny_forms as tiny

checker = pytest.importorskip("cel_expr_python.cel")

TYPES = {
    "integer": checker.Type.INT,
    "money": checker.Type.INT,
    "decimal": checker.Type.DOUBLE,
    "boolean": checker.Type.BOOL,
    "date": checker.Type.TIMESTAMP,
    "datetime": checker.Type.TIMESTAMP,
    "many_of": checker.Type.List(checker.Type.STRING),
}


def passes(form: Form, text: str) -> bool:
    """Whether the other checker takes the condition; fields stand as variables, which it can type, but not ask for."""
    variables = {f"f_{field.id}": TYPES.get(field.type, checker.Type.STRING) for field in form.fields}
    text = re.sub(r"\bhas\(a\.[a-z_]+\)", "true", text)
    flat = re.sub(r"\ba\.([a-z_]+)(?!\w*\()", r"f_\1", text)
    try:
        return bool(checker.NewEnv(variables=variables).compile(flat).return_type() == checker.Type.BOOL)
    except Exception:
        return False


def test_conditions_shipped_pass_the_other_checker() -> None:
    rules = {ruleset.form: ruleset.rules for ruleset in list_rules()}
    checked = 0
    for form in list_forms():
        conditions = [field.visible_when for field in form.fields if field.visible_when is not None]
        conditions += [opening.when for opening in form.opens]
        conditions += [rule.when for rule in rules.get(form.code, ()) if rule.when is not None]
        for text in conditions:
            assert passes(form, text), text
        checked += len(conditions)
    assert checked > 90


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("a.count > 0", True),
        ("a.count > 0.5", False),
        ("a.size < 0.8", True),
        ("a.size < 1", False),
        ("a.one == 1", False),
        ("a.count == '1'", False),
        ("a.flag && a.count >= 1", True),
        ("!a.yes", False),
        ("a.one", False),
        ("'p' in a.many", True),
        ("'p' in a.one", False),
        ("a.many == 'p'", False),
        ("a.one in ['p', 'q']", True),
        ("a.count in ['p']", False),
        ("a.day < a.later", True),
        ("a.day < a.count", False),
        ("a.day < '2026-01-09'", False),
        ("a.many.exists(x, x == 'p' || x == 'q')", True),
        ("a.one.exists(x, x == 'p')", False),
        ("a.nothing == 'p'", False),
    ],
)
def test_type_findings_agree_with_the_other_checker(text: str, sound: bool) -> None:
    form = tiny.everything()
    ours = not list(type_findings(form, parse_condition(text), frozenset(form.by_id)))
    assert (ours, passes(form, text)) == (sound, sound)
