"""Every rule against hand-written cases: what makes it present, absent and unknown."""

from typing import Any

import pytest

from mobile_contract.forms import get_form
from mobile_contract.rules import at_ms, compile_rules, evaluate, get_rules, list_rules, rules_document

P, A, U = "present", "absent", "unknown"
HALL = {"place": "hall"}
HIGH, LOW = {"building_class": "high_res"}, {"building_class": "low"}
DONE = {"appraisal": "done"}
ALTERED = {"altered": "yes"}
OPEN = {"opening": "yes"}
STATION = {"place": "station"}
CROWDED, HOME = {"premises": "crowded"}, {"premises": "home"}


def did(*codes: str) -> dict[str, Any]:
    return {"behaviours": list(codes)}


def changed(*codes: str) -> dict[str, Any]:
    return ALTERED | {"alterations": list(codes)}


SLEEPS = {"sleepers": 2}
CATERING = {"trade": "catering"}
LPG = {"fuel": "lpg"}
PIPED, LIT = {"indoor_on": "2022-05-20"}, {"lit_on": "2022-06-01"}


def sells(*codes: str) -> dict[str, Any]:
    return {"dangerous": list(codes)}


def wired(*codes: str) -> dict[str, Any]:
    return {"wiring": list(codes)}


def found(*codes: str) -> dict[str, Any]:
    return LPG | {"lpg_faults": list(codes)}


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("SBH-01", DONE | {"grade": "D"}, P),
    ("SBH-01", DONE | {"grade": "C"}, A),
    ("SBH-01", {"appraisal": "doing"}, U),
    ("SBH-01", {"appraisal": "todo", "grade": "D"}, U),
    ("SBH-01", {}, U),
    ("SBH-02", DONE | {"grade": "C"}, P),
    ("SBH-02", DONE | {"grade": "B"}, A),
    ("SBH-02", {"appraisal": "doing"}, U),
    ("SBH-02W", DONE | {"grade": "C"}, P),
    ("SBH-02W", DONE | {"grade": "D"}, A),
    ("SBH-02W", {"appraisal": "doing"}, U),
    ("SBH-03", DONE | {"grade": "C", "occupant_persons": 1}, P),
    ("SBH-03", DONE | {"grade": "D", "occupant_persons": 9}, P),
    ("SBH-03", DONE | {"grade": "D", "occupant_persons": 0}, A),
    ("SBH-03", DONE | {"grade": "A", "occupant_persons": 9}, A),
    ("SBH-03", {"appraisal": "doing", "occupant_persons": 9}, U),
    ("SBH-03", {"appraisal": "doing", "occupant_persons": 0}, A),
    ("SBH-04", {"prelim": "severe", "appraisal": "todo"}, P),
    ("SBH-04", {"prelim": "severe", "appraisal": "doing"}, P),
    ("SBH-04", {"prelim": "severe", "appraisal": "done"}, A),
    ("SBH-04", {"prelim": "some"}, A),
    ("SBH-04", {"prelim": "severe"}, U),
    ("SBH-05", {"tilt": "obvious"}, P),
    ("SBH-05", {"crack": "severe"}, P),
    ("SBH-05", {"foundation_state": "severe"}, P),
    ("SBH-05", {"tilt": "slight", "crack": "obvious", "foundation_state": "slight"}, A),
    ("SBH-05", {"tilt": "slight", "crack": "obvious"}, U),
    ("SBH-06", changed("bearing", "dig") | {"alter_designed": "no"}, P),
    ("SBH-06", changed("bearing") | {"alter_designed": "yes"}, A),
    ("SBH-06", changed("dig") | {"alter_designed": "no"}, A),
    ("SBH-06", changed("bearing") | {"alter_designed": "unknown"}, U),
    ("SBH-06", {"altered": "no"}, A),
    ("SBH-06", {"altered": "unknown"}, U),
    ("SBH-07", changed("add_storey") | {"alter_designed": "no"}, P),
    ("SBH-07", changed("roof_load") | {"alter_designed": "no"}, P),
    ("SBH-07", changed("extend") | {"alter_designed": "no"}, A),
    ("SBH-07", {"altered": "no"}, A),
    ("SBH-07", changed("add_storey"), U),
    ("SBH-08", {"use_type": "business", "appraisal": "todo"}, P),
    ("SBH-08", {"use_type": "mixed", "appraisal": "todo"}, P),
    ("SBH-08", {"use_type": "rental", "appraisal": "todo"}, A),
    ("SBH-08", {"use_type": "business", "appraisal": "doing"}, A),
    ("SBH-08", {"use_type": "business"}, U),
    ("SBH-09", {"facade_loose": "yes"}, P),
    ("SBH-09", {"facade_loose": "no"}, A),
    ("SBH-09", {"facade_loose": "unknown"}, U),
    ("SBH-10", {"site_risks": ["flood", "slope"]}, P),
    ("SBH-10", {"site_risks": ["geohazard"]}, P),
    ("SBH-10", {"site_risks": ["excavation"]}, P),
    ("SBH-10", {"site_risks": ["flood", "past_damage"]}, A),
    ("SBH-10", {}, U),
    ("EBC-01", HALL | HIGH | did("charge"), P),
    ("EBC-01", {"place": "exit", "building_class": "high_public"} | did("park", "charge"), P),
    ("EBC-01", {"place": "stilt"} | HIGH | did("charge"), A),
    ("EBC-01", HALL | LOW | did("charge"), A),
    ("EBC-01", HALL | HIGH | did("park"), A),
    ("EBC-01", HALL | did("charge"), U),
    ("EBC-02", {"place": "corridor"} | HIGH | did("park"), P),
    ("EBC-02", {"place": "stair"} | LOW | did("park"), A),
    ("EBC-02", {"place": "stair"} | HIGH, U),
    ("EBC-03", {"place": "stair"} | LOW | {"blocks_escape": "yes"}, P),
    ("EBC-03", {"place": "stair"} | HIGH | {"blocks_escape": "yes"}, A),
    ("EBC-03", {"place": "outdoor", "blocks_escape": "yes"}, A),
    ("EBC-03", {"place": "stair"} | LOW | {"blocks_escape": "unknown"}, U),
    ("EBC-10", HALL | LOW | did("park") | {"blocks_escape": "no"}, P),
    ("EBC-10", HALL | LOW | did("charge") | {"blocks_escape": "no"}, P),
    ("EBC-10", HALL | LOW | did("park") | {"blocks_escape": "yes"}, A),
    ("EBC-10", HALL | LOW | did("none") | {"blocks_escape": "no"}, A),
    ("EBC-10", HALL | LOW | did("park") | {"blocks_escape": "unknown"}, U),
    ("EBC-04", did("fly_wire"), P),
    ("EBC-04", did("none"), A),
    ("EBC-04", {}, U),
    ("EBC-05", did("battery_in"), P),
    ("EBC-05", {"place": "home"} | did("charge"), P),
    ("EBC-05", HALL | did("charge"), A),
    ("EBC-05", {"place": "home"} | did("park"), A),
    ("EBC-05", did("charge"), U),
    ("EBC-06", did("modified"), P),
    ("EBC-06", did("none") | {"battery": "lithium", "gb43854": "no"}, P),
    ("EBC-06", did("none") | {"battery": "lithium", "gb43854": "yes"}, A),
    ("EBC-06", did("none") | {"battery": "lead", "gb43854": "no"}, A),
    ("EBC-06", did("none") | {"battery": "unknown"}, U),
    ("EBC-06", did("none"), U),
    ("EBC-07", STATION | {"auto_cutoff": "no", "fire_gear": "yes"}, P),
    ("EBC-07", STATION | {"fire_gear": "no"}, P),
    ("EBC-07", STATION | {"auto_cutoff": "yes", "fire_gear": "yes"}, A),
    ("EBC-07", HALL | {"auto_cutoff": "no"}, A),
    ("EBC-07", STATION | {"auto_cutoff": "yes"}, U),
    ("EBC-08", {"place": "basement", "separated": "no"}, P),
    ("EBC-08", {"place": "stilt", "separated": "yes"}, A),
    ("EBC-08", {"place": "home", "separated": "no"}, A),
    ("EBC-08", STATION | {"separated": "unknown"}, U),
    ("EBC-09", {"facility": "none"} | did("park"), P),
    ("EBC-09", {"facility": "short"} | did("lift"), P),
    ("EBC-09", {"facility": "short"} | did("none"), A),
    ("EBC-09", {"facility": "enough"} | did("park"), A),
    ("EBC-09", {"facility": "none"}, U),
    ("ATW-01", CROWDED | {"sealed": "yes"}, P),
    ("ATW-01", CROWDED | {"sealed": "no"}, A),
    ("ATW-01", HOME | {"sealed": "yes"}, A),
    ("ATW-01", CROWDED | {"sealed": "unknown"}, U),
    ("ATW-02", {"highrise": True, "sealed": "yes"}, P),
    ("ATW-02", {"highrise": False, "sealed": "yes"}, A),
    ("ATW-02", {"sealed": "yes"}, U),
    ("ATW-03", {"premises": "rental", "sealed": "yes"}, P),
    ("ATW-03", {"premises": "mixed", "sealed": "yes"}, P),
    ("ATW-03", CROWDED | {"sealed": "yes"}, A),
    ("ATW-03", {"premises": "mixed"}, U),
    ("ATW-04", HOME | {"highrise": False, "sealed": "yes"}, P),
    ("ATW-04", HOME | {"highrise": True, "sealed": "yes"}, A),
    ("ATW-04", HOME | {"highrise": False, "sealed": "no"}, A),
    ("ATW-04", HOME | {"sealed": "yes"}, U),
    ("ATW-05", OPEN | {"open_w": 0.79, "open_h": 1.2}, P),
    ("ATW-05", OPEN | {"open_w": 1, "open_h": 0.99}, P),
    ("ATW-05", OPEN | {"open_w": 0.8, "open_h": 1}, A),
    ("ATW-05", {"opening": "no", "open_w": 0.1}, A),
    ("ATW-05", OPEN | {"open_w": 0.8}, U),
    ("ATW-06", OPEN | {"inside_open": "no"}, P),
    ("ATW-06", OPEN | {"lock": "welded"}, P),
    ("ATW-06", OPEN | {"lock": "key", "key_fixed": "no"}, P),
    ("ATW-06", OPEN | {"obstructed": "yes"}, P),
    ("ATW-06", OPEN | {"inside_open": "yes", "lock": "latch", "key_fixed": "no", "obstructed": "no"}, A),
    ("ATW-06", {"opening": "no", "inside_open": "no", "lock": "welded", "obstructed": "yes"}, A),
    ("ATW-06", OPEN | {"inside_open": "yes", "lock": "key", "obstructed": "no"}, U),
    ("ATW-07", {"loose": "yes"}, P),
    ("ATW-07", {"loose": "no"}, A),
    ("ATW-07", {"loose": "unknown"}, U),
    ("MUP-01", SLEEPS | sells("fuel"), P),
    ("MUP-01", SLEEPS | sells("battery", "lpg"), P),
    ("MUP-01", SLEEPS | sells("solvent"), P),
    ("MUP-01", SLEEPS | sells("firework"), P),
    ("MUP-01", SLEEPS | sells("battery"), A),
    ("MUP-01", {"sleepers": 0} | sells("fuel"), A),
    ("MUP-01", sells("fuel"), U),
    ("MUP-02", SLEEPS | {"separation": "none"}, P),
    ("MUP-02", SLEEPS | {"separation": "partial", "own_exit": "yes"}, P),
    ("MUP-02", SLEEPS | {"separation": "full", "own_exit": "no"}, P),
    ("MUP-02", SLEEPS | {"separation": "full", "own_exit": "yes"}, A),
    ("MUP-02", {"sleepers": 0, "separation": "none", "own_exit": "no"}, A),
    ("MUP-02", SLEEPS | {"separation": "full", "own_exit": "unknown"}, U),
    ("MUP-03", SLEEPS | {"separation": "full", "second_escape": "no"}, P),
    ("MUP-03", SLEEPS | {"separation": "full", "second_escape": "yes"}, A),
    ("MUP-03", SLEEPS | {"separation": "partial", "second_escape": "no"}, A),
    ("MUP-03", {"sleepers": 0}, A),
    ("MUP-03", SLEEPS | {"separation": "full", "second_escape": "unknown"}, U),
    ("MUP-05", SLEEPS | {"ebike_inside": "charge"}, P),
    ("MUP-05", SLEEPS | {"ebike_inside": "park"}, A),
    ("MUP-05", {"sleepers": 0, "ebike_inside": "charge"}, A),
    ("MUP-05", {"ebike_inside": "charge"}, U),
    ("MUP-06", SLEEPS | {"alarm": "no"}, P),
    ("MUP-06", SLEEPS | {"alarm": "yes"}, A),
    ("MUP-06", {"sleepers": 0, "alarm": "no"}, A),
    ("MUP-06", SLEEPS | {"alarm": "unknown"}, U),
    ("MUP-09", SLEEPS | {"sandwich": "yes"}, P),
    ("MUP-09", SLEEPS | {"sandwich": "no"}, A),
    ("MUP-09", {"sleepers": 0, "sandwich": "yes"}, A),
    ("MUP-09", SLEEPS, U),
    ("SHP-01", CATERING | LPG | {"gas_alarm": "none"}, P),
    ("SHP-01", CATERING | {"fuel": "pipeline", "gas_alarm": "faulty"}, P),
    ("SHP-01", CATERING | LPG | {"gas_alarm": "ok"}, A),
    ("SHP-01", {"trade": "shop", "gas_alarm": "none"} | LPG, A),
    ("SHP-01", CATERING | {"fuel": "electric", "gas_alarm": "none"}, A),
    ("SHP-01", CATERING | LPG, U),
    ("SHP-02", found("tee"), P),
    ("SHP-02", found("no_flameout", "multi_fuel"), P),
    ("SHP-02", found("near_fire"), P),
    ("SHP-02", found("none"), A),
    ("SHP-02", {"fuel": "pipeline", "lpg_faults": ["tee"]}, A),
    ("SHP-02", LPG, U),
    ("SHP-03", LPG | {"highrise": True}, P),
    ("SHP-03", LPG | {"highrise": True, "gas_place": "basement"}, P),
    ("SHP-03", LPG | {"highrise": False}, A),
    ("SHP-03", {"fuel": "pipeline", "highrise": True}, A),
    ("SHP-03", LPG, U),
    ("SHP-03B", LPG | {"highrise": True, "gas_place": "basement"}, P),
    ("SHP-03B", LPG | {"highrise": True, "gas_place": "closed"}, A),
    ("SHP-03B", LPG | {"highrise": False, "gas_place": "basement"}, A),
    ("SHP-03B", LPG | {"highrise": True}, U),
    ("SHP-04", LPG | {"gas_place": "basement"}, P),
    ("SHP-04", {"fuel": "liquid", "gas_place": "closed"}, P),
    ("SHP-04", LPG | {"gas_place": "normal"}, A),
    ("SHP-04", {"fuel": "none", "gas_place": "basement"}, A),
    ("SHP-04", LPG, U),
    ("SHP-05", {"hydrant": "blocked"}, P),
    ("SHP-05", {"hydrant": "na"}, A),
    ("SHP-05", {}, U),
    ("SHP-06", CATERING | {"duct": "late"}, P),
    ("SHP-06", CATERING | {"duct": "never"}, P),
    ("SHP-06", CATERING | {"duct": "clean"}, A),
    ("SHP-06", {"trade": "repair", "duct": "never"}, A),
    ("SHP-06", CATERING, U),
    ("SHP-07", {"signboard": "yes"}, P),
    ("SHP-07", {"signboard": "no"}, A),
    ("SHP-07", {"signboard": "unknown"}, U),
    ("SAI-02", {"tested": False}, P),
    ("SAI-02", {"tested": True}, A),
    ("SAI-02", {}, U),
    ("SAI-02B", {"battery_until": "2026-03-01"}, P),
    ("SAI-02B", {}, U),
    ("GAS-01", PIPED | {"leak_test": "fail"}, P),
    ("GAS-01", PIPED | {"leak_test": "pass"}, A),
    ("GAS-01", {"leak_test": "fail"}, A),
    ("GAS-01", PIPED, U),
    ("GAS-02", {"tampered": "yes"}, P),
    ("GAS-02", {"tampered": "no"}, A),
    ("GAS-02", {"tampered": "unknown"}, U),
    ("GAS-03", {"bedroom": "yes"}, P),
    ("GAS-03", {"vent": "poor"}, P),
    ("GAS-03", {"bedroom": "no", "vent": "good"}, A),
    ("GAS-03", {"bedroom": "no"}, U),
    ("GAS-04", {"hose": "old"}, P),
    ("GAS-04", {"flameout": "no"}, P),
    ("GAS-04", {"hose": "metal", "flameout": "yes"}, A),
    ("GAS-04", {"hose": "metal", "flameout": "unknown"}, U),
    ("GAS-05", LIT | {"lpg_left": 1}, P),
    ("GAS-05", LIT | {"lpg_left": 0}, A),
    ("GAS-05", {"lpg_left": 1}, A),
    ("GAS-05", LIT, U),
    ("LIR-01", {"declared": 3, "actual": 2}, P),
    ("LIR-01", {"declared": 2, "actual": 3}, P),
    ("LIR-01", {"declared": 2, "actual": 2}, A),
    ("LIR-01", {"declared": 2}, U),
]
SHARED_CASES: list[tuple[str, dict[str, Any], str]] = [
    ("MUP-04", {"exit_state": "locked"}, P),
    ("MUP-04", {"exit_state": "blocked"}, P),
    ("MUP-04", {"exit_state": "clear"}, A),
    ("MUP-04", {}, U),
    ("MUP-07", wired("loose"), P),
    ("MUP-07", wired("bare", "overload"), P),
    ("MUP-07", wired("no_rcd"), P),
    ("MUP-07", wired("ok"), A),
    ("MUP-07", {}, U),
    ("MUP-08", {"extinguisher": "none"}, P),
    ("MUP-08", {"extinguisher": "expired"}, P),
    ("MUP-08", {"extinguisher": "ok"}, A),
    ("MUP-08", {}, U),
]
NEVER = {("SAI-02B", A)}
"""A dated rule without a condition is never absent by itself: its day has come or not, and the fold knows which."""
FORMS = {
    "SBH": "self_built_house",
    "EBC": "ebike_charging",
    "ATW": "anti_theft_window",
    "MUP": "multi_use_premises",
    "SHP": "street_shop",
    "SAI": "smoke_alarm_install",
    "GAS": "gas_retrofit",
    "LIR": "low_income_review",
}
# code: severity, due, evidence, closer
ORDERED = """
SBH-01 red 24h ph,xp,household_left street | SBH-02 red 24h ph,rv,xp street | SBH-02W red 30d ph,rv,xp street
SBH-03 red 24h rv,sg street | SBH-04 red 5d xp street | SBH-05 red 24h xp,rv street
SBH-06 red 24h xp department | SBH-07 orange 7d xp street
SBH-08 orange 15d xp street | SBH-09 orange 3d ph,rv safety_officer
SBH-10 orange 24h xp,rv street | EBC-01 red 0 ph,rv safety_officer | EBC-02 orange 0 ph,rv grid_head
EBC-03 orange 0 ph,rv grid_head | EBC-10 orange 0 ph,rv grid_head | EBC-04 orange 24h ph,rv grid_head
EBC-05 orange 0 ph,sg grid_head | EBC-06 yellow 15d ph,sg grid_head | EBC-07 orange 15d ph,rv safety_officer
EBC-08 orange 30d xp department | EBC-09 blue 30d plan committee | ATW-01 red 7d ph,rv department
ATW-02 orange 7d ph,rv safety_officer | ATW-03 orange 7d ph,rv safety_officer
ATW-04 yellow 15d ph,rv grid_head | ATW-05 yellow 15d ph,rv grid_head
ATW-06 orange 3d ph,rv grid_head | ATW-07 yellow 7d ph,rv grid_head
MUP-01 red 0 ph,rv,xp department | MUP-02 red 24h ph,rv street | MUP-03 orange 7d ph,rv safety_officer
MUP-04 red 0 ph,rv safety_officer | MUP-05 red 0 ph,rv safety_officer | MUP-06 orange 7d ph,rv safety_officer
MUP-07 orange 3d ph,rv safety_officer | MUP-08 yellow 7d ph grid_head | MUP-09 orange 15d ph,rv safety_officer
SHP-01 red 7d ph,rv department | SHP-02 orange 24h ph,rv safety_officer | SHP-03 orange 24h ph,rv department
SHP-03B red 24h ph,rv department | SHP-04 red 0 ph,rv department | SHP-05 orange 0 ph grid_head
SHP-06 yellow 15d receipt grid_head | SHP-07 yellow 3d ph,rv grid_head
MUP-04 red 0 ph,rv safety_officer | MUP-07 orange 3d ph,rv safety_officer | MUP-08 yellow 7d ph grid_head
SAI-02 yellow 3d ph grid_head | SAI-02B yellow 3d ph grid_head
GAS-01 red 0 xp,rv department,safety_officer | GAS-02 orange 24h xp department | GAS-03 red 24h ph,rv department
GAS-04 yellow 7d ph grid_head | GAS-05 orange 7d ph safety_officer | LIR-01 blue 10d sg street
"""


@pytest.mark.parametrize(("code", "answers", "expected"), CASES)
def test_evaluate_hand_written_case_gives_its_result(code: str, answers: dict[str, Any], expected: str) -> None:
    assert judged(FORMS[code[:3]], code, answers) == expected


@pytest.mark.parametrize("form", ["multi_use_premises", "street_shop"])
@pytest.mark.parametrize(("code", "answers", "expected"), SHARED_CASES)
def test_evaluate_rule_of_two_forms_gives_its_result_in_both(
    code: str, answers: dict[str, Any], expected: str, form: str
) -> None:
    assert judged(form, code, answers) == expected


def judged(form: str, code: str, answers: dict[str, Any]) -> str:
    compiled = compile_rules(get_form(form, 1), get_rules(form, 1))
    before = compiled.defects()
    result = evaluate(compiled, answers)[code]
    assert compiled.defects() == before
    return result


def test_cases_cover_every_rule_and_result() -> None:
    assert {ruleset.form for ruleset in list_rules()} == set(FORMS.values())
    shipped = {rule.code for name in FORMS.values() for rule in get_rules(name, 1).rules}
    covered = {(code, result) for code, _, result in [*CASES, *SHARED_CASES]}
    assert covered == {(code, r) for code in shipped for r in (P, A, U)} - NEVER


def test_rules_in_two_forms_are_the_same_rule_word_for_word() -> None:
    """One code is one meaning: the hazard is the same, whichever form saw it."""
    seen: dict[str, dict[str, Any]] = {}
    shared = set()
    for ruleset in list_rules():
        for rule in rules_document(ruleset)["rules"]:
            if rule["code"] in seen:
                shared.add(rule["code"])
                assert rule == seen[rule["code"]]
            seen[rule["code"]] = rule
    assert shared == {"MUP-04", "MUP-07", "MUP-08"}


def test_dated_rule_of_the_smoke_alarm_comes_true_thirty_days_before_its_battery_ends() -> None:
    rule = get_rules("smoke_alarm_install", 1).by_code["SAI-02B"]
    # 2026-01-30 00:00 in Shanghai is 2026-01-29 16:00 UTC.
    assert at_ms(rule, {"battery_until": "2026-03-01"}) == 1_769_702_400_000


def test_rules_asked_of_the_registry_are_no_rules_of_visits() -> None:
    assert not {"SAI-01", "REQ-01"} & {rule.code for ruleset in list_rules() for rule in ruleset.rules}


def test_rules_shipped_have_ordered_severity_deadline_evidence_and_closer() -> None:
    rows = [row.strip() for line in ORDERED.strip().splitlines() for row in line.split("|")]
    shipped = [
        f"{rule.code} {rule.severity} {rule.due} {','.join(rule.evidence)} {','.join(rule.closers)}"
        for name in FORMS.values()
        for rule in get_rules(name, 1).rules
    ]
    assert shipped == rows


def test_rules_shipped_print_only_verified_law() -> None:
    lawful = {
        rule.code: [basis.text for basis in rule.basis if basis.is_law]
        for name in FORMS.values()
        for rule in get_rules(name, 1).rules
    }
    printing = {code for code, texts in lawful.items() if texts}
    assert printing == {
        "EBC-01",
        "EBC-02",
        "EBC-03",
        "EBC-04",
        "EBC-07",
        "EBC-08",
        "ATW-01",
        "ATW-02",
        "ATW-06",
        *("MUP-01", "MUP-02", "MUP-04", "MUP-06", "MUP-07", "MUP-08"),
        *("SHP-01", "SHP-02", "SHP-03", "SHP-03B", "SHP-04", "SHP-05", "SHP-06"),
        *("GAS-01", "GAS-02", "GAS-03", "GAS-04", "LIR-01"),
    }


def test_rules_shipped_group_one_hazard_seen_from_several_sides() -> None:
    groups = {
        chain: [rule.code for rule in rules]
        for name in FORMS.values()
        for chain, rules in get_rules(name, 1).chains.items()
        if len(rules) > 1
    }
    assert groups == {
        "SBH-GRADE": ["SBH-01", "SBH-02"],
        "EBC-ROUTE": ["EBC-01", "EBC-02", "EBC-03", "EBC-10"],
        "ATW-SEALED": ["ATW-01", "ATW-02", "ATW-03", "ATW-04"],
        "SHP-GASPLACE": ["SHP-03", "SHP-03B", "SHP-04"],
        "SAI-FAULT": ["SAI-02", "SAI-02B"],
    }
