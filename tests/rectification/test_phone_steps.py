"""Steps taken offline: they arrive days later, fold at their own time, and are kept when they do not apply."""

from typing import Any
from uuid import UUID, uuid4

from backend import clock
from tests.factories.sweeps import DAY_MS, PARTY, Person, Sweep, assignment

HOUR_MS = 3_600_000


def phone_step(sweep: Sweep, person: Person, hazard: UUID, place: UUID, kind: str, at_ms: int, **body: Any) -> UUID:
    """A step that a phone took at ``at_ms`` and pushed just now, compiled."""
    role = "grid_head" if kind in ("assign", "close", "return") else "grid_worker"
    said = {**(assignment() if kind == "assign" else {}), **body}
    step = {"step": {"hazard_id": str(hazard), "place_id": str(place), "kind": kind, **said}}
    record = sweep.put(step, at_ms, author_id=person.account.id, role=role, install_id=uuid4())
    sweep.compile(place)
    return record


def test_step_of_a_phone_counts_at_its_own_time(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = sweep.hazard(place, days_ago=3)
    now = clock.now_ms()
    phone_step(sweep, worker, hazard, place, "accept", now - DAY_MS, refusal_witness="田大禾")
    assert head.task(hazard)["state"] == "registered"
    phone_step(sweep, head, hazard, place, "assign", now - 2 * DAY_MS)
    task = head.task(hazard)
    assert (task["state"], task["responsible_party"], task["steps_not_applied"]) == ("fixing", PARTY, 0)
    assert [s["kind"] for s in task["history"]["steps"]] == ["assign", "accept"]
    accepted = task["history"]["steps"][1]
    assert (accepted["from_phone"], accepted["wall"]["ms"]) == (True, now - DAY_MS)
    assert accepted["received_at"] is not None


def test_step_that_no_longer_applies_is_kept_and_shown(sweep: Sweep) -> None:
    place, other = sweep.tree.households[0], sweep.tree.households[2]
    head, worker = sweep.person("grid_head", sweep.tree.grids[0]), sweep.person("grid_worker")
    hazard, now = sweep.hazard(place, days_ago=3), clock.now_ms()
    assert head.take("assign", hazard).status_code == 200
    # Accepted on the phone before anybody at the office had assigned it.
    record = phone_step(sweep, worker, hazard, place, "accept", now - DAY_MS)
    task = head.task(hazard)
    assert (task["state"], task["steps_not_applied"]) == ("assigned", 1)
    kept = task["history"]["steps"][0]
    assert (kept["id"], kept["applied"], kept["reason"]["code"]) == (str(record), False, "wrong_state")
    assert kept["reason"]["zh"] == "当时的状态不允许此步骤"
    assert kept["reason"]["en"].startswith("The state")
    tray = head.get("/tasks/steps-not-applied").json["items"]
    assert [(s["id"], s["hazard_id"], s["number"]) for s in tray] == [(str(record), str(hazard), task["number"])]
    # What the grid head may not see is not in the tray either.
    phone_step(sweep, worker, sweep.hazard(other), other, "submit", now)
    assert len(head.get("/tasks/steps-not-applied").json["items"]) == 1
    assert len(sweep.person("grid_head").get("/tasks/steps-not-applied").json["items"]) == 2
    assert worker.get("/tasks/steps-not-applied").status_code == 403


def test_tray_pages_newest_first_without_gap(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head, worker = sweep.person("grid_head"), sweep.person("grid_worker")
    hazard = sweep.hazard(place)
    made = [phone_step(sweep, worker, hazard, place, "accept", clock.now_ms()) for _ in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        page = head.get("/tasks/steps-not-applied", limit=2, **({"cursor": cursor} if cursor else {})).json
        found += [step["id"] for step in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(map(str, made), reverse=True)


def test_unknown_step_of_a_later_version_is_shown_by_its_code(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head")
    hazard = sweep.hazard(place)
    phone_step(sweep, head, hazard, place, "inspect_from_orbit", clock.now_ms())
    step = head.task(hazard)["history"]["steps"][0]
    assert (step["label"]["zh"], step["reason"]["code"]) == ("inspect_from_orbit", "step_unknown")


def test_corrected_step_says_what_the_correction_says(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head")
    hazard, install = sweep.hazard(place), uuid4()
    now = clock.now_ms()
    body = {"hazard_id": str(hazard), "place_id": str(place), "kind": "assign"}
    options = {"author_id": head.account.id, "role": "grid_head", "install_id": install}
    root = sweep.put({"step": {**body, **assignment(responsible_party="旧责任人")}}, now - HOUR_MS, **options)
    sweep.put({"step": {**body, **assignment(responsible_party="刘明月")}}, now, amends=root, **options)
    sweep.compile(place)
    assert head.task(hazard)["responsible_party"] == "刘明月"


def test_deadline_beyond_all_calendars_is_shown_as_the_last_day(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head")
    hazard = sweep.hazard(place)
    phone_step(sweep, head, hazard, place, "assign", clock.now_ms(), deadline_ms=2**53 - 1)
    deadline = head.get("/tasks").json["items"][0]["deadline"]
    assert deadline == {"ms": 2**53 - 1, "iso": "9999-12-31T23:59:59.999+08:00"}


def test_erased_step_shows_no_content(sweep: Sweep) -> None:
    from sqlalchemy import text

    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0])
    assert head.take("assign", hazard).status_code == 200
    step = head.task(hazard)["history"]["steps"][0]["id"]
    with sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("DELETE FROM record_key WHERE record_id = :id"), {"id": step})
    task = head.task(hazard)
    assert (task["responsible_party"], task["history"]["steps"][0]["content"]) == (None, None)
