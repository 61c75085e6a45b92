"""Shared vectors: what server and phones must agree on, as data a phone can replay without Python.

`python -m mobile_contract.rules.vectors` writes `vectors.json`; a test refuses drift. Parts:

- `logic`: a small form of every readable type, conditions, answers, and the result of each pair;
- `blocks`: blocks of the shipped forms with visibility, forms they open, rule results, locus and hazard ids; a form
  without rules has no `rules_version`;
- `loci`, `deadlines`: canonical texts and times.
"""

import json
from pathlib import Path
from random import Random
from typing import Any

from mobile_contract.forms.catalogue import get_form, list_forms
from mobile_contract.forms.definition import Form
from mobile_contract.forms.document import parse_form
from mobile_contract.forms.sample_answers import sample_answers
from mobile_contract.forms.visibility import opened_forms, visibility
from mobile_contract.rules.catalogue import list_rules
from mobile_contract.rules.deadlines import due_at_ms
from mobile_contract.rules.definition import RuleSet
from mobile_contract.rules.document import parse_rules
from mobile_contract.rules.evaluate import RuleResult, compile_rules, evaluate
from mobile_contract.rules.hazard_identity import NS_HAZARD, hazard_id, locus_of

PATH = Path(__file__).with_name("vectors.json")
COMMUNITY = "0190a000-0000-7000-8000-000000000001"
PLACE = "0190a000-0000-7000-8000-000000000002"
SEED = 20260109
RANDOM_BLOCKS = 12
STEP_MS = 23 * 3_600_000 + 59 * 60_000


def _label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def _question(name: str, kind: str, when: str | None = None, codes: str = "") -> dict[str, Any]:
    question: dict[str, Any] = {"id": name, "label": _label(name), "type": kind}
    if when is not None:
        question["visible_when"] = when
    if codes:
        question["choices"] = {code: _label(code) for code in codes.split()}
    return question


LOGIC_FORM = {
    "code": "logic",
    "version": 1,
    "title": _label("logic"),
    "fields": [
        _question("one", "one_of", codes="p q unknown"),
        _question("many", "many_of", codes="p q r"),
        _question("yes", "yes_no"),
        _question("flag", "boolean"),
        _question("count", "integer"),
        _question("size", "decimal", "a.yes == 'yes'"),
        _question("day", "date"),
        _question("later", "date"),
        _question("shown", "one_of", "a.one == 'p'", "x y"),
        _question("chained", "many_of", "a.shown == 'x'", "m n"),
    ],
}
LOGIC_CONDITIONS = (
    "a.one == 'p'",
    "a.one != 'p'",
    "a.one in ['p', 'q']",
    "!(a.one == 'p')",
    "'p' in a.many",
    "a.many.exists(x, x == 'q' || x == 'r')",
    "a.yes == 'no' || a.one == 'p'",
    "a.yes == 'no' && a.one == 'p'",
    "a.one == 'p' || a.yes == 'no'",
    "a.flag",
    "!a.flag && a.count > 0",
    "a.count >= 1 && a.count <= 9007199254740991",
    "a.yes == 'yes' && a.size < 0.8",
    "a.yes == 'yes' && 1.0 <= a.size",
    "a.day < a.later",
    "a.shown == 'x'",
    "a.shown != 'x'",
    "a.shown in ['x', 'y']",
    "'m' in a.chained",
    "!('m' in a.chained)",
    "has(a.count) && a.count == 0",
    "has(a.shown)",
    "has(a.one) || has(a.many)",
)
LOGIC_ANSWERS: tuple[dict[str, Any], ...] = (
    {},
    {"one": "p", "many": ["p"], "yes": "yes", "flag": True, "count": 1, "size": 0.5, "shown": "x"},
    {"one": "q", "many": ["q", "r"], "yes": "no", "flag": False, "count": 0, "size": 0.5, "shown": "x"},
    {"one": "unknown", "many": [], "yes": "unknown", "flag": False, "count": 9007199254740991},
    {"one": "p", "shown": "y", "chained": ["m"], "day": "2026-01-09", "later": "2026-01-10"},
    {"one": "p", "shown": "x", "chained": ["m"], "day": "2026-01-10", "later": "2026-01-10"},
    {"one": "q", "shown": "x", "chained": ["m"], "yes": "no"},
    {"yes": "yes", "size": 1, "count": -1},
    {"yes": "yes", "many": ["r"], "day": "2026-01-09"},
)
EBIKE = {"building_class": "low", "behaviours": ["park"], "blocks_escape": "no", "facility": "enough"}
BLOCKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ebike_charging", {"place": "stair", "floor_label": " ３f ", **EBIKE}),
    ("ebike_charging", {"place": "stair", **EBIKE, "blocks_escape": "unknown"}),
    (
        "ebike_charging",
        {"place": "hall", **EBIKE, "building_class": "high_res", "behaviours": ["charge", "park"]},
    ),
    ("ebike_charging", {"place": "outdoor", **EBIKE, "battery": "unknown", "gb43854": "no"}),
    ("ebike_charging", {"place": "station", **EBIKE, "behaviours": ["none"], "auto_cutoff": "no"}),
    ("self_built_house", {"appraisal": "doing", "grade": "D", "occupant_persons": 3}),
    ("self_built_house", {"appraisal": "done", "grade": "C", "occupant_persons": 0}),
    ("self_built_house", {"appraisal": "done", "grade": "D", "occupant_persons": 2}),
    ("self_built_house", {"altered": "no", "alterations": ["bearing"], "alter_designed": "no"}),
    ("self_built_house", {"altered": "unknown", "alterations": ["bearing"], "alter_designed": "no"}),
    ("anti_theft_window", {"opening": "no", "open_w": 0.5, "lock": "key", "key_fixed": "no"}),
    ("anti_theft_window", {"opening": "yes", "open_w": 1, "open_h": 1, "lock": "key", "key_fixed": "no"}),
    ("anti_theft_window", {"premises": "crowded", "highrise": True, "sealed": "yes"}),
    (
        "multi_use_premises",
        {"sleepers": 3, "separation": "full", "second_escape": "no", "own_exit": "no", "bars": "yes"},
    ),
    ("multi_use_premises", {"sleepers": 0, "separation": "none", "dangerous": ["lpg"], "sandwich": "yes"}),
    (
        "multi_use_premises",
        {"sleepers": 2, "dangerous": ["battery", "solvent"], "ebike_inside": "charge", "alarm": "no"},
    ),
    ("multi_use_premises", {"exit_state": "locked", "wiring": ["bare"], "extinguisher": "none", "bars": "unknown"}),
    ("street_shop", {"exit_state": "locked", "wiring": ["bare"], "extinguisher": "none", "live_in": "yes"}),
    (
        "street_shop",
        {"trade": "catering", "fuel": "lpg", "gas_alarm": "none", "highrise": True, "gas_place": "basement"},
    ),
    (
        "street_shop",
        {"trade": "catering", "fuel": "electric", "gas_alarm": "none", "lpg_faults": ["tee"], "duct": "late"},
    ),
    ("smoke_alarm_install", {"serial": "ａ-01 ", "tested": False, "battery_until": "2026-03-01"}),
    ("smoke_alarm_install", {"tested": True}),
    ("gas_retrofit", {"indoor_on": "2022-06-01", "leak_test": "fail", "lit_on": "2022-06-02", "lpg_left": 1}),
    ("gas_retrofit", {"leak_test": "fail", "lpg_left": 1, "tampered": "yes", "vent": "poor"}),
    ("low_income_review", {"declared": 2, "actual": 3, "suggest": "keep", "reason": "-"}),
    ("low_income_review", {"declared": 2, "actual": 2, "suggest": "stop"}),
    ("key_custody", {"event": "out", "slot": "07", "deposited_on": "2022-03-01"}),
)
LOCI = ("3F", " 3f ", "３Ｆ", "b1", "", "　", "三楼", "3F/左", "ﬁ", "ß")


def build() -> dict[str, Any]:
    """All vectors, computed anew; the same on every run and machine."""
    ebike = get_form("ebike_charging", 1)
    return {
        "ns_hazard": str(NS_HAZARD),
        "community": COMMUNITY,
        "place": PLACE,
        "logic": _logic(),
        "loci": [
            {"answers": {"place": "stair", "floor_label": text}, "locus": locus_of(ebike, answers)}
            for text in LOCI
            for answers in [{"place": "stair", "floor_label": text}]
        ],
        "deadlines": [
            {"due": due, "effective_ms": at, "due_at_ms": due_at_ms(due, at)}
            for due in ("0", "24h", "3d", "30d")
            for at in (1_767_196_799_999, 1_767_196_800_000, 1_767_196_800_000 + STEP_MS)
        ],
        "blocks": [_block(*case) for case in _cases()],
    }


def _logic() -> dict[str, Any]:
    form = parse_form(LOGIC_FORM)
    rules = parse_rules(_logic_rules(LOGIC_CONDITIONS))
    compiled = compile_rules(form, rules)
    return {
        "form": LOGIC_FORM,
        "conditions": list(LOGIC_CONDITIONS),
        "cases": [
            {
                "answers": answers,
                **_visibility(form, answers),
                "results": list(evaluate(compiled, answers).values()),
            }
            for answers in LOGIC_ANSWERS
        ],
    }


def _logic_rules(conditions: tuple[str, ...]) -> dict[str, Any]:
    rest = {
        "severity": "yellow",
        "due": "7d",
        "actions": ["fix"],
        "evidence": ["ph"],
        "closers": ["grid_head"],
    }
    basis = {"basis": [{"mark": "D", "text": "-"}]}
    rules = [
        {"code": f"LOG-{number:02}", "title": _label(text), "when": text} | rest | basis
        for number, text in enumerate(conditions, 1)
    ]
    return {"form": "logic", "version": 1, "form_versions": [1], "category": "other", "rules": rules}


def _cases() -> list[tuple[Form, RuleSet | None, dict[str, Any]]]:
    forms = {(form.code, form.version): form for form in list_forms()}
    rulesets = {(ruleset.form, version): ruleset for ruleset in list_rules() for version in ruleset.form_versions}
    cases = [(forms[code, 1], rulesets.get((code, 1)), answers) for code, answers in BLOCKS]
    for key, form in forms.items():
        rng = Random(f"{SEED}/{form.code}/{form.version}")
        cases += [(form, rulesets.get(key), sample_answers(form, rng)) for _ in range(RANDOM_BLOCKS)]
    return cases


def _block(form: Form, ruleset: RuleSet | None, answers: dict[str, Any]) -> dict[str, Any]:
    results = {} if ruleset is None else evaluate(compile_rules(form, ruleset), answers)
    locus = locus_of(form, answers)
    rules = () if ruleset is None else ruleset.rules
    present = {rule.chain for rule in rules if results[rule.code] is RuleResult.PRESENT}
    return {
        "form": form.code,
        "version": form.version,
        "rules_version": None if ruleset is None else ruleset.version,
        "answers": answers,
        **_visibility(form, answers),
        "opens": list(opened_forms(form, answers)),
        "results": results,
        "locus": locus,
        "hazards": {chain: str(hazard_id(COMMUNITY, PLACE, chain, locus)) for chain in sorted(present)},
    }


def _visibility(form: Form, answers: dict[str, Any]) -> dict[str, list[str]]:
    """Fields that are not plainly shown: hidden ones, and those whose showing hangs on a missing answer."""
    states = visibility(form, answers)
    return {
        "hidden": [name for name, state in states.items() if state == "hidden"],
        "undecided": [name for name, state in states.items() if state == "unknown"],
    }


def text() -> str:
    """The file's exact text."""
    return json.dumps(build(), ensure_ascii=False, indent=1, sort_keys=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
