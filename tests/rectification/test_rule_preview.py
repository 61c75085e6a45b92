"""The dry run of a change to rules shows what publishing it does; versions of a community's rules."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.db import Database
from backend.forms.catalogue import RuleBook
from backend.rectification import rule_preview
from tests.factories.records import block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep, make_sweep

#: A cage with an opening; how wide it is decides.
CAGE: dict[str, Any] = {
    "kind": "cage",
    "premises": "home",
    "highrise": False,
    "floor": 3,
    "sealed": "no",
    "opening": "yes",
    "open_h": 1.2,
    "inside_open": "yes",
    "lock": "none",
    "obstructed": "no",
    "loose": "no",
    "vulnerable": 0,
    "consent": "absent",
}
WIDTHS = st.sampled_from([0.55, 0.65, 0.75, 0.85, 0.95])
CHANGES = st.fixed_dictionaries(
    {
        "enabled": st.booleans(),
        "due": st.sampled_from([None, "24h", "60d"]),
        "thresholds": st.sampled_from([None, {"open_w": 0.6}, {"open_w": 0.7}, {"open_w": 0.9}]),
    }
)


def seen(sweep: Sweep, *widths: float) -> list[UUID]:
    """Windows of these widths, one a household."""
    places = sweep.tree.households[: len(widths)]
    for place, width in zip(places, widths, strict=True):
        sweep.put(visit_body(place, [block("anti_theft_window", place, {**CAGE, "open_w": width})]))
    sweep.compile(*places)
    return places


def dry_run(person: Person, *changes: dict[str, Any], limit: int = 500) -> list[dict[str, Any]]:
    """All pages together."""
    found: list[dict[str, Any]] = []
    cursor, judged = "", 0
    while cursor is not None:
        path = f"/rules/dry-run?limit={limit}&cursor={cursor}"
        answer = person.post(path, {"changes": list(changes)})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found += answer.json["items"]
        judged, cursor = judged + answer.json["places_judged"], answer.json["next_cursor"]
    assert judged == answer.json["places"]
    return found


def standing(sweep: Sweep, person: Person) -> dict[str, Any]:
    """Every task: state, severity, deadline."""
    lines = person.get("/tasks", limit=500).json["items"]
    return {line["id"]: (line["state"], line["severity"], line["deadline"]) for line in lines}


def check_preview(sweep: Sweep, widths: list[float], change: dict[str, Any]) -> None:
    """What the dry run says is what publishing brings."""
    committee, change = sweep.person("committee"), {"rule": "ATW-05", **change}
    places = seen(sweep, *widths)
    before, lines = standing(sweep, committee), dry_run(committee, change)
    assert standing(sweep, committee) == before
    said = {"changes": [change], "reassess": True, "reason": "按新标准复核"}
    assert committee.post("/rules/changes", said).status_code == 201
    sweep.compile(*places)
    now = standing(sweep, committee)
    told = {x["hazard_id"]: (x["after"]["state"], x["after"]["severity"]) for x in lines if x["effect"] != "left_open"}
    assert {task: seen[:2] for task, seen in now.items() if before.get(task) != seen} == told
    left = {line["hazard_id"] for line in lines if line["effect"] == "left_open"}
    assert left <= {task for task, seen in now.items() if before.get(task) == seen}


@settings(max_examples=12)
@given(st.lists(WIDTHS, min_size=1, max_size=4), CHANGES)
def test_dry_run_says_what_publishing_does(app: Flask, db: Database, widths: list[float], change: Any) -> None:
    check_preview(make_sweep(app, db), widths, change)


def test_check_preview_catches_a_dry_run_that_looks_at_nothing_again(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_from_now_on(book: RuleBook, *_: Any) -> RuleBook:
        return book

    monkeypatch.setattr(rule_preview, "as_if", only_from_now_on)
    with pytest.raises(AssertionError):
        check_preview(sweep, [0.75], {"enabled": True, "due": None, "thresholds": {"open_w": 0.6}})


@pytest.mark.parametrize(
    ("width", "change", "effect"),
    [
        (0.75, {"enabled": True, "thresholds": {"open_w": 0.7}}, "proposed"),
        (0.85, {"enabled": True, "thresholds": {"open_w": 0.9}}, "opened"),
        (0.75, {"enabled": True, "due": "24h"}, "changed"),
        (0.75, {"enabled": False}, "left_open"),
        (0.85, {"enabled": True, "thresholds": {"open_w": 0.7}}, None),
    ],
)
def test_dry_run_names_the_effect(sweep: Sweep, width: float, change: dict[str, Any], effect: str | None) -> None:
    seen(sweep, width)
    lines = dry_run(sweep.person("committee"), {"rule": "ATW-05", **change})
    assert [line["effect"] for line in lines if line["chain"] == "ATW-05"] == ([effect] if effect else [])


def test_dry_run_in_pages_says_the_same_and_writes_nothing(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    seen(sweep, 0.75, 0.75, 0.85, 0.55)
    change = {"rule": "ATW-05", "enabled": True, "thresholds": {"open_w": 0.6}}
    tables = ("rule_change", "rule_override", "reassessment", "hazard", "transition", "ledger_number", "audit_event")
    before = sweep.counts(*tables)
    whole = dry_run(committee, change)
    assert len(whole) == 2
    assert dry_run(committee, change, limit=1) == whole
    assert sweep.counts(*tables) == before


def test_changes_are_numbered_and_kept(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    seen(sweep, 0.75)
    first = committee.post("/rules/ATW-05/override", {"enabled": True, "due": "7d"}).json
    changes = [{"rule": "ATW-05", "enabled": True, "thresholds": {"open_w": 0.7}}, {"rule": "EBC-02", "enabled": False}]
    second = committee.post("/rules/changes", {"changes": changes, "reassess": True, "reason": "街道统一口径"}).json
    assert (second["version"], second["reason"]) == (2, "街道统一口径")
    assert {override["rule"] for override in second["overrides"]} == {"ATW-05", "EBC-02"}
    assert [look["form"] for look in second["reassessments"]] == ["anti_theft_window", "ebike_charging"]
    listed = committee.get("/rules/changes").json["items"]
    assert [change["version"] for change in listed] == [2, 1]
    assert listed[1]["overrides"] == [first]
    rest = committee.get("/rules/changes", cursor=committee.get("/rules/changes", limit=1).json["next_cursor"]).json
    assert [change["version"] for change in rest["items"]] == [1]


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"rule": "EBC-99"}, "rule_unknown", None),
        ({"due": "soon"}, "invalid_input", "/changes/0/due"),
        ({"thresholds": {"open_w": 9}}, "invalid_input", "/changes/0/thresholds/open_w"),
        ({"effective_from_ms": 3 * DAY_MS}, "invalid_input", "/effective_from_ms"),
        ({"twice": True}, "invalid_input", "/changes/1/rule"),
        ({"reason": ""}, "invalid_input", "/reason"),
    ],
)
def test_wrong_change_is_refused_whole(sweep: Sweep, changed: dict[str, Any], code: str, pointer: str | None) -> None:
    committee = sweep.person("committee")
    outer = {name: changed.pop(name) for name in ("effective_from_ms", "reason") if name in changed}
    times = 2 if changed.pop("twice", False) else 1
    body = {
        "changes": [{"rule": "ATW-05", "enabled": True, **changed}] * times,
        "reassess": True,
        "reason": "x",
        **outer,
    }
    answer = committee.post("/rules/changes", body)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    if pointer is not None:
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert sweep.counts("rule_change", "rule_override") == {"rule_change": 0, "rule_override": 0}


@pytest.mark.parametrize("role", ["viewer", "grid_head", "safety_officer", "street"])
def test_others_neither_try_nor_publish(sweep: Sweep, role: str) -> None:
    person, changes = sweep.person(role), [{"rule": "ATW-05", "enabled": False}]
    assert person.post("/rules/dry-run", {"changes": changes}).status_code == 403
    assert person.post("/rules/changes", {"changes": changes, "reassess": False, "reason": "x"}).status_code == 403
