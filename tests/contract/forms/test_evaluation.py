"""Three values, hidden fields, dated rules, defects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_contract.forms import Visibility, visibility
from mobile_contract.forms.condition_syntax import ConditionInvalid
from mobile_contract.rules import at_ms, basis_in_force, compile_rules, evaluate
from tests.contract.forms import tiny_forms as tiny

EVERYTHING = tiny.everything()


def result(when: str | None, answers: dict[str, Any], **more: Any) -> str:
    compiled = compile_rules(EVERYTHING, tiny.rules(tiny.rule(when, **more)))
    found = evaluate(compiled, answers)["TNY-01"]
    assert compiled.defects() == {}
    return found


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("a.one == 'p' || a.yes == 'yes'", "present"),
        ("a.yes == 'yes' || a.one == 'p'", "present"),
        ("a.one != 'p' || a.yes == 'yes'", "unknown"),
        ("a.one != 'p' && a.yes == 'yes'", "absent"),
        ("a.yes == 'yes' && a.one != 'p'", "absent"),
        ("a.one == 'p' && a.yes == 'yes'", "unknown"),
        ("!(a.yes == 'yes')", "unknown"),
        ("has(a.yes)", "absent"),
        ("has(a.one) && !has(a.yes)", "present"),
    ],
)
@pytest.mark.parametrize("missing", [{}, {"yes": "unknown"}])
def test_evaluate_missing_answer_decides_only_if_it_matters(when: str, expected: str, missing: dict[str, Any]) -> None:
    assert result(when, {"one": "p"} | missing) == expected


@pytest.mark.parametrize(
    ("when", "hidden", "as_unknown"),
    [
        ("a.shown == 'x'", "absent", "unknown"),
        ("a.shown in ['x', 'y']", "absent", "unknown"),
        ("a.shown != 'x'", "present", "unknown"),
        ("'m' in a.chained", "absent", "unknown"),
        ("a.chained.exists(v, v == 'm' || v == 'n')", "absent", "unknown"),
        ("a.shown == 'x' || a.one == 'q'", "present", "present"),
    ],
)
def test_evaluate_hidden_field_is_not_applicable_unless_the_rule_says_unknown(
    when: str, hidden: str, as_unknown: str
) -> None:
    answers = {"one": "q", "shown": "x", "chained": ["m"]}
    assert result(when, answers) == hidden
    assert result(when, answers, hidden="unknown") == as_unknown


def test_evaluate_rules_of_both_kinds_do_not_disturb_each_other() -> None:
    ruleset = tiny.rules(
        tiny.rule("a.shown == 'x'"),
        tiny.rule("a.shown == 'x' && a.flag", code="TNY-02", hidden="unknown"),
        tiny.rule("a.shown != 'x' && a.flag", code="TNY-03"),
    )
    found = evaluate(compile_rules(EVERYTHING, ruleset), {"one": "q", "flag": True})
    assert found == {"TNY-01": "absent", "TNY-02": "unknown", "TNY-03": "present"}


def test_visibility_chain_follows_hidden_and_missing_answers() -> None:
    def chain(answers: dict[str, Any]) -> tuple[str, str]:
        states = visibility(EVERYTHING, answers)
        return states["shown"], states["chained"]

    assert chain({"one": "p", "shown": "x"}) == (Visibility.SHOWN, Visibility.SHOWN)
    assert chain({"one": "p", "shown": "y"}) == (Visibility.SHOWN, Visibility.HIDDEN)
    assert chain({"one": "p"}) == (Visibility.SHOWN, Visibility.UNKNOWN)
    assert chain({"one": "q", "shown": "x"}) == (Visibility.HIDDEN, Visibility.HIDDEN)
    assert chain({"shown": "x"}) == (Visibility.UNKNOWN, Visibility.UNKNOWN)
    assert chain({"one": "unknown", "shown": "x"}) == (Visibility.UNKNOWN, Visibility.UNKNOWN)


def test_evaluate_answer_of_an_undecided_field_counts_as_missing() -> None:
    assert result("a.shown == 'x'", {"shown": "x"}) == "unknown"


@pytest.mark.parametrize(
    ("when", "answers", "expected"),
    [
        ("a.count > 0", {"count": 1}, "present"),
        ("a.count > 0", {"count": 1.0}, "present"),
        ("a.count == 9007199254740991", {"count": 2**53 - 1}, "present"),
        ("a.size < 0.8", {"size": 0}, "present"),
        ("a.size == 1.0", {"size": 1}, "present"),
        ("a.fee >= 1000", {"fee": 999}, "absent"),
        ("a.day < a.later", {"day": "2026-01-09", "later": "2026-01-10"}, "present"),
        ("a.day == a.later", {"day": "2026-01-09", "later": "2026-01-10"}, "absent"),
        ("a.word == '灯'", {"word": "灯"}, "present"),
        ("a.word == 'unknown'", {"word": "unknown"}, "present"),
        ("'p' in a.many", {"many": []}, "absent"),
        ("!a.flag", {"flag": False}, "present"),
    ],
)
def test_evaluate_typed_answers_compare_as_their_type(when: str, answers: dict[str, Any], expected: str) -> None:
    assert result(when, answers) == expected


def test_evaluate_dated_rule_needs_its_date() -> None:
    with_date = tiny.form(tiny.field("kept", "yes_no"), tiny.field("until", "date", visible_when="a.kept == 'yes'"))
    ruleset = tiny.rules(tiny.rule(at="until - 30 days"))
    compiled = compile_rules(with_date, ruleset)
    answers = {"kept": "yes", "until": "2026-03-01"}
    assert evaluate(compiled, answers) == {"TNY-01": "present"}
    assert evaluate(compiled, {"kept": "yes"}) == {"TNY-01": "unknown"}
    assert evaluate(compiled, {"kept": "no", "until": "2026-03-01"}) == {"TNY-01": "absent"}
    # 2026-01-30 00:00 in Shanghai is 2026-01-29 16:00 UTC.
    assert at_ms(ruleset.rules[0], answers) == 1_769_702_400_000
    assert at_ms(ruleset.rules[0], {}) is None
    assert at_ms(ruleset.rules[0], {"until": "2026-13-01"}) is None
    assert at_ms(tiny.rules(tiny.rule("a.kept == 'yes'")).rules[0], answers) is None


def test_evaluate_dated_rule_with_a_false_condition_is_absent() -> None:
    assert result("a.flag", {"flag": False, "day": "2026-03-01"}, at="day + 1 days") == "absent"
    assert result("a.flag", {"flag": True, "day": "2026-03-01"}, at="day") == "present"
    assert result("a.flag", {"day": "2026-03-01"}, at="day") == "unknown"


def test_evaluate_failing_condition_is_a_counted_defect() -> None:
    ruleset = tiny.rules(
        tiny.rule("a.wide < 0.8"), tiny.rule("a.word", code="TNY-02"), tiny.rule("a.flag", code="TNY-03")
    )
    compiled = compile_rules(EVERYTHING, ruleset)
    heard: list[tuple[str, str]] = []
    answers = {"yes": "no", "word": "x", "flag": True}
    for times in (1, 2):
        found = evaluate(compiled, answers, lambda code, reason: heard.append((code, reason)))
        assert found == {"TNY-01": "unknown", "TNY-02": "unknown", "TNY-03": "present"}
        assert compiled.defects() == {"TNY-01": times, "TNY-02": times}
    assert [code for code, _ in heard] == ["TNY-01", "TNY-02"] * 2


def test_evaluate_stored_answer_of_another_type_is_a_defect_not_a_crash() -> None:
    compiled = compile_rules(EVERYTHING, tiny.rules(tiny.rule("a.count > 0"), tiny.rule("a.flag", code="TNY-02")))
    wrongs: list[Any] = ["1", 1.5, True, [1], {}]
    for wrong in wrongs:
        assert evaluate(compiled, {"count": wrong, "flag": True}) == {
            "TNY-01": "unknown",
            "TNY-02": "present",
        }
    assert compiled.defects() == {"answer:count": 5}


def test_compile_rules_reading_what_it_may_not_is_refused() -> None:
    for when in ("a.secret == 'x'", "has(a.pictures)", "a.nothing == 'x'"):
        with pytest.raises(ConditionInvalid):
            compile_rules(EVERYTHING, tiny.rules(tiny.rule(when)))
    with pytest.raises(ConditionInvalid):
        compile_rules(EVERYTHING, tiny.rules(tiny.rule("a.flag"), form_versions=[2]))


def test_evaluate_context_never_holds_personal_data() -> None:
    compiled = compile_rules(EVERYTHING, tiny.rules(tiny.rule("a.one == 'p' || a.shown == 'x'")))
    values = compiled.plan.read({"one": "p", "secret": "赵一", "word": "x"}).values
    assert set(values) == {"one"}


def test_basis_in_force_narrowed_ground_holds_only_in_its_case() -> None:
    item = tiny.rule(
        "a.flag",
        basis=[
            {"mark": "V", "source": "L1", "text": "甲", "when": "a.one == 'p'"},
            {"mark": "U", "text": "乙", "when": "a.one != 'p'"},
            {"mark": "U", "text": "丙"},
        ],
    )
    held = tiny.rules(item).rules[0]

    def texts(answers: dict[str, Any]) -> str:
        return "".join(basis.text for basis in basis_in_force(EVERYTHING, held, answers))

    assert (texts({"one": "p"}), texts({"one": "q"}), texts({})) == ("甲丙", "乙丙", "丙")


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "one": st.sampled_from(["p", "q", "r", "unknown"]),
        "many": st.lists(st.sampled_from(["p", "q", "r"]), unique=True),
        "yes": st.sampled_from(["yes", "no", "unknown"]),
        "count": st.integers(-3, 3),
        "shown": st.sampled_from(["x", "y"]),
        "wide": st.floats(0, 2),
    },
)


def oracle(answers: dict[str, Any]) -> dict[str, str]:
    """The three rules below in plain words of Python, written without the condition code."""
    one, yes = answers.get("one"), answers.get("yes")
    one = None if one == "unknown" else one
    yes = None if yes == "unknown" else yes
    many, count = answers.get("many"), answers.get("count")
    first = "unknown" if many is None else "present" if "p" in many else "absent"
    if first != "present" and (count is None or count > 0):
        first = "unknown" if count is None or first == "unknown" else first
        first = "present" if count is not None and count > 0 else first
    if yes is None:
        second = "unknown"
    elif yes == "no":
        second = "absent"
    else:
        wide = answers.get("wide")
        second = "unknown" if wide is None else "present" if wide < 0.8 else "absent"
    third = "unknown"
    if one is not None:
        shown = answers.get("shown") if one == "p" else "hidden"
        third = "unknown" if shown is None else "present" if shown == "x" else "absent"
    return {"TNY-01": first, "TNY-02": second, "TNY-03": third}


@given(ANSWERS)
def test_evaluate_random_answers_agree_with_the_oracle(answers: dict[str, Any]) -> None:
    compiled = compile_rules(EVERYTHING, ORACLE_RULES)
    assert evaluate(compiled, answers) == oracle(answers)
    assert compiled.defects() == {}


ORACLE_RULES = tiny.rules(
    tiny.rule("'p' in a.many || a.count > 0"),
    tiny.rule("a.yes == 'yes' && a.wide < 0.8", code="TNY-02"),
    tiny.rule("a.shown == 'x'", code="TNY-03"),
)


@given(ANSWERS)
def test_evaluate_remembered_results_equal_fresh_ones(answers: dict[str, Any]) -> None:
    compiled = compile_rules(EVERYTHING, ORACLE_RULES)
    first = evaluate(compiled, answers)
    first["TNY-01"] = first["TNY-02"]
    again = evaluate(compiled, answers)
    for program in compiled.programs:
        program.memory.clear()
    assert evaluate(compiled, answers) == again
