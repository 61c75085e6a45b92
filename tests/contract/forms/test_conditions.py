"""The allowed part of CEL: what is read, what is refused, and that plain Python and the CEL library agree."""

from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_contract.forms.condition_syntax import (
    MAX_DEPTH,
    And,
    Compare,
    ConditionInvalid,
    Contains,
    FieldRef,
    Has,
    Member,
    Not,
    Or,
    Truth,
    fields_read,
    parse_condition,
)
from mobile_contract.forms.condition_value import Failure, judge_of


def test_parse_condition_allowed_forms_are_read() -> None:
    assert parse_condition("a.x == 'p'") == Compare("==", "x", "p")
    assert parse_condition("0.8 > a.w") == Compare("<", "w", 0.8)
    assert parse_condition("a.n >= -1") == Compare(">=", "n", -1)
    assert parse_condition("a.d < a.e") == Compare("<", "d", FieldRef("e"))
    assert parse_condition("a.x in ['p', \"q\"]") == Member("x", ("p", "q"))
    assert parse_condition("'p' in a.l") == Contains("l", ("p",))
    assert parse_condition("a.l.exists(v, v == 'p' || v == 'q')") == Contains("l", ("p", "q"))
    assert parse_condition("!a.f") == Not(Truth("f"))
    assert parse_condition("!!has(a.x)") == Not(Not(Has("x")))
    assert parse_condition("a.f || a.g && (a.h || a.i)") == Or(
        (Truth("f"), And((Truth("g"), Or((Truth("h"), Truth("i"))))))
    )
    assert parse_condition("a.x == '&& ||'") == Compare("==", "x", "&& ||")
    assert fields_read(parse_condition("a.x == 'p' && !(a.d < a.e) || 'z' in a.l")) == {"x", "d", "e", "l"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "true",
        "1",
        "'p'",
        "a",
        "a.",
        "a.x ==",
        "a.x == b.y",
        "b.x == 'p'",
        "x == 'p'",
        "a.x.y == 'p'",
        "a['x'] == 'p'",
        "a.x == 'p",
        r"a.x == 'it\'s'",
        "a.x == 'p' &&",
        "a.x == 'p' & a.y == 'q'",
        "(a.x == 'p'",
        "a.x == 'p')",
        "a.x == 'p' == a.f",
        "1 == 1",
        "'p' == 'q'",
        "!a.x == 'p'",
        "!(a.x == 'p') == a.f",
        "(a.x) == 'p'",
        "a.n + 1 > 2",
        "a.n - 1 > 2",
        "a.n * 2 > 2",
        "-a.n > 2",
        "a.n > 1u",
        "a.n > 0x10",
        "a.n > 1e3",
        "a.n > .5",
        "a.x in 'pq'",
        "a.x in a.l",
        "1 in a.l",
        "['p'] == a.l",
        "a.l == ['p']",
        "a.x in []",
        "a.x in [a.y]",
        "a.x in [['p']]",
        "a.x ? a.f : a.g",
        "size(a.l) > 0",
        "a.l.size() > 0",
        "a.l.all(v, v == 'p')",
        "a.l.exists(v, v != 'p')",
        "a.l.exists(v, v == 'p' && v == 'q')",
        "a.l.exists(v, a.x == 'p')",
        "a.l.exists(v, v == a.x)",
        "a.l.exists(v, v == 1)",
        "a.l.exists(a, a == 'p')",
        "has(a)",
        "has('p')",
        "matches(a.x, '.*')",
        "a.x.startsWith('p')",
        "timestamp('2026-01-09T00:00:00Z') < a.d",
        "null == a.x",
        "a.x == null",
        "a.f == true",
        "a.x == 'p'; a.y == 'q'",
        "a.x == 'p' // why",
        "a.x == 'p\0'",
        "a.x == 中",
    ],
)
def test_parse_condition_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConditionInvalid):
        parse_condition(text)


def test_parse_condition_too_long_or_deep_is_refused() -> None:
    with pytest.raises(ConditionInvalid, match="longer"):
        parse_condition(" || ".join(["a.x == 'p'"] * 200))
    for text in ("(" * 200 + "a.f" + ")" * 200, "!" * 200 + "a.f"):
        with pytest.raises(ConditionInvalid, match="nested"):
            parse_condition(text)
    deep = MAX_DEPTH - 1
    assert parse_condition("(" * deep + "a.f" + ")" * deep) == Truth("f")


@given(st.text(alphabet="a.xypqf '\"=!<>&|()[],0189-_in hasexists中\n", max_size=60))
def test_parse_condition_random_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse_condition(text)
    except ConditionInvalid:
        return
    assert fields_read(node)
    cel.compile(text)


CODES = ["p", "q", "r"]
TEXTS = st.sampled_from(CODES).map(lambda code: f"'{code}'")
EQUALITY = st.sampled_from(["==", "!="])
ORDER = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
LEAVES = st.one_of(
    st.builds("a.{} {} {}".format, st.sampled_from(["one", "two"]), EQUALITY, TEXTS),
    st.builds("a.{} in [{}, {}]".format, st.sampled_from(["one", "two"]), TEXTS, TEXTS),
    st.builds("{} in a.{}".format, TEXTS, st.sampled_from(["many", "more"])),
    st.builds("a.{}.exists(x, x == {} || x == {})".format, st.sampled_from(["many", "more"]), TEXTS, TEXTS),
    st.builds("a.n {} {}".format, ORDER, st.integers(-2, 2)),
    st.builds("{} {} a.n".format, st.integers(-2, 2), ORDER),
    st.builds("a.w {} {}".format, ORDER, st.sampled_from(["0.5", "0.8", "1.0"])),
    st.builds("a.n {} a.m".format, ORDER),
    st.sampled_from(["a.f", "a.g", "has(a.one)", "has(a.more)", "has(a.f)"]),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("{} && {} || {}".format, LEAVES, LEAVES, inner),
    ),
    max_leaves=8,
)
CHOICE = st.sampled_from([*CODES, None])
MANY = st.lists(st.sampled_from(CODES), unique=True).map(tuple)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "one": CHOICE,
        "two": CHOICE,
        "many": MANY,
        "more": MANY,
        "n": st.integers(-3, 3) | st.none(),
        "m": st.integers(-3, 3),
        "w": st.sampled_from([0.4, 0.5, 0.8, 1.0, 1.5]) | st.none(),
        "f": st.booleans(),
        "g": st.booleans(),
    },
)


def by_library(text: str, state: dict[str, Any]) -> object:
    """True, False, or "neither": which of two faults surfaces first is the library's own business."""
    try:
        return cel.compile(text).execute(cel.Context({"a": state}))
    except (KeyError, TypeError):
        return "neither"


@settings(max_examples=1500)
@given(EXPRESSIONS, STATES)
def test_judge_random_condition_agrees_with_the_cel_library(text: str, state: dict[str, Any]) -> None:
    verdict = judge_of(text)(state)
    assert by_library(text, state) == ("neither" if isinstance(verdict, Failure) else verdict), text
