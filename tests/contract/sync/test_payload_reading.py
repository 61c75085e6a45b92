"""Payloads: what is poison, what is wrong, what passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_contract.sync.payload import MAX_NESTING, nesting, parse_payload, phone_time
from tests.contract.sync.sync_samples import make_id, make_payload, make_place_payload, make_step_payload

STEPS: list[dict[str, Any]] = [
    {
        "kind": "assign",
        "assignee_account_id": None,
        "responsible_party": "住户",
        "measures": "移车",
        "deadline_ms": 1795000000000,
        "severity": "orange",
    },
    {"kind": "accept", "signature": None, "refusal_witness": "楼长"},
    {"kind": "submit", "note": "已移走", "photos": [make_id(3)]},
    {"kind": "close", "revisit_id": make_id(4), "basis": [make_id(4)], "note": "", "evidence": []},
    {"kind": "return", "reason": "仍在充电", "deadline_ms": None},
    {"kind": "void", "reason": "误报", "duplicate_of": None},
    {"kind": "some_later_kind", "anything": 1},
]


def codes(payload: object, record_type: str = "visit") -> list[tuple[str, str]]:
    text = payload if isinstance(payload, str | bytes) else json.dumps(payload, ensure_ascii=False)
    return [(problem.path, problem.code) for problem in parse_payload(text, record_type)[1]]


def test_parse_payload_valid_visit_has_no_problems() -> None:
    data, problems = parse_payload(json.dumps(make_payload()), "visit")
    assert problems == []
    assert data is not None
    assert phone_time(data) == (1794990000000, 40001, "b7")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step["kind"]))
def test_parse_payload_valid_step_has_no_problems(step: dict[str, Any]) -> None:
    assert codes(make_step_payload(**step), "task_step") == []


def test_parse_payload_valid_place_has_no_problems() -> None:
    point = {"lat": 25.79, "lon": 113.03, "accuracy_m": 12, "datum": "wgs84"}
    assert codes(make_place_payload(location=point), "place_proposal") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":"x\\u0000y"}', "nul_character"),
        ('{"a\\u0000":1}', "nul_character"),
        ('{"a":"x\x00y"}', "nul_character"),
        ('{"a":"\\ud83d"}', "lone_surrogate"),
        ('{"a":"\\udc00\\ud800"}', "lone_surrogate"),
        ('{"a":"\ud800"}', "lone_surrogate"),
        ('{"a":9007199254740992}', "integer_out_of_range"),
        ('{"a":-9007199254740992}', "integer_out_of_range"),
        ('{"a":9223372036854775808}', "integer_out_of_range"),
        ('{"a":[1,18446744073709551616]}', "integer_out_of_range"),
        ('{"a":' + "9" * 5000 + "}", "integer_out_of_range"),
        ('{"a":NaN}', "number_not_finite"),
        ('{"a":[-Infinity]}', "number_not_finite"),
        ('{"a":1e400}', "number_not_finite"),
        ("[" * 20_000 + "]" * 20_000, "nesting_too_deep"),
        ('{"a":' + "[" * 64 + "]" * 64 + "}", "nesting_too_deep"),
        ("{", "payload_not_json"),
        ("", "payload_not_json"),
        ("[1]", "payload_not_json"),
        ("null", "payload_not_json"),
        (b'{"a":"\xff"}', "payload_not_json"),
    ],
)
def test_parse_payload_poison_is_named(text: str | bytes, code: str) -> None:
    data, problems = parse_payload(text, "visit")
    assert data is None
    assert [problem.code for problem in problems] == [code]


@pytest.mark.parametrize(
    "extra",
    [
        {"big": 2**53 - 1, "small": -(2**53 - 1)},
        {"hash": "1" * 64},
        {"float": 0.12345678901234567890},
        {"text": "\\u0000 is only written, not meant", "emoji": "🛵", "brackets": "[" * 200},
        {"deep": json.loads("[" * 63 + "]" * 63)},
        {"unknown_field": {"of": ["a", "later", "app"]}},
    ],
    ids=["limits", "digits", "fraction", "look-alikes", "deep", "unknown"],
)
def test_parse_payload_harmless_look_alike_passes(extra: dict[str, Any]) -> None:
    assert codes(make_payload(**extra)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"author_id": None}, ("/payload/author_id", "required")),
        ({"author_id": "zhang"}, ("/payload/author_id", "invalid")),
        ({"seq": "1"}, ("/payload/seq", "invalid")),
        ({"seq": 1.5}, ("/payload/seq", "invalid")),
        ({"seq": True}, ("/payload/seq", "invalid")),
        ({"seq": -1}, ("/payload/seq", "invalid")),
        ({"time": 5}, ("/payload/time", "invalid")),
        ({"time": {"wall_ms": 1, "elapsed_ms": 1}}, ("/payload/time/boot_id", "required")),
        ({"time": {"wall_ms": None, "elapsed_ms": 1, "boot_id": "b"}}, ("/payload/time/wall_ms", "required")),
        ({"attachments": 1}, ("/payload/attachments", "invalid")),
        ({"attachments": [1]}, ("/payload/attachments/0", "invalid")),
        (
            {"attachments": [{"id": make_id(1), "bytes": 1, "mime": "a/b"}]},
            ("/payload/attachments/0/sha256", "required"),
        ),
        ({"amends": "x"}, ("/payload/amends", "invalid")),
        ({"reason": 3}, ("/payload/reason", "invalid")),
        ({"visit": None}, ("/payload/visit", "body_missing")),
        ({"visit": []}, ("/payload/visit", "invalid")),
        ({"step": {"kind": "close"}}, ("/payload/step", "body_unexpected")),
        ({"voids": make_id(3)}, ("/payload/visit", "body_unexpected")),
    ],
)
def test_parse_payload_wrong_common_part_names_the_field(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert codes(make_payload(**changes)) == [problem]


@pytest.mark.parametrize(
    ("header", "block", "problem"),
    [
        ({"outcome": "maybe"}, {}, ("/payload/visit/header/outcome", "bad_choice")),
        ({"visited_at": "yesterday"}, {}, ("/payload/visit/header/visited_at", "bad_format")),
        ({"visitors": []}, {}, ("/payload/visit/header/visitors", "required")),
        ({}, {"version": 0}, ("/payload/visit/blocks/0/version", "invalid")),
        ({}, {"place_id": 7}, ("/payload/visit/blocks/0/place_id", "invalid")),
        ({}, {"answers": None}, ("/payload/visit/blocks/0/answers", "required")),
        (
            {},
            {"fixed": [{"rule": "EBC-02", "before": ["x"]}]},
            ("/payload/visit/blocks/0/fixed/0/before", "invalid"),
        ),
    ],
)
def test_parse_payload_wrong_visit_names_the_field(
    header: dict[str, Any], block: dict[str, Any], problem: tuple[str, str]
) -> None:
    payload = make_payload()
    payload["visit"]["header"].update(header)
    payload["visit"]["blocks"][0].update(block)
    assert codes(payload) == [problem]


def test_parse_payload_no_answer_needs_a_header_and_nothing_else() -> None:
    payload = make_payload()
    header = payload["visit"]["header"] | {"outcome": "no_answer"}
    del header["informed"]
    payload["visit"] = {"header": header}
    assert codes(payload) == []
    payload["visit"]["header"] = header | {"outcome": "done", "informed": True}
    assert codes(payload) == [("/payload/visit/blocks", "required")]


def test_parse_payload_void_has_no_body_and_both_corrections_are_refused() -> None:
    payload = make_payload(voids=make_id(3))
    del payload["visit"]
    assert codes(payload) == []
    assert codes(payload | {"amends": make_id(4)}) == [("/payload/voids", "amends_and_voids")]


def test_parse_payload_unknown_type_is_named() -> None:
    assert codes(make_payload(), "parade") == [("/type", "type_unknown")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(["author_id", "seq", "time", "attachments", "amends", "voids", "reason", "visit", "step"])


@given(st.dictionaries(KEYS | st.text(), JSON), st.sampled_from(["visit", "task_step", "place_proposal", "?"]))
def test_parse_payload_any_json_never_raises(changes: dict[str, Any], record_type: str) -> None:
    text = json.dumps(make_payload() | changes)
    data, problems = parse_payload(text, record_type)
    assert data is not None or problems


@given(st.text(st.characters(exclude_categories=())) | st.binary())
def test_parse_payload_any_text_never_raises(text: str | bytes) -> None:
    assert parse_payload(text, "visit")[1]


@given(st.integers(min_value=0, max_value=200), st.text(alphabet='"\\[]{}a,'))
def test_nesting_counts_brackets_outside_strings_only(depth: int, noise: str) -> None:
    text = "[" * depth + json.dumps(noise) + "]" * depth
    assert nesting(text) == depth
    too_deep = parse_payload(text, "visit")[1][0].code == "nesting_too_deep"
    assert too_deep == (depth > MAX_NESTING)
