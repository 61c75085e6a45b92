"""Lists of tasks: filters, order, pages, overdue at its boundary, and the number of statements a page takes."""

from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from backend import clock
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.models import Hazard
from backend.rectification import queries
from tests.factories.records import CHARGING_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep, counted_statements

#: Too few places to charge: a gap in services beside the parked e-bike.
CROWDED = {**CHARGING_EBIKE, "facility": "none"}


def ids(person: Person, **query: Any) -> list[str]:
    answer = person.get("/tasks", **query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [task["id"] for task in answer.json["items"]]


def test_filters_narrow_the_list(sweep: Sweep) -> None:
    first, second, third, fourth = sweep.tree.households
    head = sweep.person("grid_head")
    parked, closed = sweep.hazard(first), sweep.hazard(fourth)
    charging = sweep.hazard(third, answers=CROWDED)
    gap = next(i for i in ids(head, service_gap=True))
    head.take("assign", parked, assignee_account_id=str(head.account.id))
    sweep.clear(fourth)
    closer = sweep.person("committee")
    revisit = closer.task(closed)["revisit_id"]
    assert closer.take("close", closed, revisit_id=revisit).status_code == 200
    sweep.visit(second)
    everything = {str(parked), str(closed), str(charging), gap, str(sweep.hazard_id(second))}
    assert set(ids(head)) == everything
    here = {str(parked), str(sweep.hazard_id(second))}
    assert set(ids(head, grid=sweep.tree.grids[0])) == here
    assert set(ids(head, building=sweep.tree.buildings[0])) == here
    assert set(ids(head, place=sweep.tree.units[0])) == here
    assert ids(head, place=first) == [str(parked)]
    assert set(ids(head, severity="red")) == {str(charging)}
    assert set(ids(head, severity=["red", "blue"])) == {str(charging), gap}
    assert ids(head, state="assigned") == [str(parked)]
    assert set(ids(head, state=["assigned", "closed"])) == {str(parked), str(closed)}
    assert set(ids(head, state="open")) == everything - {str(closed)}
    assert ids(head, assignee="me") == [str(parked)]
    assert ids(head, assignee=str(head.account.id)) == [str(parked)]
    assert ids(closer, assignee="me") == []
    assert gap not in ids(head, service_gap=False)
    assert set(ids(head, form="ebike_charging")) == everything
    assert ids(head, form="self_built_house") == []
    assert ids(head, grid=sweep.tree.grids[0], severity="red") == []


def test_contradicted_tasks_can_be_asked_for(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard, quiet = sweep.hazard(sweep.tree.households[0]), sweep.hazard(sweep.tree.households[1])
    sweep.clear(sweep.tree.households[0])
    sweep.visit(sweep.tree.households[0])
    assert ids(head, contradicted=True) == [str(hazard)]
    assert ids(head, contradicted=False) == [str(quiet)]


@pytest.mark.parametrize(
    "query",
    [
        {"severity": "purple"},
        {"state": "lost"},
        {"grid": "x"},
        {"assignee": "nobody"},
        {"limit": 0},
        {"form": "a'; DROP TABLE hazard"},
        {"overdue": "perhaps"},
    ],
)
def test_wrong_filter_is_refused(sweep: Sweep, query: dict[str, Any]) -> None:
    assert sweep.person("viewer").get("/tasks", **query).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "W251bGwsbnVsbF0", "WzEuNSwieCJd"])
def test_wrong_cursor_is_refused(sweep: Sweep, cursor: str) -> None:
    viewer = sweep.person("viewer")
    assert viewer.get("/tasks", cursor=cursor).json["code"] == "bad_cursor"


def test_pages_are_in_deadline_order_without_gap(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    for n, household in enumerate(sweep.tree.households):
        sweep.visit(household, CROWDED, clock.now_ms() - (n % 2) * DAY_MS)
    whole = head.get("/tasks", limit=500).json["items"]
    keys = [(task["deadline"]["ms"], task["id"]) for task in whole]
    assert keys == sorted(keys)
    assert len(keys) == 8
    paged: list[str] = []
    cursor = None
    while True:
        page = head.get("/tasks", limit=3, **({"cursor": cursor} if cursor else {})).json
        paged += [task["id"] for task in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == [task["id"] for task in whole]


def overdue_around(sweep: Sweep, head: Person, hazard: Any) -> list[bool]:
    """Whether the task is overdue a millisecond before its deadline, at it, and a millisecond after."""
    deadline = head.task(hazard)["deadline"]["ms"]
    found = []
    for at_ms in (deadline - 1, deadline, deadline + 1):
        with time_machine.travel((at_ms + 0.5) / 1000, tick=False):  # a float in seconds may fall short of its ms
            listed = ids(head, overdue=True) == [str(hazard)]
            assert listed is (ids(head, overdue=False) == [])
            assert head.task(hazard)["overdue"] is listed
            found.append(listed)
    return found


def test_overdue_begins_after_the_deadline_and_is_never_stored(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    head = sweep.person("grid_head")
    hazard = sweep.hazard(sweep.tree.households[0], days_ago=0.001)
    head.take("assign", hazard, deadline_ms=clock.now_ms() + 60_000)
    before = sweep.counts("transition", "sync_change")
    assert overdue_around(sweep, head, hazard) == [False, False, True]
    assert sweep.counts("transition", "sync_change") == before
    with sweep.db.transaction([sweep.community_id]) as session:
        columns = session.scalars(
            text("SELECT column_name FROM information_schema.columns WHERE column_name LIKE '%overdue%'")
        ).all()
    assert columns == []
    with monkeypatch.context() as broken:
        wrong = lambda now_ms: Hazard.deadline_ms <= now_ms  # noqa: E731
        broken.setattr(queries, "is_overdue", wrong)
        with pytest.raises(AssertionError):
            overdue_around(sweep, head, hazard)


def test_settled_task_is_never_overdue(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head")
    hazard = sweep.hazard(place, days_ago=9)
    assert ids(head, overdue=True) == [str(hazard)]
    sweep.clear(place, at_ms=clock.now_ms() - DAY_MS)
    assert head.take("close", hazard, revisit_id=head.task(hazard)["revisit_id"]).status_code == 200
    assert ids(head, overdue=True) == []


def statements_of_a_page(sweep: Sweep, person: Person) -> int:
    with counted_statements(sweep.db) as sent:
        assert person.get("/tasks", limit=500).status_code == 200
    return len([statement for statement in sent if "hazard" in statement])


def test_page_takes_one_statement_however_long(sweep: Sweep) -> None:
    viewer = sweep.person("viewer")
    sweep.hazard(sweep.tree.households[0])
    ids(viewer)
    few = statements_of_a_page(sweep, viewer)
    for household in sweep.tree.households:
        sweep.put(visit_body(household, [block("ebike_charging", household, CROWDED)]))
    sweep.compile(*sweep.tree.households)
    assert len(ids(viewer)) == 8
    assert (few, statements_of_a_page(sweep, viewer)) == (1, 1)


def test_task_tells_its_rules_and_which_grounds_are_law(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    task = sweep.person("viewer").task(sweep.hazard(place))
    (rule,) = task["rule_details"]
    assert (rule["code"], rule["title"]["zh"], rule["severity"]) == ("EBC-02", "高层公共部位违规停放", "orange")
    assert [basis["is_law"] for basis in rule["basis"]] == [True]
    assert [item["code"] for item in task["evidence"]] == ["ph", "rv"]
    assert (task["place"]["id"], task["building"]["id"]) == (str(place), str(sweep.tree.buildings[0]))
    low = {**CHARGING_EBIKE, "building_class": "low"}
    other = sweep.tree.households[1]
    sweep.visit(other, low)
    (rule,) = sweep.person("viewer").task(sweep.hazard_id(other))["rule_details"]
    assert [(basis["mark"], basis["is_law"]) for basis in rule["basis"]] == [("U", False), ("U", False)]


def test_history_tells_what_every_visit_saw(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    head = sweep.person("grid_head", name="田大禾")
    now = clock.now_ms()
    sweep.visit(place, at_ms=now - 3000, author_id=head.account.id)
    sweep.visit(place, {**CHARGING_EBIKE, "behaviours": ["none"]}, at_ms=now - 2000)
    task = head.task(sweep.hazard_id(place))
    assert [(v["seen"], v["author"]["name"]) for v in task["history"]["visits"]] == [
        ("present", "田大禾"),
        ("absent", None),
    ]
    assert [t["label"]["zh"] for t in task["history"]["transitions"]] == ["发现登记", "复查未见"]
    assert task["state_label"] == {"zh": "待复查", "en": "Waiting for re-inspection"}


def test_life_cycle_is_served_as_one_table(sweep: Sweep) -> None:
    table = sweep.person("viewer").get("/life-cycle").json
    steps = {step["kind"]: step for step in table["steps"]}
    assert list(steps) == list(STEP_KINDS)
    assert steps["return"]["to"] is None
    assert "grid_head" in steps["close"]["roles"]
    assert "grid_worker" not in steps["close"]["roles"]
    assert [state["state"] for state in table["states"] if not state["open"]] == ["closed", "void"]
    assert table["not_applied"]["contradicted"]["zh"]
