"""The committed vectors: current, and true when replayed from their text alone."""

import json
from typing import Any
from uuid import UUID, uuid5

import pytest

from mobile_contract.forms import get_form, list_forms, opened_forms, parse_form, visibility
from mobile_contract.forms.condition_value import Failure, judge_of
from mobile_contract.forms.visibility import Plan
from mobile_contract.rules import compile_rules, due_at_ms, evaluate, get_rules, locus_of
from mobile_contract.rules.vectors import PATH, text

VECTORS: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))


def test_vectors_committed_are_current() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run: python -m mobile_contract.rules.vectors"


def test_vectors_logic_replayed_in_plain_python_gives_the_same() -> None:
    logic = VECTORS["logic"]
    form = parse_form(logic["form"])
    plan = Plan(form, form.by_id)
    for case in logic["cases"]:
        values = plan.read(case["answers"]).values
        verdicts = [judge_of(condition)(values) for condition in logic["conditions"]]
        assert Failure.ERROR not in verdicts
        words = {True: "present", False: "absent", Failure.MISSING: "unknown"}
        assert [words[verdict] for verdict in verdicts] == case["results"]


@pytest.mark.parametrize("block", VECTORS["blocks"], ids=lambda block: block["form"])
def test_vectors_block_replayed_gives_the_same(block: dict[str, Any]) -> None:
    form = get_form(block["form"], block["version"])
    states = visibility(form, block["answers"])
    assert [name for name in states if states[name] == "hidden"] == block["hidden"]
    assert [name for name in states if states[name] == "unknown"] == block["undecided"]
    assert list(opened_forms(form, block["answers"])) == block["opens"]
    if block["rules_version"] is None:
        assert (block["results"], block["hazards"]) == ({}, {})
    else:
        ruleset = get_rules(block["form"], block["rules_version"])
        assert evaluate(compile_rules(form, ruleset), block["answers"]) == block["results"]
    assert locus_of(form, block["answers"]) == block["locus"]
    for chain, hazard in block["hazards"].items():
        name = f"{VECTORS['community']}|{VECTORS['place']}|{chain}|{block['locus']}"
        assert str(uuid5(UUID(VECTORS["ns_hazard"]), name)) == hazard


def test_vectors_show_every_result_of_every_form_and_many_rules() -> None:
    seen: dict[str, set[str]] = {}
    for block in VECTORS["blocks"]:
        for code, result in block["results"].items():
            seen.setdefault(code, set()).add(result)
    assert all("absent" in results or "unknown" in results for results in seen.values())
    assert {result for results in seen.values() for result in results} == {"present", "absent", "unknown"}
    assert sum("present" in results for results in seen.values()) >= 40
    assert {block["form"] for block in VECTORS["blocks"]} == {form.code for form in list_forms()}
    assert {code for block in VECTORS["blocks"] for code in block["opens"]} == {
        "anti_theft_window",
        "multi_use_premises",
    }


def test_vectors_loci_and_deadlines_replayed_give_the_same() -> None:
    form = get_form("ebike_charging", 1)
    for case in VECTORS["loci"]:
        assert locus_of(form, case["answers"]) == case["locus"]
    for case in VECTORS["deadlines"]:
        assert due_at_ms(case["due"], case["effective_ms"]) == case["due_at_ms"]
