"""A new form is two YAML files and nothing else."""

from pathlib import Path
from random import Random

from mobile_contract.forms import get_form, list_forms, load_form, validate_answers, visibility
from mobile_contract.forms.catalogue import load_forms
from mobile_contract.forms.sample_answers import sample_answers
from mobile_contract.rules import (
    at_ms,
    compile_rules,
    due_at_ms,
    evaluate,
    get_rules,
    hazard_id,
    load_rules,
    locus_of,
)
from mobile_contract.rules.publish_checks import check_form, check_rules

FORM = """
code: stair_lamp
version: 3
title: {zh: 楼道灯, en: Stair lamps}
place_kinds: [building, unit]
locus: [floor]
fields:
- {id: floor, label: {zh: 楼层, en: Floor}, type: text, required: true}
- id: state
  label: {zh: 状态, en: State}
  type: one_of
  required: true
  choices:
    ok: {zh: 完好, en: Works}
    broken: {zh: 损坏, en: Broken}
- id: lux
  label: {zh: 照度, en: Brightness}
  type: decimal
  required: true
  unit: {zh: lx, en: lx}
  visible_when: a.state == 'ok'
- {id: battery_until, label: {zh: 电池到期, en: Battery until}, type: date, visible_when: a.state == 'ok'}
"""
RULES = """
form: stair_lamp
version: 1
form_versions: [3]
category: other
rules:
- code: LMP-01
  title: {zh: 楼道灯不亮, en: Stair lamp out}
  severity: yellow
  when: a.state == 'broken' || a.state == 'ok' && a.lux < 5.0
  due: 7d
  actions: [notice]
  evidence: [ph]
  closers: [grid_head]
  basis:
  - {mark: D, text: 社区约定}
- code: LMP-02
  title: {zh: 电池将到期, en: Battery about to expire}
  severity: blue
  at: battery_until - 30 days
  due: 30d
  actions: [report]
  evidence: [plan]
  closers: [committee]
  basis:
  - {mark: D, text: 社区约定}
"""


def test_new_form_from_yaml_alone_runs_to_hazards(tmp_path: Path) -> None:
    forms, rules = tmp_path / "forms", tmp_path / "rules"
    for folder, name, content in ((forms, "stair_lamp.v3", FORM), (rules, "stair_lamp.v1", RULES)):
        folder.mkdir()
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    form = get_form("stair_lamp", 3, forms)
    ruleset = get_rules("stair_lamp", 1, rules)
    assert [item.code for item in list_forms(forms)] == ["stair_lamp"]
    assert load_forms(forms)["stair_lamp", 3] is form
    assert load_form(forms / "stair_lamp.v3.yaml").fields == form.fields
    assert load_rules(rules / "stair_lamp.v1.yaml").rules == ruleset.rules
    assert (check_form(form), check_rules(form, ruleset)) == ([], [])

    answers = {"floor": "３f", "state": "ok", "lux": 2, "battery_until": "2026-03-01"}
    assert validate_answers(form, answers) == []
    problems = validate_answers(form, {"floor": "3F", "state": "ok"})
    assert [problem.pointer for problem in problems] == ["/lux"]
    assert visibility(form, {"state": "broken"})["lux"] == "hidden"
    assert evaluate(compile_rules(form, ruleset), answers) == {"LMP-01": "present", "LMP-02": "present"}
    assert evaluate(compile_rules(form, ruleset), {"state": "broken"}) == {
        "LMP-01": "present",
        "LMP-02": "absent",
    }
    assert at_ms(ruleset.by_code["LMP-02"], answers) == 1_769_702_400_000
    assert due_at_ms(ruleset.by_code["LMP-01"].due, 0) > 0
    assert locus_of(form, answers) == "3F"
    assert hazard_id("c", "p", ruleset.by_code["LMP-01"].chain, "3F").version == 5
    assert validate_answers(form, sample_answers(form, Random(1))) == []
