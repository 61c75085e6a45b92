"""The inbox over HTTP: one's own, within one's places, cheap to ask again."""

from typing import Any

from backend import clock
from tests.factories.identity import make_account
from tests.factories.sweeps import DAY_MS, MEASURES, PARTY, Person, Sweep
from tests.notifications.people import look, loose_cage

LATER = 12 * DAY_MS


def inbox(person: Person, tag: str | None = None, **query: Any) -> Any:
    headers = {**person.headers, **({"If-None-Match": tag} if tag else {})}
    return person.app.test_client().get("/api/v1/notifications", query_string=query, headers=headers)


def unread(person: Person) -> int:
    return int(person.get("/notifications/unread").json["unread"])


def test_read_own_notifications_page_by_page(sweep: Sweep) -> None:
    head, stranger = sweep.person("grid_head"), sweep.person("viewer")
    hazards = {str(loose_cage(sweep, home, days_ago=1)) for home in sweep.tree.households[:3]}
    look(sweep, clock.now_ms() + LATER)
    first = inbox(head, limit=4).json
    rest = inbox(head, limit=4, cursor=first["next_cursor"]).json
    items = first["items"] + rest["items"]
    assert (len(items), rest["next_cursor"]) == (6, None)
    assert {item["hazard_id"] for item in items} == hazards
    assert {item["kind"] for item in items} == {"due", "late"}
    assert all("福泉-" in item["text"]["zh"] and "late" in item["text"]["en"] for item in items)
    assert (unread(head), unread(stranger)) == (6, 0)
    assert inbox(stranger).json["items"] == []


def test_mark_read_own_ones_only(sweep: Sweep) -> None:
    head, committee = sweep.person("grid_head"), sweep.person("committee")
    loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    ids = [item["id"] for item in inbox(head).json["items"]]
    assert committee.post("/notifications/read", {"ids": ids}).json == {"unread": 1}
    assert unread(head) == 2
    assert head.post("/notifications/read", {"ids": ids[:1]}).json == {"unread": 1}
    assert [item["id"] for item in inbox(head, state="unread").json["items"]] == ids[1:]
    assert [item["id"] for item in inbox(head, state="read").json["items"]] == ids[:1]
    assert head.post("/notifications/read", {"ids": None}).json == {"unread": 0}


def test_ask_again_unchanged_is_304_and_changed_is_not(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    tag = inbox(head).headers["ETag"]
    again = inbox(head, tag)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert inbox(head, tag, state="unread").status_code == 200
    assert inbox(head, "*", cursor="1\r\n2").status_code == 304
    counted = head.get("/notifications/unread").headers["ETag"]
    same = head.app.test_client().get(
        "/api/v1/notifications/unread", headers={**head.headers, "If-None-Match": counted}
    )
    assert same.status_code == 304
    head.post("/notifications/read", {"ids": None})
    assert inbox(head, tag).status_code == 200
    loose_cage(sweep, sweep.tree.households[1], days_ago=1)
    tag = inbox(head).headers["ETag"]
    look(sweep, clock.now_ms() + LATER)
    assert inbox(head, tag).status_code == 200


def test_what_left_the_readers_places_is_not_shown(sweep: Sweep) -> None:
    """A notification is told to who answers for the place, and read by who does so still."""
    home = sweep.tree.households[0]
    head = sweep.person("grid_head", sweep.tree.grid_of[home])
    administrator = sweep.person("administrator")
    loose_cage(sweep, home, days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    assert unread(head) == 2
    moved = administrator.post(f"/places/{sweep.tree.building_of[home]}/move", {"parent_id": str(sweep.tree.grids[1])})
    assert moved.status_code == 200, moved.json
    assert unread(head) == 0
    assert inbox(head).json["items"] == []


def test_notifications_hold_nothing_personal(sweep: Sweep) -> None:
    head = sweep.person("grid_head")
    hazard = loose_cage(sweep, sweep.tree.households[0])
    assert head.take("assign", hazard, deadline_ms=clock.now_ms() + DAY_MS, severity="yellow").status_code == 200
    look(sweep, clock.now_ms() + LATER)
    text = inbox(head).get_data(as_text=True)
    for canary in (PARTY, MEASURES, "13800138000", "室"):
        assert canary not in text


def test_disabled_accounts_are_told_nothing(sweep: Sweep) -> None:
    account = make_account(sweep.db, sweep.community_id, "grid_head")
    administrator, officer = sweep.person("administrator"), sweep.person("safety_officer")
    answer = administrator.post(f"/accounts/{account.id}/disable", {})
    assert answer.status_code in (200, 204), answer.json
    loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    assert unread(officer) == 2
