"""Pull: nothing is missed, nothing that is not the account's is shown, and a phone can always begin anew."""

from typing import Any

from mobile_contract.conformance.promises.bench import Bench, NotOffered, expect, is_problem
from mobile_contract.conformance.promises.registry import promise
from mobile_contract.conformance.view import View


def _found_door(bench: Bench) -> dict[str, Any]:
    """A new door under a known place, pushed by a phone; its place id and its record."""
    rows = {row["id"]: row["data"] for row in bench.snapshot() if row["entity"] == "place" and row["op"] == "put"}
    parents = [id_ for id_, data in rows.items() if data["kind"] in ("unit", "building") and not data["withdrawn"]]
    if not parents:
        raise NotOffered("the account sees no building")
    place = {
        "id": bench.new_id(),
        "kind": "household",
        "parent_id": parents[0],
        "name": f"试{bench.rng.randrange(10**6)}室",
        "address_raw": None,
        "location": None,
    }
    bench.stored(bench.record("place_proposal", bench.payload(place=place)))
    return place


@promise("pull-scopes", "§6")
def scopes_are_told(bench: Bench) -> None:
    """Asked for no scope, pull tells the allowed ones, this installation's own among them."""
    allowed = bench.pull([])["allowed_scopes"]
    expect(allowed, "no scope is allowed")
    expect(f"device:{bench.install_id}" in allowed, "the installation's own scope is not allowed")


@promise("pull-foreign-scope", "§6")
def foreign_scope_is_left_out(bench: Bench) -> None:
    """A scope that is not allowed, or not known, is left out without a word."""
    own = bench.area()
    answer = bench.pull([{"id": f"area:{bench.new_id()}", "cursor": None}, {"id": own, "cursor": None}])
    expect([scope["id"] for scope in answer["scopes"]] == [own], "a scope that is not allowed was answered")


@promise("pull-pages", "§6")
def small_pages_give_the_same(bench: Bench) -> None:
    """Whatever the page size, following a scope to its end gives every row."""
    whole = {(row["entity"], row["id"]) for row in bench.snapshot()}
    paged = {(row["entity"], row["id"]) for row in bench.snapshot(limit=3)}
    expect(whole <= paged, f"pages of 3 miss {len(whole - paged)} of {len(whole)} rows")
    expect(paged <= whole, "pages of 3 bring rows that a whole page does not")


@promise("pull-changes", "§6")
def changes_are_not_missed(bench: Bench) -> None:
    """What happens after a cursor comes with the next pull from it, and only once its rows are known."""
    scopes = [scope for scope in bench.pull([])["allowed_scopes"] if scope.startswith("area:")]
    cursors = {scope: bench.follow(scope, None)[1] for scope in scopes}
    doors = {_found_door(bench)["id"] for _ in range(3)}
    seen: list[str] = []
    for scope, cursor in cursors.items():
        changes, cursors[scope] = bench.follow(scope, cursor, 2)
        seen += [row["id"] for row in changes if row["entity"] == "place" and row["op"] == "put"]
    expect(doors <= set(seen), f"{len(doors - set(seen))} of 3 new doors never came through the feed")
    again = [row["id"] for scope, cursor in cursors.items() for row in bench.follow(scope, cursor)[0]]
    expect(not doors & set(again), "a row came again from the cursor after it")


@promise("pull-reset", "§6")
def stale_cursor_resets(bench: Bench) -> None:
    """A stale epoch, a cursor that is none, or a raised `schema_version` gives `reset: true` and a fresh snapshot."""
    scope = bench.area()
    rows, cursor = bench.follow(scope, None)
    for what, changes, asked in (
        ("a stale epoch", {"server_epoch": "of a server long gone"}, cursor),
        ("a cursor that is none", {}, "never-given"),
        ("a raised schema_version", {"schema_version": 2}, cursor),
    ):
        page = bench.pull([{"id": scope, "cursor": asked}], **changes)["scopes"][0]
        expect(page["reset"] is True, f"{what} gives no reset")
        expect(page["changes"] or not rows, f"after a reset for {what} no snapshot begins")


@promise("pull-no-reset", "§6")
def good_cursor_does_not_reset(bench: Bench) -> None:
    """A cursor that is good goes on, without a reset."""
    scope = bench.area()
    answer = bench.pull([])
    _, cursor = bench.follow(scope, None)
    page = bench.pull([{"id": scope, "cursor": cursor}], server_epoch=answer["server_epoch"])["scopes"][0]
    expect(page["reset"] is False, "a good cursor gives a reset")


@promise("pull-rows", "§6")
def rows_have_the_promised_fields(bench: Bench) -> None:
    """Rows carry `entity`, `id`, `op`, `rev`; places and forms have their fields."""
    wanted = {
        "place": {"kind", "parent_id", "name", "code", "address_raw", "location", "grid_id", "merged_into"},
        "form": {"code", "version", "current", "definition", "schema", "rules", "overrides"},
        "task": {"place_id", "chain", "locus", "state", "severity", "cycle", "deadline_ms", "basis"},
    }
    rows = bench.snapshot()
    for row in rows:
        expect({"entity", "id", "op", "rev"} <= set(row), "a row lacks entity, id, op or rev")
        if row["op"] == "put":
            missing = wanted.get(row["entity"], set()) - set(row["data"])
            expect(not missing, f"a {row['entity']} lacks {sorted(missing)}")
    expect(any(row["entity"] == "form" for row in rows), "no form comes by pull: a phone could fill none")


@promise("pull-view", "§6")
def view_is_the_same_from_scratch(bench: Bench) -> None:
    """A phone that followed from the beginning sees what one sees that begins now."""
    followed, fresh = View(), View()
    _take(bench, followed)
    _found_door(bench)
    _take(bench, followed)
    _take(bench, fresh)
    different = [
        key for key in followed.rows.keys() | fresh.rows.keys() if followed.rows.get(key) != fresh.rows.get(key)
    ]
    expect(not different, f"{len(different)} rows differ, for instance {different[:1]}")


def _take(bench: Bench, view: View) -> None:
    view.allow(bench.pull([])["allowed_scopes"])
    for scope in sorted(view.cursors):
        while view.apply(bench.pull([{"id": scope, "cursor": view.cursors[scope]}])["scopes"][0]):
            pass


@promise("pull-protocol", "§6, §9")
def too_old_a_protocol_is_told(bench: Bench) -> None:
    """Too old a protocol gets 426 on pull, and on pull alone."""
    body: dict[str, Any] = {"schema_version": 1, "server_epoch": None, "limit": 10, "scopes": []}
    is_problem(bench.call("pull", body, X_Protocol="0"), 426, "protocol_too_old")


@promise("pull-foreign-community", "§1")
def foreign_community_is_403(bench: Bench) -> None:
    """Pull and reconcile for a community that the account does not serve are 403 `permission_denied`."""
    strange = {"community_id": bench.new_id()}
    pull: dict[str, Any] = {"schema_version": 1, "server_epoch": None, "limit": 10, "scopes": []}
    is_problem(bench.call("pull", {**pull, **strange}), 403, "permission_denied")
    is_problem(bench.call("reconcile", {"ids": [], "attachment_ids": [], **strange}), 403, "permission_denied")


@promise("envelope-invalid", "§9")
def wrong_envelope_is_named(bench: Bench) -> None:
    """A wrong envelope is 422 `envelope_invalid` and points at the field."""
    reply = bench.call("pull", {"schema_version": "1", "scopes": []})
    is_problem(reply, 422, "envelope_invalid")
    pointers = [error["pointer"] for error in reply.body["errors"]]
    expect("/schema_version" in pointers, f"it points at {pointers}")
