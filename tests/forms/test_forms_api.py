"""Forms and rules at the office: what is published, overrides, reassessments; and what phones get in the feed."""

from typing import Any
from uuid import UUID

import jsonschema_rs
import orjson
import pytest
from sqlalchemy import text

from backend import clock
from backend.db import new_id
from backend.places.service import record_place_events
from backend.sync.feed import forms_scope
from backend.sync.feed_entities import FeedEntities, FeedEntity
from backend.sync.form_feed import tell_forms
from mobile_contract.forms import get_form
from mobile_contract.forms.document import parse_form
from mobile_contract.rules import hazard_id
from mobile_contract.rules.document import parse_rules
from tests.factories.places import registered
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep, counted_statements


def compile_wanted(sweep: Sweep) -> set[UUID]:
    """Work off the compile jobs that are wanted; returns their places."""
    with sweep.db.transaction([sweep.community_id]) as session:
        wanted = session.scalars(
            text(
                "UPDATE job SET done = wanted WHERE kind = 'compile' AND community_id = :c AND done < wanted "
                "RETURNING subject"
            ),
            {"c": sweep.community_id},
        ).all()
    places = {UUID(subject) for subject in wanted}
    sweep.compile(*places)
    return places


def state_of(person: Person, hazard: UUID) -> str | None:
    answer = person.get(f"/tasks/{hazard}")
    return answer.json["state"] if answer.status_code == 200 else None


def test_forms_are_listed_with_their_rules(sweep: Sweep) -> None:
    found = {form["code"]: form for form in sweep.person("viewer").get("/forms").json["items"]}
    assert {"header", "ebike_charging", "self_built_house", "anti_theft_window"} <= set(found)
    form = found["ebike_charging"]
    assert (form["version"], form["current"], form["rules"]) == (1, True, [1])
    assert found["header"]["rules"] == []


def test_form_is_served_with_a_schema_that_judges_answers(sweep: Sweep) -> None:
    viewer = sweep.person("viewer")
    form = viewer.get("/forms/ebike_charging/1").json
    assert parse_form(form["definition"]).title == get_form("ebike_charging", 1).title
    schema = jsonschema_rs.validator_for(form["schema"])
    assert schema.is_valid(dict(PARKED_EBIKE))
    assert not schema.is_valid({**PARKED_EBIKE, "place": "roof"})
    (rules,) = form["rule_sets"]
    assert parse_rules(rules["definition"]).version == rules["version"] == 1
    assert form["overrides"] == []
    for unknown in ("ebike_charging/2", "nothing/1", f"ebike_charging/{2**40}", "楼/1"):
        assert viewer.get(f"/forms/{unknown}").json["code"] == "form_not_found"


def test_override_folds_every_place_seen_through_the_form_again(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    parked, clear, never = sweep.tree.households[:3]
    hazard = sweep.hazard(parked)
    sweep.visit(clear, CLEAR_EBIKE)
    begin = clock.now_ms() - 9 * DAY_MS
    answer = committee.post("/rules/EBC-02/override", {"enabled": False, "effective_from_ms": begin})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert compile_wanted(sweep) == {parked, clear}
    assert never not in compile_wanted(sweep)
    task = committee.task(hazard)
    assert (task["state"], task["void_reason"]) == ("void", "no_record")
    shown = committee.get("/forms/ebike_charging/1").json["overrides"]
    assert [(o["rule"], o["enabled"], o["effective_from_ms"]) for o in shown] == [("EBC-02", False, begin)]
    assert committee.post("/rules/EBC-02/override", {"enabled": True, "effective_from_ms": begin}).status_code == 201
    compile_wanted(sweep)
    assert state_of(committee, hazard) == "registered"


def make_shops(sweep: Sweep, count: int) -> list[UUID]:
    """Premises on the ground floor of the first building."""
    shops = [new_id() for _ in range(count)]
    building = sweep.tree.buildings[0]
    facts = [registered(shop, "premises", f"{n}号门店", building) for n, shop in enumerate(shops, 1)]
    with sweep.db.transaction([sweep.community_id]) as session:
        record_place_events(session, sweep.community_id, facts)
    return shops


def locked(sweep: Sweep, place: UUID, *forms: str, **answers: str) -> None:
    """A visit that saw an exit locked, through every one of these forms."""
    said = {"exit_state": "locked", "wiring": ["ok"], "extinguisher": "ok", **answers}
    sweep.put(visit_body(place, [block(form, place, said) for form in forms]))
    sweep.compile(place)


def test_rule_of_two_forms_makes_one_hazard_and_its_override_folds_both(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    shop, workshop, both = make_shops(sweep, 3)
    locked(sweep, shop, "street_shop")
    locked(sweep, workshop, "multi_use_premises")
    locked(sweep, both, "street_shop", "multi_use_premises")
    hazards = {place: hazard_id(sweep.community_id, place, "MUP-04", "") for place in (shop, workshop, both)}
    listed = committee.get("/tasks").json["items"]
    assert {UUID(task["id"]) for task in listed} == set(hazards.values())
    assert {task["title"]["zh"] for task in listed} == {"安全出口锁闭占用"}
    assert {committee.task(hazards[shop])["form"], committee.task(hazards[workshop])["form"]} == {
        "street_shop",
        "multi_use_premises",
    }
    begin = clock.now_ms() - DAY_MS
    committee.post("/rules/MUP-04/override", {"enabled": False, "effective_from_ms": begin})
    assert compile_wanted(sweep) == {shop, workshop, both}
    assert {state_of(committee, hazard) for hazard in hazards.values()} == {"void"}


def test_form_without_rules_is_listed_and_served_and_makes_no_hazard(sweep: Sweep) -> None:
    viewer, place = sweep.person("viewer"), sweep.tree.households[0]
    listed = {form["code"]: form["rules"] for form in viewer.get("/forms").json["items"]}
    without = {code for code, rules in listed.items() if not rules}
    assert without == {
        "header",
        *("elderly_vaccination", "resident_request", "key_custody", "helper_assignment", "community_event"),
    }
    served = viewer.get("/forms/elderly_vaccination/1").json
    assert (served["rule_sets"], served["overrides"]) == ([], [])
    sweep.put(visit_body(place, [block("elderly_vaccination", place, {"status": "refused"})]))
    sweep.compile(place)
    assert sweep.counts("hazard", "visit") == {"hazard": 0, "visit": 1}


def test_override_from_now_on_leaves_old_visits_alone(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    old, new = sweep.tree.households[:2]
    hazard = sweep.hazard(old)
    assert committee.post("/rules/EBC-02/override", {"enabled": True, "due": "7d"}).status_code == 201
    compile_wanted(sweep)
    deadlines = {
        place: committee.task(sweep.hazard_id(place))["deadline"]["ms"]
        for place in (old, new)
        if sweep.visit(new, at_ms=clock.now_ms())
    }
    weekend = 2  # days by which a deadline of these seven days may move
    assert 9 * DAY_MS <= deadlines[new] - deadlines[old] <= (9 + weekend) * DAY_MS
    assert committee.task(hazard)["deadline"]["ms"] == deadlines[old]


def test_reassessment_looks_at_the_last_answers_again(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    place = sweep.tree.households[0]
    sweep.hazard(place)
    gone = sweep.clear(place, at_ms=clock.now_ms() - 60_000)
    answer = committee.post("/forms/ebike_charging/reassess", {"rule_version": 1})
    assert (answer.status_code, answer.json["form"], answer.json["rule_version"]) == (201, "ebike_charging", 1)
    assert compile_wanted(sweep) == {place}
    visits = committee.task(sweep.hazard_id(place))["history"]["visits"]
    assert [v["reassessment"] for v in visits] == [False, False, True]
    assert (visits[1]["visit_id"], visits[2]["visit_id"]) == (str(gone), answer.json["id"])


def test_changes_to_rules_are_audited(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    committee.post("/rules/EBC-04/override", {"enabled": True, "due": "24h"})
    committee.post("/forms/ebike_charging/reassess", {"rule_version": 1})
    events = committee.get("/audit-events").json["items"]
    made = [(e["action"], e["subject"], e["account_id"]) for e in events[:2]]
    me = str(committee.account.id)
    assert sorted(made) == [
        ("form_reassessed", "form:ebike_charging", me),
        ("rule_overridden", "rule:EBC-04", me),
    ]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/rules/EBC-99/override", {"enabled": True}, "rule_unknown"),
        ("/rules/EBC-02/override", {"enabled": True, "due": "soon"}, "invalid_input"),
        ("/rules/EBC-02/override", {"enabled": True, "due": "7d\n"}, "invalid_input"),
        ("/rules/EBC-02/override", {"enabled": True, "thresholds": {"ebike_count": 3}}, "invalid_input"),
        ("/rules/ATW-05/override", {"enabled": True, "thresholds": {"open_w": 0.1}}, "invalid_input"),
        ("/rules/ATW-05/override", {"enabled": True, "thresholds": {"open_w": "NaN"}}, "invalid_input"),
        ("/rules/EBC-02/override", {"enabled": True, "effective_from_ms": -1}, "invalid_input"),
        ("/rules/EBC-02/override", {}, "invalid_input"),
        ("/forms/ebike_charging/reassess", {"rule_version": 9}, "rule_unknown"),
        ("/forms/ebike_charging/reassess", {"rule_version": 2**40}, "invalid_input"),
        ("/forms/nothing/reassess", {"rule_version": 1}, "form_not_found"),
        ("/forms/a%00b/reassess", {"rule_version": 1}, "not_found"),
        ("/rules/a%00b/override", {"enabled": True}, "not_found"),
    ],
)
def test_wrong_change_is_refused_and_stores_nothing(sweep: Sweep, path: str, body: dict[str, Any], code: str) -> None:
    committee = sweep.person("committee")
    sweep.hazard(sweep.tree.households[0])
    before = sweep.counts("rule_override", "reassessment", "audit_event")
    assert committee.post(path, body).json["code"] == code
    assert sweep.counts("rule_override", "reassessment", "audit_event") == before
    assert compile_wanted(sweep) == set()


@pytest.mark.parametrize("role", ["viewer", "grid_worker", "grid_head", "safety_officer", "street"])
def test_role_without_the_permission_may_not_change_rules(sweep: Sweep, role: str) -> None:
    person = sweep.person(role)
    assert person.post("/rules/EBC-02/override", {"enabled": False}).status_code == 403
    assert person.post("/forms/ebike_charging/reassess", {"rule_version": 1}).status_code == 403


def test_role_over_a_part_of_the_community_may_not_change_rules(sweep: Sweep) -> None:
    person = sweep.person("committee", sweep.tree.grids[0])
    assert person.post("/rules/EBC-02/override", {"enabled": False}).status_code == 403


def entity(sweep: Sweep) -> FeedEntity:
    found = sweep.runtime.part(FeedEntities).find("form")
    assert found is not None
    return found


def test_feed_carries_every_form_with_schema_and_rules(sweep: Sweep) -> None:
    scope = forms_scope(sweep.community_id)
    with sweep.db.transaction([sweep.community_id]) as session:
        rows = entity(sweep).after(session, sweep.community_id, scope, None, 100)
        first = entity(sweep).after(session, sweep.community_id, scope, None, 1)
        rest = entity(sweep).after(session, sweep.community_id, scope, first[0].id, 100)
        some = entity(sweep).load(session, sweep.community_id, ["ebike_charging/1", "nothing/1"])
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert [row.id for row in (*first, *rest)] == [row.id for row in rows]
    assert {row.scope_id for row in rows} == {scope}
    assert set(some) == {"ebike_charging/1"}
    data = orjson.loads(orjson.dumps(some["ebike_charging/1"].data))
    assert set(data) == {"code", "version", "current", "definition", "schema", "rules", "overrides"}
    assert (data["code"], data["version"], data["current"]) == ("ebike_charging", 1, True)
    assert parse_rules(data["rules"]).form == "ebike_charging"
    header = next(orjson.loads(orjson.dumps(row.data)) for row in rows if row.id == "header/1")
    assert header["rules"] is None


def test_feed_reads_definitions_once_a_process(sweep: Sweep) -> None:
    scope = forms_scope(sweep.community_id)
    with sweep.db.transaction([sweep.community_id]) as session:
        entity(sweep).after(session, sweep.community_id, scope, None, 100)
        with counted_statements(sweep.db) as sent:
            entity(sweep).after(session, sweep.community_id, scope, None, 100)
    assert len(sent) == 3


def test_publication_is_told_to_the_phones(sweep: Sweep) -> None:
    with sweep.db.transaction([sweep.community_id]) as session:
        tell_forms(session, sweep.community_id, ["ebike_charging"])
        rows = session.execute(text("SELECT scope_id, entity, entity_id, op, rev FROM sync_change")).all()
    assert [tuple(row) for row in rows] == [(forms_scope(sweep.community_id), "form", "ebike_charging/1", "put", 2)]
