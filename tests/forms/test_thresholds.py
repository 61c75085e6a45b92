"""The numbers of a condition that a community may set: from when they hold, and what the office and phones see."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from backend import clock
from backend.rectification.rebuild import check
from backend.sync.feed_entities import FeedEntities
from mobile_contract.forms import get_form
from mobile_contract.rules import compile_rules, evaluate, get_rules, hazard_id
from mobile_contract.rules.publish_checks import check_rules
from mobile_contract.rules.thresholds import with_thresholds
from tests.factories.records import block, visit_body
from tests.factories.sweeps import DAY_MS, Sweep

RULES = get_rules("anti_theft_window", 1)
#: An opening of 0.70 m × 1.20 m: too narrow by the rule as it is written.
NARROW: dict[str, Any] = {
    "kind": "cage",
    "premises": "home",
    "highrise": False,
    "floor": 3,
    "sealed": "no",
    "opening": "yes",
    "open_w": 0.7,
    "open_h": 1.2,
    "inside_open": "yes",
    "lock": "none",
    "obstructed": "no",
    "loose": "no",
    "vulnerable": 0,
    "consent": "absent",
}


def seen(sweep: Sweep, place: UUID) -> UUID:
    sweep.put(visit_body(place, [block("anti_theft_window", place, NARROW)]))
    sweep.compile(place)
    return hazard_id(sweep.community_id, place, "ATW-05", "")


def test_with_thresholds_writes_the_number_into_the_condition() -> None:
    changed = with_thresholds(RULES, {"ATW-05": {"open_w": 0.65, "open_h": 1}})
    rule = changed.by_code["ATW-05"]
    assert rule.when == "a.opening == 'yes' && (a.open_w < 0.65 || a.open_h < 1.0)"
    form = get_form("anti_theft_window", 1)
    assert evaluate(compile_rules(form, changed), NARROW)["ATW-05"] == "absent"
    assert evaluate(compile_rules(form, RULES), NARROW)["ATW-05"] == "present"


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("a.opening == 'yes' && a.open_w < 0.1 && a.open_h < 1.0", "bad_parameter"),
        ("a.opening == 'yes' && 0.8 > a.open_w && a.open_h < 1.0", "bad_parameter"),
        ("a.opening == 'yes' && a.open_w < 0.8 && a.open_w > 0.5 && a.open_h < 1.0", "bad_parameter"),
        ("a.opening == 'yes' && a.open_w < 0.8 && a.sill_h < 1.0", "bad_parameter"),
    ],
)
def test_publishing_refuses_a_parameter_that_is_no_single_number_within_bounds(when: str, code: str) -> None:
    rules = tuple(replace(rule, when=when) if rule.code == "ATW-05" else rule for rule in RULES.rules)
    problems = check_rules(get_form("anti_theft_window", 1), replace(RULES, rules=rules))
    assert code in {problem.code for problem in problems}


def test_threshold_judges_visits_from_its_own_time_only(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    home = sweep.tree.households[0]
    hazard = seen(sweep, home)
    assert committee.task(hazard)["state"] == "registered"
    later = clock.now_ms() + DAY_MS
    body = {"enabled": True, "thresholds": {"open_w": 0.6}}
    assert committee.post("/rules/ATW-05/override", {**body, "effective_from_ms": later}).status_code == 201
    sweep.compile(home)
    assert committee.task(hazard)["state"] == "registered"
    before = clock.now_ms() - 9 * DAY_MS
    assert committee.post("/rules/ATW-05/override", {**body, "effective_from_ms": before}).status_code == 201
    sweep.compile(home)
    assert committee.task(hazard)["state"] == "void"
    assert not check(sweep.runtime, sweep.community_id).differences


def test_rules_in_force_and_history_show_what_the_community_set(sweep: Sweep) -> None:
    committee, viewer = sweep.person("committee"), sweep.person("viewer")
    now = clock.now_ms()
    for from_ms, width in ((now - DAY_MS, 0.6), (now + DAY_MS, 0.5)):
        body = {"enabled": True, "due": "2d", "thresholds": {"open_w": width}, "effective_from_ms": from_ms}
        committee.post("/rules/ATW-05/override", body)
    (rule,) = [item for item in viewer.get("/rules").json["items"] if item["code"] == "ATW-05"]
    assert (rule["due"], rule["rule_version"], rule["enabled"]) == ("2d", 1, True)
    assert "a.open_w < 0.6 " in rule["when"]
    assert [(p["field"], p["default"], p["value"]) for p in rule["parameters"]] == [
        ("open_w", 0.8, 0.6),
        ("open_h", 1.0, 1.0),
    ]
    history = viewer.get("/rules/ATW-05/overrides").json["items"]
    assert [said["thresholds"] for said in history] == [{"open_w": 0.6}, {"open_w": 0.5}]
    assert {said["actor_id"] for said in history} == {str(committee.account.id)}
    assert viewer.get("/rules/ATW-99/overrides").json["code"] == "rule_unknown"


def test_phones_are_told_and_sent_the_condition_with_the_number_in_it(sweep: Sweep) -> None:
    entity = sweep.runtime.part(FeedEntities).find("form")
    assert entity is not None
    begin = clock.now_ms()
    body = {"enabled": True, "thresholds": {"open_h": 1.1}, "effective_from_ms": begin}
    with sweep.db.transaction([sweep.community_id]) as session:
        before = entity.load(session, sweep.community_id, ["anti_theft_window/1"])["anti_theft_window/1"]
    sweep.person("committee").post("/rules/ATW-05/override", body)
    with sweep.db.transaction([sweep.community_id]) as session:
        after = entity.load(session, sweep.community_id, ["anti_theft_window/1"])["anti_theft_window/1"]
    assert after.rev == before.rev + 1
    assert orjson.loads(orjson.dumps(after.data))["overrides"] == [
        {
            "rule": "ATW-05",
            "effective_from_ms": begin,
            "enabled": True,
            "due": "15d",
            "when": "a.opening == 'yes' && (a.open_w < 0.8 || a.open_h < 1.1)",
        }
    ]
    assert sweep.counts("sync_change")["sync_change"] >= 1
