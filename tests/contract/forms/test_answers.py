"""Answers against their form: every fault, with its place and code, at once."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_contract.error_codes import CODES as KNOWN_CODES
from mobile_contract.forms import (
    Visibility,
    answers_schema,
    get_form,
    header_form,
    list_forms,
    validate_answers,
    validate_header,
    visibility,
)
from mobile_contract.forms.answers import CODES
from mobile_contract.forms.sample_answers import sample_answers
from tests.contract.forms import tiny_forms as tiny

EBIKE = get_form("ebike_charging", 1)
ID = "0190a000-0000-7000-8000-000000000001"
VALID: dict[str, Any] = {
    "place": "stair", "floor_label": "3F", "building_class": "low", "behaviours": ["park", "charge"],
    "ebike_count": 3, "battery": "lithium", "gb43854": "no", "blocks_escape": "no",
    "combustibles": "unknown",
    "power_from": "public", "facility": "short", "owner_known": True, "plate": "湘L00000",
    "onsite": ["moved"],
}  # fmt: skip
HEADER: dict[str, Any] = {
    "place_id": ID,
    "visited_at": "2026-01-09T09:30:00+08:00",
    "visitors": ["赵一", "钱二"],
    "outcome": "done",
    "informed": True,
}


def faults(answers: object) -> dict[str, str]:
    return {problem.pointer: problem.code for problem in validate_answers(EBIKE, answers)}


def test_validate_answers_valid_block_has_no_problem() -> None:
    assert validate_answers(EBIKE, VALID) == []


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"place": "roof"}, "/place", "bad_choice"),
        ({"place": 1}, "/place", "bad_type"),
        ({"place": None}, "/place", "bad_type"),
        ({"ebike_count": "3"}, "/ebike_count", "bad_type"),
        ({"ebike_count": 1.5}, "/ebike_count", "bad_type"),
        ({"ebike_count": True}, "/ebike_count", "bad_type"),
        ({"ebike_count": -1}, "/ebike_count", "out_of_range"),
        ({"ebike_count": 2**63}, "/ebike_count", "out_of_range"),
        ({"ebike_count": 10**400}, "/ebike_count", "out_of_range"),
        ({"ebike_count": float("nan")}, "/ebike_count", "bad_type"),
        ({"behaviours": []}, "/behaviours", "required"),
        ({"behaviours": "park"}, "/behaviours", "bad_type"),
        ({"behaviours": ["park", "park"]}, "/behaviours", "duplicate"),
        ({"behaviours": ["charge", "fly"]}, "/behaviours/1", "bad_choice"),
        ({"floor_label": "x" * 201}, "/floor_label", "too_long"),
        ({"floor_label": "3\0F"}, "/floor_label", "bad_text"),
        ({"floor_label": "\ud800"}, "/floor_label", "bad_text"),
        ({"plate": ""}, "/plate", "required"),
        ({"owner_known": "yes"}, "/owner_known", "bad_type"),
        ({"facility": "unknown"}, "/facility", "bad_choice"),
    ],
)
def test_validate_answers_one_fault_names_its_place_and_code(change: dict[str, Any], pointer: str, code: str) -> None:
    assert faults(VALID | change) == {pointer: code}


def test_validate_answers_many_faults_are_all_named() -> None:
    assert faults({"place": "roof", "behaviours": ["park"], "owner_known": False}) == {
        "/place": "bad_choice",
        "/building_class": "required",
        "/ebike_count": "required",
        "/blocks_escape": "required",
        "/combustibles": "required",
        "/facility": "required",
        "/onsite": "required",
    }


def test_validate_answers_shown_field_is_required_and_hidden_is_not() -> None:
    station = {"/auto_cutoff": "required", "/fire_gear": "required", "/separated": "required"}
    assert faults(VALID | {"place": "station"}) == station
    assert faults({name: value for name, value in VALID.items() if name != "gb43854"}) == {"/gb43854": "required"}
    calm = {name: value for name, value in VALID.items() if name not in ("gb43854", "power_from", "plate")}
    assert faults(calm | {"battery": "lead", "behaviours": ["none"], "owner_known": False}) == {}
    assert faults(calm | {"battery": "unknown", "behaviours": ["none"], "owner_known": False}) == {}


def test_validate_answers_of_a_newer_form_are_taken() -> None:
    assert validate_answers(EBIKE, VALID | {"colour": "red", "wheels": {"n": 2}}) == []


def test_validate_answers_date_must_be_a_day() -> None:
    form = tiny.form(tiny.field("day", "date"))
    assert validate_answers(form, {"day": "2024-02-29"}) == []
    for wrong in ("2026-02-29", "2026-1-9", "0000-01-01", "2026-01-09T00:00:00Z", "20260109", "明天"):
        assert [problem.code for problem in validate_answers(form, {"day": wrong})] == ["bad_format"], wrong


def test_validate_header_visit_needs_only_itself_when_nobody_answered() -> None:
    assert validate_header(HEADER) == []
    unheard = {name: value for name, value in HEADER.items() if name != "informed"} | {"outcome": "no_answer"}
    assert validate_header(unheard) == []
    found = {problem.pointer: problem.code for problem in validate_header(unheard | {"outcome": "done"})}
    assert found == {"/informed": "required"}


def test_validate_header_faults_are_named() -> None:
    wrong = HEADER | {
        "place_id": ID.upper(),
        "visited_at": "2026-01-09 09:30",
        "visitors": [],
        "location": {"lat": 91, "lon": 113.03, "datum": "mars"},
        "photos": [ID, "x"],
    }
    assert {problem.pointer: problem.code for problem in validate_header(wrong)} == {
        "/place_id": "bad_format",
        "/visited_at": "bad_format",
        "/visitors": "required",
        "/location/lat": "out_of_range",
        "/location/datum": "bad_choice",
        "/photos/1": "bad_format",
    }


def test_codes_given_are_known_to_phones() -> None:
    assert set(CODES) <= set(KNOWN_CODES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*EBIKE.by_id, "\ud800", "a/b~c"]), JSON, max_size=8) | JSON)
def test_validate_answers_any_json_gives_problems_not_errors(answers: object) -> None:
    for problem in validate_answers(EBIKE, answers):
        assert problem.code in CODES
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert problem.message
        problem.pointer.encode()


@pytest.mark.parametrize("form", [*list_forms(), header_form(), tiny.everything()], ids=lambda form: form.code)
def test_sample_answers_any_seed_are_valid(form: Any) -> None:
    rng = Random(7)
    for _ in range(100):
        answers = sample_answers(form, rng)
        assert validate_answers(form, answers) == [], answers


CHAIN = tiny.form(
    tiny.field("one", "one_of", "p q unknown"),
    tiny.field("many", "many_of", "m n unknown"),
    tiny.field("count", "integer"),
    tiny.field("flag", "boolean", visible_when="a.one != 'p'", required=True),
    tiny.field("two", "one_of", "x y", visible_when="'m' in a.many && !(a.one == 'q')", required=True),
    tiny.field("three", "text", visible_when="a.two != 'x' || a.count in [1, 2]", required=True),
    tiny.field("four", "text", visible_when="a.count > 0 && has(a.two) || a.many.exists(v, v == 'n')", required=True),
    tiny.field("five", "text", visible_when="a.flag && !has(a.count) || a.two == 'y'", required=True),
)
CHAIN_ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "one": st.sampled_from(["p", "q", "unknown"]),
        "many": st.lists(st.sampled_from(["m", "n", "unknown"]), unique=True),
        "count": st.integers(0, 3),
        "flag": st.booleans(),
        "two": st.sampled_from(["x", "y"]),
        "three": st.just("t"),
        "four": st.just("t"),
        "five": st.just("t"),
    },
)


@settings(max_examples=600)
@given(CHAIN_ANSWERS)
def test_schema_requires_exactly_what_the_screen_shows(answers: dict[str, Any]) -> None:
    """The same answers judged twice: by the JSON Schema alone, and by walking each field's visibility."""
    states = visibility(CHAIN, answers)
    expected = {
        f"/{field.id}"
        for field in CHAIN.fields
        if field.required and states[field.id] is Visibility.SHOWN and field.id not in answers
    }
    assert {problem.pointer for problem in validate_answers(CHAIN, answers)} == expected


def test_answers_schema_is_stable_and_plain_json() -> None:
    schema = answers_schema(EBIKE)
    assert schema["$id"] == "urn:saolou:form:ebike_charging:1"
    assert "additionalProperties" not in schema
    assert schema["properties"]["place"]["title"] == "位置"
    assert schema == answers_schema(EBIKE)
