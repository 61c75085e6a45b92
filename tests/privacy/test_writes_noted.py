"""The trail holds every write: what the office called, what was received, and what no longer agrees with either."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from backend.commands.guarding import faults
from backend.identity import audit as trail
from backend.settings import Settings
from backend.sync import intake
from tests.architecture.test_routes_guarded import rules
from tests.conftest import DatabaseMaker
from tests.factories.identity import make_account
from tests.factories.phones import Phone
from tests.factories.records import PARKED_EBIKE
from tests.factories.sweeps import Sweep, assignment

#: Calls that change nothing, or whose feature says in events of its own what it changed.
SELF_NOTED = {
    "/sync/v1/clock",
    "/sync/v1/pull",
    "/sync/v1/reconcile",
    "/sync/v1/push",
    "/sync/v1/files",
    "/sync/v1/files/<uuid:upload_id>",
    "/api/v1/roster/dry-run",
    "/api/v1/rules/dry-run",
}


@pytest.fixture
def owner(databases: DatabaseMaker, settings: Settings) -> Iterator[Engine]:
    engine = create_engine(databases.owner_of(settings.database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def phone(app: Flask, sweep: Sweep) -> Phone:
    return Phone(app.test_client(), make_account(sweep.db, sweep.community_id))


def events(sweep: Sweep) -> list[dict[str, Any]]:
    """But for those of the people that the test itself makes and signs in."""
    items = sweep.person("committee").get("/audit-events", limit=500).json["items"]
    return [event for event in items if event["action"] not in ("signed_in", "role_granted")]


def tamper(owner: Engine, sweep: Sweep, statement: str, **values: Any) -> None:
    """As somebody who owns the database."""
    with owner.begin() as connection:
        communities = "{" + str(sweep.community_id) + "}"
        connection.execute(text("SELECT set_config('app.communities', :c, true)"), {"c": communities})
        assert connection.execute(text(statement), {"c": sweep.community_id, **values}).rowcount >= 1


def test_only_these_calls_are_left_to_note_themselves(app: Flask) -> None:
    """``notes`` is seen from outside: the frame keeps it in the closure of the view."""
    silent = set()
    for rule, guard in rules(app):
        if guard is None or guard.public or not (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            continue
        view = app.view_functions[rule.endpoint]
        if not vars(view)["notes"]:
            silent.add(rule.rule)
    assert silent == SELF_NOTED


def every_write_is_noted(sweep: Sweep) -> None:
    """Calls of features with and without events of their own; each that succeeds is in the trail, no other."""
    head = sweep.person("committee")
    hazard = sweep.hazard(sweep.tree.households[0])
    before = len(events(sweep))
    calls = [
        head.take("assign", hazard),
        head.post(f"/tasks/{hazard}/assign", assignment(), **{"If-Match": '"999"'}),
        head.post("/papers", {"kind": "weekly", "period_start": "2026-11-16"}),
        head.post("/places", {"kind": "household", "name": "909室", "parent_id": str(sweep.tree.buildings[0])}),
        head.post("/rules/EBC-01/override", {"enabled": False}),
        head.post("/rules/NONE-01/override", {"enabled": False}),
        head.post("/persons/search", {"reason": "request", "name": "无人"}),
    ]
    succeeded = [call for call in calls if call.status_code < 300]
    assert len(succeeded) == 5, [(c.status_code, c.json) for c in calls]
    written = events(sweep)[: len(succeeded)]
    assert len(events(sweep)) == before + len(succeeded)
    assert {event["account_id"] for event in written} == {str(head.account.id)}
    assert {event["request_id"] for event in written} == {call.headers["X-Request-Id"] for call in succeeded}


def test_every_write_of_the_office_is_noted(sweep: Sweep) -> None:
    every_write_is_noted(sweep)


def test_write_without_its_event_is_caught(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.runtime.note_write, kept = lambda *_: None, sweep.runtime.note_write
    try:
        with pytest.raises(AssertionError):
            every_write_is_noted(sweep)
    finally:
        sweep.runtime.note_write = kept
    assert kept is trail.note_write


def test_push_is_noted_once_whatever_is_sent_again(sweep: Sweep, phone: Phone) -> None:
    records = [phone.visit(sweep.tree.households[n]) for n in range(3)]
    phone.push(*records[:2])
    phone.push(*records)
    phone.push(*records)
    received = [e for e in events(sweep) if e["action"] == "records_received"]
    assert sorted(e["details"]["records"] for e in received) == [1, 2]
    assert {e["details"]["install_id"] for e in received} == {str(phone.install_id)}
    assert faults(sweep.runtime, sweep.community_id, None) == []


def test_push_in_two_parts_under_one_id_adds_up(sweep: Sweep, phone: Phone) -> None:
    push_id, records = str(uuid4()), [phone.visit(sweep.tree.households[n]) for n in range(3)]
    phone.push(records[0], push_id=push_id)
    phone.push(*records[1:], push_id=push_id)
    assert faults(sweep.runtime, sweep.community_id, None) == []


CHANGES = {
    "another hash": "UPDATE record SET sha256 = sha256('x') WHERE community_id = :c AND id = :r",
    "a record removed": "DELETE FROM record WHERE community_id = :c AND id = :r",
    "all of a push removed": "DELETE FROM record WHERE community_id = :c",
    "a record slipped in": "INSERT INTO record SELECT (r).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object("
    "'id', gen_random_uuid(), 'push_id', gen_random_uuid())) AS r FROM record t WHERE community_id = :c AND id = :r) x",
}


@pytest.mark.parametrize("bug", CHANGES)
def test_record_changed_past_the_application_is_found(sweep: Sweep, phone: Phone, owner: Engine, bug: str) -> None:
    records = [phone.visit(sweep.tree.households[n]) for n in range(2)]
    phone.push(*records)
    assert faults(sweep.runtime, sweep.community_id, None) == []
    tamper(owner, sweep, CHANGES[bug], r=UUID(records[0]["id"]))
    assert len(faults(sweep.runtime, sweep.community_id, None)) == 1, bug


def test_receipt_that_is_not_noted_is_found(sweep: Sweep, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "note_received", lambda *_: None)
    phone.push(phone.visit(sweep.tree.households[0]))
    assert len(faults(sweep.runtime, sweep.community_id, None)) == 1


def test_step_changed_past_the_application_is_found_and_an_erased_one_is_not(
    sweep: Sweep, phone: Phone, owner: Engine
) -> None:
    place = sweep.tree.households[0]
    phone.push(phone.visit(place, answers=PARKED_EBIKE))
    sweep.compile(place)
    head, hazard = sweep.person("committee"), sweep.hazard_id(place)
    step = head.take("assign", hazard).json["history"]["steps"][0]["id"]
    erased = head.post("/persons/erase", {"items": [{"source": "step", "id": step}], "ground": "request"})
    assert len(erased.json["erased"]) == 1
    assert faults(sweep.runtime, sweep.community_id, None) == []
    later = head.take("accept", hazard)
    assert later.status_code == 200, later.get_data(as_text=True)
    tamper(owner, sweep, "UPDATE task_step SET sealed = 'x' WHERE community_id = :c AND kind <> 'assign'")
    assert len(faults(sweep.runtime, sweep.community_id, None)) == 1


def test_erasure_of_records_leaves_the_trail_whole(sweep: Sweep, phone: Phone) -> None:
    record = phone.visit(sweep.tree.households[0])
    phone.push(record)
    items = [{"source": "record", "id": record["id"]}]
    body = {"items": items, "ground": "request", "extent": "everything"}
    assert len(sweep.person("committee").post("/persons/erase", body).json["erased"]) == 1
    assert faults(sweep.runtime, sweep.community_id, None) == []


def test_pushes_at_once_make_one_chain(app: Flask, sweep: Sweep) -> None:
    phones = [Phone(app.test_client(), make_account(sweep.db, sweep.community_id)) for _ in range(4)]

    def push_some(phone: Phone) -> None:
        for n in range(5):
            phone.push(phone.visit(sweep.tree.households[n % 4]))

    threads = [threading.Thread(target=push_some, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults(sweep.runtime, sweep.community_id, None) == []
    received = [e for e in events(sweep) if e["action"] == "records_received"]
    assert len(received) == 20
