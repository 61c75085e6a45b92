"""Every rule against hand-written cases: what makes it present, absent and unknown."""

from typing import Any

import pytest

from mobile_contract.forms import get_form
from mobile_contract.rules import compile_rules, evaluate, get_rules

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
]
FORMS = {"SBH": "self_built_house", "EBC": "ebike_charging", "ATW": "anti_theft_window"}
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
"""


@pytest.mark.parametrize(("code", "answers", "expected"), CASES)
def test_evaluate_hand_written_case_gives_its_result(code: str, answers: dict[str, Any], expected: str) -> None:
    name = FORMS[code[:3]]
    compiled = compile_rules(get_form(name, 1), get_rules(name, 1))
    before = compiled.defects()
    assert evaluate(compiled, answers)[code] == expected
    assert compiled.defects() == before


def test_cases_cover_every_rule_and_result() -> None:
    shipped = {rule.code for name in FORMS.values() for rule in get_rules(name, 1).rules}
    assert {(code, result) for code, _, result in CASES} == {(code, r) for code in shipped for r in (P, A, U)}


def test_rules_shipped_have_ordered_severity_deadline_evidence_and_closer() -> None:
    rows = [row.strip() for line in ORDERED.strip().splitlines() for row in line.split("|")]
    shipped = [
        f"{rule.code} {rule.severity} {rule.due} {','.join(rule.evidence)} {','.join(rule.closers)}"
        for name in ("self_built_house", "ebike_charging", "anti_theft_window")
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
    }
