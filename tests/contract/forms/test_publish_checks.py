"""What publishing refuses, a case each; what is shipped passes; and the law is respected (rule lint)."""

from typing import Any

import pytest

from mobile_contract.forms import Form, get_form, header_form, list_forms
from mobile_contract.rules import RuleSet, list_rules, parse_rules, rules_document
from mobile_contract.rules.definition import COMMUNITY_ROLES, ENFORCEMENT
from mobile_contract.rules.publish_checks import PublishProblem, check_form, check_rules
from tests.contract.forms import tiny_forms as tiny

EVERYTHING = tiny.everything()


def codes(problems: list[PublishProblem]) -> set[str]:
    return {problem.code for problem in problems}


@pytest.mark.parametrize("form", [*list_forms(), header_form(), EVERYTHING], ids=lambda form: form.code)
def test_check_form_sound_form_passes(form: Form) -> None:
    assert check_form(form) == []


@pytest.mark.parametrize("ruleset", list_rules(), ids=lambda ruleset: ruleset.form)
def test_check_rules_shipped_rules_pass(ruleset: RuleSet) -> None:
    for version in ruleset.form_versions:
        assert check_rules(get_form(ruleset.form, version), ruleset) == []


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("a.one = 'p'", "condition_syntax"),
        ("size(a.many) > 0", "condition_syntax"),
        ("a.nothing == 'p'", "unknown_field"),
        ("has(a.nothing)", "unknown_field"),
        ("a.secret == 'p'", "sensitive_field"),
        ("has(a.pictures)", "wrong_type"),
        ("a.one == 1", "wrong_type"),
        ("a.one < 'p'", "wrong_type"),
        ("a.one == 'z'", "unknown_choice"),
        ("a.one in ['p', 'z']", "unknown_choice"),
        ("a.one == 'unknown'", "unknown_choice"),
        ("a.yes == 'maybe'", "unknown_choice"),
        ("'z' in a.many", "unknown_choice"),
        ("a.many.exists(x, x == 'p' || x == 'z')", "unknown_choice"),
        ("'p' in a.one", "wrong_type"),
        ("a.many == 'p'", "wrong_type"),
        ("a.many in ['p']", "wrong_type"),
        ("a.one", "wrong_type"),
        ("!a.yes", "wrong_type"),
        ("a.flag == 'true'", "wrong_type"),
        ("a.count > 0.5", "wrong_type"),
        ("a.count == '1'", "wrong_type"),
        ("a.size < 1", "wrong_type"),
        ("a.fee > 1.5", "wrong_type"),
        ("a.day < '2026-01-09'", "wrong_type"),
        ("a.day < a.count", "wrong_type"),
        ("a.one == a.shown", "wrong_type"),
        ("a.wide < 0.8", "unguarded"),
        ("a.yes == 'no' || a.wide < 0.8", None),
        ("a.one == 'p' && a.wide < 0.8", "unguarded"),
        ("a.yes == 'yes' && a.wide < 0.8", None),
        ("!(a.yes == 'no') && a.wide < 0.8", None),
        ("a.wide == 0.8", None),
        ("a.one == 'p' && a.one == 'q'", "never_true"),
        ("a.one == 'q' && a.shown == 'x'", "never_true"),
        ("'m' in a.chained && a.shown == 'y'", "never_true"),
        ("a.count > 3 && a.count < 2", "never_true"),
        ("a.one == 'p' || a.one != 'p'", "never_false"),
        ("a.one == 'p' || a.one == 'q' && a.shown == 'x'", "unreachable"),
        ("a.one == 'p' && a.many.exists(x, x == 'p' || x == 'q') && a.flag && a.count >= 2", None),
        ("a.day < a.later", None),
        ("has(a.day)", None),
        ("!has(a.day) && a.flag", None),
        ("has(a.day) && !has(a.day)", "never_true"),
    ],
)
def test_check_rules_condition_is_judged(when: str, code: str | None) -> None:
    found = codes(check_rules(EVERYTHING, tiny.rules(tiny.rule(when))))
    assert found == (set() if code is None else {code})


def test_check_rules_condition_on_too_much_is_refused() -> None:
    form = tiny.form(*(tiny.field(f"f{number}", "one_of", "p q r") for number in range(20)))
    when = " && ".join(f"a.f{number} != 'p'" for number in range(20))
    assert codes(check_rules(form, tiny.rules(tiny.rule(when)))) == {"too_complex"}


def test_check_rules_number_beyond_what_a_field_allows_is_unreachable() -> None:
    form = tiny.form(tiny.field("floor", "integer", maximum=200))
    assert codes(check_rules(form, tiny.rules(tiny.rule("a.floor > 300")))) == {"never_true"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"at": "nothing - 1 days"}, "unknown_field"),
        ({"at": "count - 1 days"}, "wrong_type"),
        ({"hidden": "unknown"}, "pointless"),
        ({"actions": ["dance"]}, "unknown_action"),
        ({"actions": [{"do": "refer", "to": "navy"}]}, "unknown_department"),
        ({"actions": [{"do": "refer", "by": "king"}]}, "unknown_role"),
        ({"evidence": ["hearsay"]}, "unknown_evidence"),
        ({"evidence": []}, "unknown_evidence"),
        ({"closers": ["grid_worker"]}, "unknown_closer"),
        ({"closers": []}, "unknown_closer"),
        ({"group": "TNY-01"}, "group_is_code"),
        ({"basis": [{"mark": "V", "text": "《消防法》第二十八条"}]}, "unverified_law"),
        ({"basis": [{"mark": "V", "text": "-", "source": "L11"}]}, "unverified_law"),
        ({"basis": [{"mark": "V", "text": "-", "source": "L12"}]}, "unverified_law"),
        ({"basis": [{"mark": "U", "text": "《消防法》第二十八条", "source": "L1"}]}, "unverified_law"),
        ({"basis": [{"mark": "D", "text": "《消防法》第28条"}]}, "unverified_law"),
        ({"basis": [{"mark": "U", "text": "-", "when": "a.one == 'z'"}]}, "unknown_choice"),
    ],
)
def test_check_rules_unsound_rule_is_refused(change: dict[str, Any], code: str) -> None:
    assert codes(check_rules(EVERYTHING, tiny.rules(tiny.rule("a.flag") | change))) == {code}


def test_check_rules_group_of_hazard_and_service_gap_is_refused() -> None:
    items = [
        tiny.rule("a.flag", group="TNY-GRP"),
        tiny.rule("a.one == 'p'", code="TNY-02", group="TNY-GRP", severity="blue"),
    ]
    assert codes(check_rules(EVERYTHING, tiny.rules(*items))) == {"mixed_group"}


def test_check_rules_of_another_form_are_refused() -> None:
    assert "wrong_form" in codes(check_rules(get_form("ebike_charging", 1), tiny.rules(tiny.rule("a.flag"))))
    assert "wrong_form" in codes(check_rules(EVERYTHING, tiny.rules(tiny.rule("a.flag"), form_versions=[2])))


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (tiny.field("x", visible_when="a.one == 'p' &&"), "condition_syntax"),
        (tiny.field("x", visible_when="a.x == 'p'"), "forward_reference"),
        (tiny.field("x", visible_when="a.after == 'p'"), "forward_reference"),
        (tiny.field("x", visible_when="a.nothing == 'p'"), "unknown_field"),
        (tiny.field("x", visible_when="a.one == 'z'"), "unknown_choice"),
        (tiny.field("x", visible_when="a.secret == 'z'"), "sensitive_field"),
        (tiny.field("x", visible_when="a.one == 'p' && a.one == 'q'"), "never_true"),
        (tiny.field("x", visible_when="a.one == 'q' && a.shown == 'x'"), "never_true"),
        (tiny.field("x", visible_when="a.one == 'p' || a.one != 'p'"), "never_false"),
        (tiny.field("x", visible_when="a.number > 1"), "unguarded"),
        (tiny.field("x", visible_when="a.day < a.later"), "condition_syntax"),
        (tiny.field("x", "one_of", choices={"p": tiny.label("p") | {"exclusive": True}}), "wrong_type"),
    ],
)
def test_check_form_unsound_field_is_refused(field: dict[str, Any], code: str) -> None:
    form = tiny.form(
        tiny.field("one", "one_of", "p q unknown"),
        tiny.field("shown", "one_of", "x y", visible_when="a.one == 'p'"),
        tiny.field("number", "integer", visible_when="a.one == 'p'"),
        tiny.field("secret", sensitive="name"),
        tiny.field("day", "date"),
        tiny.field("later", "date"),
        field,
        tiny.field("after"),
    )
    assert codes(check_form(form)) == {code}


def test_check_form_personal_data_may_be_shown_because_of_personal_data() -> None:
    secret = tiny.field("secret", "one_of", "p q", sensitive="welfare")
    for sensitive, code in ((None, {"sensitive_field"}), ("welfare", set())):
        shown = tiny.field("x", visible_when="a.secret == 'p'", **({"sensitive": sensitive} if sensitive else {}))
        assert codes(check_form(tiny.form(secret, shown))) == code


def test_check_form_field_shown_once_another_is_answered_passes() -> None:
    fields = [tiny.field("day", "date"), tiny.field("x", visible_when="has(a.day)")]
    assert check_form(tiny.form(*fields, tiny.field("y", visible_when="has(a.day) && a.x == 'p'"))) == []


@pytest.mark.parametrize(
    ("opening", "code"),
    [
        ({"form": "other", "when": "a.flag"}, None),
        ({"form": "tiny", "when": "a.flag"}, "wrong_form"),
        ({"form": "other", "when": "a.nothing"}, "unknown_field"),
        ({"form": "other", "when": "has(a.secret)"}, "sensitive_field"),
        ({"form": "other", "when": "a.flag || !a.flag"}, "never_false"),
        ({"form": "other", "when": "a.flag &&"}, "condition_syntax"),
    ],
)
def test_check_form_opening_is_judged(opening: dict[str, str], code: str | None) -> None:
    form = tiny.form(tiny.field("flag", "boolean"), tiny.field("secret", sensitive="name"), opens=[opening])
    assert codes(check_form(form)) == (set() if code is None else {code})


@pytest.mark.parametrize(
    "field",
    [
        tiny.field("x", visible_when="a.flag"),
        tiny.field("x", sensitive="name"),
        tiny.field("x", "many_of", "p q"),
        tiny.field("x", "decimal"),
    ],
)
def test_check_form_unfit_locus_is_refused(field: dict[str, Any]) -> None:
    assert codes(check_form(tiny.form(tiny.field("flag", "boolean"), field, locus=["x"]))) == {"bad_locus"}


def lawful(form: Form, ruleset: RuleSet) -> None:
    """The promise: the community is offered no act of public power, nothing unverified reads as law."""
    assert codes(check_rules(form, ruleset)).isdisjoint({"unlawful_action", "unverified_law"})


@pytest.mark.parametrize("ruleset", list_rules(), ids=lambda ruleset: ruleset.form)
def test_rules_shipped_respect_the_law(ruleset: RuleSet) -> None:
    lawful(get_form(ruleset.form, 1), ruleset)


BREACHES: list[dict[str, Any]] = [
    {"actions": [act]} for act in ENFORCEMENT
] + [
    {"actions": [{"do": act, "by": role}]} for act in ENFORCEMENT for role in COMMUNITY_ROLES
] + [
    {"actions": [{"do": "fix", "note": {"zh": "当场断电", "en": "-"}}]},
    {"actions": [{"do": "notice", "note": {"zh": "-", "en": "Threaten a fine"}}]},
    {"due_note": {"zh": "逾期罚款", "en": "-"}},
    {"basis": [{"mark": "V", "text": "《某省条例》第二十八条", "source": "L11"}]},
    {"basis": [{"mark": "U", "text": "《消防法》第二十八条", "source": "L1"}]},
]  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
@pytest.mark.parametrize("ruleset", list_rules(), ids=lambda ruleset: ruleset.form)
def test_rules_with_a_seeded_breach_are_caught(ruleset: RuleSet, breach: dict[str, Any]) -> None:
    document = rules_document(ruleset)
    document["rules"][-1] |= breach
    with pytest.raises(AssertionError):
        lawful(get_form(ruleset.form, 1), parse_rules(document))


def test_check_rules_act_of_public_power_by_an_authority_is_allowed() -> None:
    acts = [{"do": act, "by": role} for act in ENFORCEMENT for role in ("street", "department")]
    assert check_rules(EVERYTHING, tiny.rules(tiny.rule("a.flag", actions=acts))) == []
