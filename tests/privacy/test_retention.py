"""Retention: what is due, shown before anything is erased; the job and the command that erase it; what is kept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend import clock
from backend.commands.guarding import due_lines, erase_due
from backend.privacy import retention
from backend.privacy.mentions import index_unseen
from tests.factories.dangerous_houses import make_house
from tests.factories.notices import served
from tests.factories.persons import NAME, PHONE, Named, name_everywhere, visit_naming
from tests.factories.sweeps import DAY_MS, Person, Sweep
from worker.persons import erase_due as job

KEPT = {"enabled": True, "forms": [], **dict.fromkeys(retention.CLASSES, 1000)}


@pytest.fixture
def head(sweep: Sweep) -> Person:
    return sweep.person("committee")


@pytest.fixture
def named(sweep: Sweep, head: Person) -> Named:
    return name_everywhere(sweep, head, sweep.tree.households[0])


@contextmanager
def days_later(days: int) -> Iterator[None]:
    with time_machine.travel((clock.now_ms() + days * DAY_MS) / 1000, tick=False):
        yield


def put(person: Person, kept: Mapping[str, Any]) -> Any:
    client = person.app.test_client()
    return client.put("/api/v1/retention", json=dict(kept), headers=person.headers)


def due_after(sweep: Sweep, days: int, **kept: Any) -> dict[str, set[Any]]:
    with sweep.db.transaction([sweep.community_id]) as session:
        index_unseen(session, sweep.runtime, sweep.community_id)
        values = {**retention.DEFAULTS, **kept}
        found = retention.due(session, sweep.community_id, values, clock.now_ms() + days * DAY_MS, 100)
    return {name: set(ids) for name, ids in found.items()}


def names_left(head: Person) -> int:
    found = head.post("/persons/search", {"reason": "request", "name": NAME, "phone": PHONE})
    return int(found.json["total"])


def close(sweep: Sweep, named: Named) -> None:
    """Strike the hazard off, by the visit that saw it gone and by somebody else's hand."""
    worker, officer = sweep.person("grid_worker"), sweep.person("safety_officer")
    for person, kind in ((worker, "accept"), (worker, "submit")):
        taken = person.take(kind, named.hazard_id)
        assert taken.status_code == 200, taken.get_data(as_text=True)
    revisit = sweep.clear(sweep.tree.households[0])
    seen = [str(named.visit_id), str(revisit)]
    done = officer.take("close", named.hazard_id, revisit_id=str(revisit), basis=seen)
    assert done.status_code == 200, done.get_data(as_text=True)


def test_nothing_is_due_while_the_hazard_is_open(sweep: Sweep, named: Named) -> None:
    assert due_after(sweep, 4000) == {name: set() for name in retention.CLASSES}


def test_three_years_after_the_hazard_was_struck_off_all_of_it_is_due(sweep: Sweep, named: Named) -> None:
    close(sweep, named)
    assert not any(due_after(sweep, 3 * 365 - 2).values())
    due = due_after(sweep, 3 * 365 + 2)
    assert due["visits"] == {named.visit_id}
    assert named.step_id in due["steps"]
    assert due["orders"] == {named.order_id}


def test_papers_of_a_dangerous_house_are_kept_until_its_case_is_long_over(sweep: Sweep) -> None:
    house = make_house(sweep)
    house.done("appraised")
    home = str(house.homes[0])
    house.done("listed", household_id=home, persons=1, contact=NAME)
    notice = house.notice(addressee=NAME, owner=NAME)
    served_to = house.officer.post(f"/notices/{notice['id']}/services", served(signatory=NAME))
    assert served_to.status_code == 201
    house.done("left", household_id=home, destination="rental")
    assert not any(due_after(sweep, 4000).values()), "the case is open"
    house.done("appraised", grade="B", report_no="HZ-2026-044")
    house.done("closed", by=house.street, ending="reinforced", note="加固完成")
    assert not any(due_after(sweep, 3 * 365 - 2).values())
    due = due_after(sweep, 3 * 365 + 2)
    assert {name for name, ids in due.items() if ids} == {"notices", "services", "evacuations"}
    assert due["notices"] == {UUID(notice["id"])}


def test_form_with_a_time_of_its_own_is_due_sooner(sweep: Sweep, named: Named) -> None:
    close(sweep, named)
    assert due_after(sweep, 32, forms={"ebike_charging": 30})["visits"] == {named.visit_id}
    assert not due_after(sweep, 28, forms={"ebike_charging": 30})["visits"]
    assert not due_after(sweep, 32, forms={"gas_retrofit": 30})["visits"]


def test_dry_run_lists_and_changes_nothing(sweep: Sweep, head: Person, named: Named) -> None:
    close(sweep, named)
    before = sweep.counts("record_key", "audit_event", "job")
    with days_later(1200):
        lines = due_lines(sweep.runtime, sweep.community_id)
        assert erase_due(sweep.runtime, sweep.community_id) == 0, "the community has not turned it on"
    assert lines[0] == "retention is off: nothing is erased"
    assert {f"visits {named.visit_id}", f"orders {named.order_id}", f"steps {named.step_id}"} <= set(lines)
    assert sweep.counts("record_key", "audit_event", "job") == before
    assert names_left(head) == 3


@pytest.mark.parametrize("by", ["command", "job"])
def test_what_was_listed_is_what_is_erased(sweep: Sweep, head: Person, named: Named, by: str) -> None:
    close(sweep, named)
    state = head.task(named.hazard_id)["state"]
    assert put(head, KEPT).status_code == 200
    with days_later(1200):
        listed = set(due_lines(sweep.runtime, sweep.community_id)[1:])
        if by == "command":
            erase_due(sweep.runtime, sweep.community_id)
        else:
            with sweep.db.transaction([sweep.community_id]) as session:
                job(session, sweep.runtime, sweep.community_id, ["all"])
        assert due_lines(sweep.runtime, sweep.community_id) == ["retention is on"]
    events = head.get("/audit-events", action="person_erased", limit=500).json["items"]
    classes = {source.name: name for name, source in retention.CLASSES.items()}
    erased = {
        f"{classes[source]} {row_id}" for source, _, row_id in (event["subject"].partition(":") for event in events)
    }
    assert erased == listed
    assert {(e["details"]["ground"], e["details"]["extent"]) for e in events} == {("retention", "persons")}
    assert names_left(head) == 0
    assert head.task(named.hazard_id)["state"] == state, "the building's dossier stays"


def test_preview_and_settings_are_the_offices_own(sweep: Sweep, head: Person, named: Named) -> None:
    asked = {**KEPT, "forms": [{"form": "ebike_charging", "days": 60}]}
    assert put(head, asked).json == asked
    preview = head.get("/retention").json
    assert preview["settings"] == asked
    assert [one["ids"] for one in preview["due"]] == [[]] * len(retention.CLASSES)
    assert head.get("/audit-events", action="retention_changed").json["items"]
    for wrong in ({**KEPT, "visits": 0}, {**KEPT, "enabled": "yes"}, {**KEPT, "steps": None}):
        assert put(head, wrong).status_code == 422
    assert sweep.person("safety_officer").get("/retention").status_code == 403


@hypothesis_settings(max_examples=25)
@given(st.lists(st.integers(0, 2200), min_size=1, max_size=4), st.integers(1, 2000), st.integers(0, 3000))
def test_row_is_due_exactly_when_its_time_is_over(app: Any, db: Any, ages: list[int], kept: int, later: int) -> None:
    from tests.factories.sweeps import make_sweep

    sweep = make_sweep(app, db)
    place = sweep.tree.households[1]
    made = {sweep.put(visit_naming(place, outcome="refused"), clock.now_ms() - age * DAY_MS): age for age in ages}
    # The receipt was just now, whatever the phone's clock said: a wrong clock erases nothing more than a day early.
    expected = {record for record, age in made.items() if later + age >= kept and later + 1 >= kept}
    assert due_after(sweep, later, visits=kept)["visits"] == expected
