"""The dossier of a place (一楼一档): answers without personal data, visits, hazards, steps, what stands below."""

from random import Random
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.rectification import dossier
from mobile_contract.forms import get_form
from mobile_contract.forms.sample_answers import sample_answers
from tests.factories.places import merged
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep, counted_statements

PLATED = {**PARKED_EBIKE, "owner_known": True, "plate": "湘L12345"}


def of(person: Person, place: UUID, **query: Any) -> dict[str, Any]:
    answer = person.get(f"/places/{place}/dossier", **query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def test_dossier_shows_the_last_answers_of_each_form(sweep: Sweep) -> None:
    place, now = sweep.tree.households[0], clock.now_ms()
    sweep.visit(place, PARKED_EBIKE, now - 2 * DAY_MS)
    last = sweep.visit(place, CLEAR_EBIKE, now - DAY_MS)
    sweep.put(visit_body(place, outcome="no_answer"), now)
    sweep.compile(place)
    shown = of(sweep.person("grid_worker"), place)
    (answers,) = shown["answers"]
    assert (answers["form"], answers["visit_id"]) == ("ebike_charging", str(last))
    assert answers["blocks"] == [{"version": 1, "answers": CLEAR_EBIKE, "left_out": []}]
    assert [v["outcome"] for v in shown["visits"]["items"]] == ["no_answer", "done", "done"]
    assert [a["kind"] for a in shown["place"]["ancestors"]] == ["community", "grid", "building", "unit"]


def test_corrected_visit_shows_the_correction_and_voided_nothing(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    worker = sweep.person("grid_worker")
    own: dict[str, Any] = {"author_id": worker.account.id}
    root = sweep.visit(place, PARKED_EBIKE, **own)
    sweep.visit(place, CLEAR_EBIKE, amends=root, **own)
    (answers,) = of(worker, place)["answers"]
    assert (answers["visit_id"], answers["blocks"][0]["answers"]["behaviours"]) == (str(root), ["none"])
    sweep.put({}, voids=root, **own)
    sweep.compile(place)
    shown = of(worker, place)
    assert (shown["answers"], shown["visits"]["items"]) == ([], [])


def sensitive_shown(sweep: Sweep, place: UUID) -> list[str]:
    text = sweep.person("committee").get(f"/places/{place}/dossier").get_data(as_text=True)
    return [secret for secret in ("湘L12345", "12345", "周小雨") if secret in text]


def test_sensitive_answers_are_masked(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    place = sweep.tree.households[0]
    house = {**sample_answers(get_form("self_built_house", 1), Random(1)), "owner_name": "周小雨"}
    blocks = [block("ebike_charging", place, PLATED), block("self_built_house", place, house)]
    sweep.put(visit_body(place, blocks))
    sweep.compile(place)
    assert sensitive_shown(sweep, place) == []
    shown = {a["form"]: a["blocks"][0]["answers"] for a in of(sweep.person("committee"), place)["answers"]}
    assert shown["ebike_charging"]["plate"] == "湘L***"
    assert shown["self_built_house"]["owner_name"] == "周*"
    with monkeypatch.context() as broken:
        broken.setattr(dossier, "MASKS", dict.fromkeys(dossier.MASKS, str))
        assert sensitive_shown(sweep, place) == ["湘L12345", "12345", "周小雨"]


def test_health_and_unknown_answers_are_left_out() -> None:
    form = get_form("anti_theft_window", 1)
    answers = {"kind": "cage", "vulnerable": 2, "from_a_later_version": "周小雨"}
    assert dossier.shown_answers(answers, form) == ({"kind": "cage"}, ["from_a_later_version", "vulnerable"])
    assert dossier.shown_answers(answers, None) == ({}, sorted(answers))


def test_hazards_come_open_ones_first_with_the_steps(sweep: Sweep) -> None:
    first, second = sweep.tree.households[:2]
    head = sweep.person("grid_head")
    closed, still = sweep.hazard(first, days_ago=9), sweep.hazard(second)
    sweep.clear(first, at_ms=clock.now_ms() - DAY_MS)
    assert head.take("close", closed, revisit_id=head.task(closed)["revisit_id"]).status_code == 200
    assert head.take("assign", still).status_code == 200
    shown = of(head, sweep.tree.buildings[0])
    assert [hazard["id"] for hazard in shown["hazards"]] == [str(still), str(closed)]
    assert [step["kind"] for step in shown["steps"]] == ["assign", "close"]
    assert shown["hazards_more"] is False


def test_children_are_counted_by_one_statement(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    first, second, third = sweep.tree.households[:3]
    sweep.hazard(first)
    sweep.put(visit_body(second, outcome="no_answer"))
    sweep.put(visit_body(third, outcome="vacant"))
    sweep.compile(second, third)
    with counted_statements(sweep.db) as sent:
        shown = of(head, sweep.tree.grids[0])
    assert len([s for s in sent if "subpath" in s]) == 1
    (building,) = shown["children"]
    counted = {name: building[name] for name in ("doors", "finished", "open_hazards", "overdue")}
    assert counted == {"doors": 2, "finished": 1, "open_hazards": 1, "overdue": 1}
    whole = of(head, sweep.community_id)["children"]
    assert [(g["kind"], g["doors"], g["finished"], g["open_hazards"]) for g in whole] == [
        ("grid", 2, 1, 1),
        ("grid", 2, 1, 0),
    ]
    unit = of(head, sweep.tree.units[0])["children"]
    assert [(h["id"], h["doors"], h["finished"]) for h in unit] == [(str(first), 1, 1), (str(second), 1, 0)]
    assert of(head, first)["children"] == []


def test_visits_page_newest_first(sweep: Sweep) -> None:
    place, now = sweep.tree.households[0], clock.now_ms()
    made = [sweep.put(visit_body(place, outcome="no_answer"), now - n) for n in range(5)]
    sweep.compile(place)
    worker = sweep.person("grid_worker")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        visits = of(worker, sweep.tree.buildings[0], limit=2, **cursor)["visits"]
        found += [visit["id"] for visit in visits["items"]]
        if visits["next_cursor"] is None:
            break
        cursor = {"cursor": visits["next_cursor"]}
    assert found == [str(record) for record in made]


def test_visit_to_the_building_is_in_the_dossier_of_the_door_it_filled_a_form_for(sweep: Sweep) -> None:
    building, door = sweep.tree.buildings[0], sweep.tree.households[0]
    record = sweep.put(visit_body(building, [block("ebike_charging", door, PARKED_EBIKE)]))
    sweep.compile(building, door)
    shown = of(sweep.person("grid_worker"), door)
    assert [visit["id"] for visit in shown["visits"]["items"]] == [str(record)]
    assert shown["answers"][0]["visit_id"] == str(record)


def test_survivor_of_a_merge_shows_the_records_of_both(sweep: Sweep) -> None:
    from backend.places.service import record_place_events

    survivor, loser = sweep.tree.households[:2]
    record = sweep.visit(loser, PARKED_EBIKE)
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, [merged(loser, survivor, clock.now_ms())])
    sweep.compile(survivor, loser)
    shown = of(sweep.person("grid_worker"), survivor)
    assert shown["answers"][0]["visit_id"] == str(record)
    assert [visit["id"] for visit in shown["visits"]["items"]] == [str(record)]


def test_dossier_needs_the_permission_and_the_place(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    assert sweep.person("viewer").get(f"/places/{place}/dossier").status_code == 403
    worker = sweep.person("grid_worker", sweep.tree.grids[1])
    assert worker.get(f"/places/{place}/dossier").json["code"] == "place_not_found"
