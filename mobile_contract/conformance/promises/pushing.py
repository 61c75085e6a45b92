"""Push and reconcile: what is acknowledged is kept, once, and everything pushed has an answer."""

import gzip

import orjson

from mobile_contract.conformance.promises.bench import Bench, Broken, expect, has_code, is_problem
from mobile_contract.conformance.promises.registry import promise
from mobile_contract.conformance.wire import Unreachable

UNKNOWN_PLACE = "0197a000-dead-7000-8000-000000000009"


def _reconciled(bench: Bench, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = bench.ok("reconcile", {"ids": ids, "attachment_ids": []}).body
    return found


@promise("push-stored", "§4.6")
def what_is_acknowledged_is_held(bench: Bench) -> None:
    """`stored` means held: reconcile does not miss it, its bytes are the server's."""
    record = bench.visit()
    bench.stored(record)
    expect(record["id"] not in _reconciled(bench, [record["id"]])["missing"], "an acknowledged record is missing")
    reply = bench.wire.send("GET", f"/api/v1/records/{record['id']}", None, bench.headers())
    if reply.status == 200:
        expect(reply.body["sha256"] == record["sha256"], "the server holds other bytes than were pushed")


@promise("push-duplicate", "§4.6")
def resending_is_harmless(bench: Bench) -> None:
    """The same bytes again are `duplicate`: in another push, and twice in one."""
    record = bench.visit()
    bench.stored(record)
    (again,) = bench.push(record)
    expect(again["status"] == "duplicate", f"the same record again got {again['status']}")
    twice = bench.visit()
    statuses = sorted(result["status"] for result in bench.push(twice, twice))
    expect(statuses == ["duplicate", "stored"], f"a record twice in one push got {statuses}")


@promise("push-swallowed", "§4.7")
def lost_answer_can_be_repeated(bench: Bench) -> None:
    """When the answer is lost the same body is sent again: every record is `stored` or `duplicate`."""
    records = [bench.visit() for _ in range(3)]
    body = bench.envelope(records)
    try:
        bench.wire.post_and_leave("/sync/v1/push", body, bench.token, None)
    except Unreachable:
        statuses = {result["status"] for result in bench.results(bench.ok("push", orjson.dumps(body)), 3)}
        expect(statuses <= {"stored", "duplicate"}, f"after a lost answer the same records got {statuses}")
        expect(_reconciled(bench, [r["id"] for r in records])["missing"] == [], "a repeated record is missing")


@promise("push-order", "§4.6")
def one_result_per_record_in_order(bench: Bench) -> None:
    """One result per record, in the order of the request, whatever its fate."""
    good, bad, late = bench.visit(), bench.visit(), bench.visit()
    bad["sha256"] = "0" * 64
    results = bench.push(good, bad, late)
    expect([r["id"] for r in results] == [good["id"], bad["id"], late["id"]], "results are not in the request's order")
    expect([r["status"] for r in results] == ["stored", "quarantined", "stored"], "neighbours of a bad record suffer")


@promise("push-id-reused", "§4.6, §9")
def same_id_with_other_bytes_is_quarantined(bench: Bench) -> None:
    """The same id with other bytes is quarantined (`id_reused`); the first stays."""
    first = bench.visit()
    bench.stored(first)
    (result,) = bench.push({**bench.visit(), "id": first["id"]})
    has_code(result, "id_reused")
    expect(bench.push(first)[0]["status"] == "duplicate", "the first record is not the one that is held any more")


@promise("push-unknown-place", "§4.6")
def unknown_references_are_stored(bench: Bench) -> None:
    """A record that names an unknown place, or corrects one that has not come, is stored and waits."""
    bench.stored(bench.visit(UNKNOWN_PLACE))
    bench.stored(bench.visit(amends=bench.new_id()))


@promise("push-never-too-old", "§4.6, §4.7")
def nothing_is_refused_for_age_or_version(bench: Bench) -> None:
    """Age, clock, the app's version and the protocol's never refuse a push (no 403, 409, 426)."""
    record = bench.visit()
    payload = orjson.loads(record["payload"])
    payload["time"] = {"wall_ms": 0, "elapsed_ms": 1, "boot_id": "a boot long ago"}
    old = bench.record("visit", payload)
    body = bench.envelope([old], app_version="0.0.1", server_epoch="of another server")
    reply = bench.call("push", body, X_Protocol="0")
    expect(reply.status == 200, f"a push of an old app was answered {reply.status} {reply.code}")
    expect(reply.body["results"][0]["status"] == "stored", "an old record was not stored")


@promise("push-foreign-community", "§1")
def foreign_community_is_quarantined(bench: Bench) -> None:
    """A push for a community that the account does not serve is quarantined (`community_mismatch`), never 403."""
    (result,) = bench.push(bench.visit(), community_id=bench.new_id())
    has_code(result, "community_mismatch")


@promise("push-unknown-fields", "§1")
def unknown_fields_are_ignored(bench: Bench) -> None:
    """Fields that the server does not know are ignored: in the envelope, the record, the payload."""
    record = bench.record("visit", orjson.dumps({**orjson.loads(bench.visit()["payload"]), "later": [1]}).decode())
    (result,) = bench.push({**record, "later": {"x": 1}}, later="field")
    expect(result["status"] == "stored", f"a record with a field of a later version got {result['status']}")


@promise("push-encodings", "§1")
def compressed_bodies_are_read(bench: Bench) -> None:
    """gzip and zstd are read; gzip of several members and a byte order mark too."""
    for encoding in ("gzip", "zstd"):
        reply = bench.ok("push", orjson.dumps(bench.envelope([bench.visit()])), encoding)
        expect(reply.body["results"][0]["status"] == "stored", f"a push in {encoding} was not stored")
    raw = b"\xef\xbb\xbf" + orjson.dumps(bench.envelope([bench.visit()]))
    joined = gzip.compress(raw[:50]) + gzip.compress(raw[50:])
    headers = bench.headers(Content_Encoding="gzip")
    reply = bench.wire.send("POST", "/sync/v1/push", joined, headers)
    expect(reply.status == 200, f"gzip of two members with a byte order mark got {reply.status} {reply.code}")


@promise("push-broken-coding", "§1, §4.7")
def broken_coding_is_kept_and_said(bench: Bench) -> None:
    """A compressed body that ends early is 400 `body_unreadable`, kept raw under `dead_id`."""
    raw = gzip.compress(orjson.dumps(bench.envelope([bench.visit()])))[:-20]
    reply = bench.wire.send("POST", "/sync/v1/push", raw, bench.headers(Content_Encoding="gzip"))
    is_problem(reply, 400, "body_unreadable")
    expect(reply.body.get("dead_id"), "the unreadable body has no dead_id")


@promise("push-cut", "§4.6")
def whole_records_of_a_cut_body_are_stored(bench: Bench) -> None:
    """Of a body that ends early the whole records are stored; the one that is cut gets `retry` or no result."""
    records = [bench.visit() for _ in range(3)]
    raw = orjson.dumps(bench.envelope(records))
    reply = bench.ok("push", raw[: len(raw) - 60])
    told = {result["id"]: result["status"] for result in reply.body["results"]}
    expect([told.get(r["id"]) for r in records[:2]] == ["stored", "stored"], f"whole records of a cut body got {told}")
    expect(told.get(records[2]["id"], "retry") in ("retry", "quarantined"), "a record that was cut is acknowledged")


@promise("push-limits", "§4, §4.7")
def too_many_records_are_413(bench: Bench) -> None:
    """More than 500 records are 413 with `max_records` and `max_bytes`."""
    reply = bench.call("push", bench.envelope([bench.visit()] * 501))
    is_problem(reply, 413, "body_too_large")
    expect(reply.body.get("max_records") and reply.body.get("max_bytes"), "413 does not say what fits")


@promise("push-many", "§4")
def five_hundred_records_are_taken(bench: Bench) -> None:
    """A push of 500 records is taken whole."""
    records = [bench.visit() for _ in range(500)]
    stored = [result["id"] for result in bench.push(*records) if result["status"] == "stored"]
    expect(stored == [record["id"] for record in records], f"of 500 records {len(stored)} were stored")
    missing = _reconciled(bench, [record["id"] for record in records])["missing"]
    expect(not missing, f"{len(missing)} of 500 acknowledged records are missing")


@promise("push-safety", "§4.6")
def safety_is_told(bench: Bench) -> None:
    """Push, pull and reconcile tell `safe_through_ms` and `min_schema`; what is safe is in the past."""
    for answer in (
        bench.ok("push", bench.envelope([bench.visit()])).body,
        bench.pull([]),
        bench.ok("reconcile", {"ids": [], "attachment_ids": []}).body,
    ):
        expect({"safe_through_ms", "min_schema"} <= set(answer), "an answer lacks safe_through_ms or min_schema")
        expect(0 <= answer["safe_through_ms"] <= answer["server_time_ms"], "safe_through_ms lies in the future")


@promise("reconcile", "§5")
def reconcile_sorts_ids(bench: Bench) -> None:
    """Reconcile tells what is missing and what is quarantined; what is in neither list is stored."""
    good, bad, never = bench.visit(), bench.visit(), bench.new_id()
    bad["sha256"] = "0" * 64
    bench.push(good, bad)
    answer = _reconciled(bench, [good["id"], bad["id"], never])
    expect(answer["missing"] == [never], f"missing should be what was never pushed, it is {answer['missing']}")
    expect(answer["quarantined"] == [bad["id"]], f"quarantined should be the bad one, it is {answer['quarantined']}")


@promise("epoch-steady", "§6")
def epoch_stays(bench: Bench) -> None:
    """`server_epoch` is the same on all answers while nothing was restored."""
    told = {bench.ok("push", bench.envelope([bench.visit()])).body["server_epoch"], bench.pull([])["server_epoch"]}
    expect(len(told) == 1, f"two answers told different epochs: {sorted(told)}")


@promise("push-install", "§4")
def unknown_installation_is_quarantined(bench: Bench) -> None:
    """A push under an installation that nobody ever signed in on is quarantined (`install_mismatch`)."""
    (result,) = bench.push(bench.visit(), install_id=bench.new_id())
    has_code(result, "install_mismatch")


@promise("push-author", "§2")
def author_must_have_signed_in(bench: Bench) -> None:
    """The author must have signed in on this installation (`author_unknown`)."""
    payload = {**orjson.loads(bench.visit()["payload"]), "author_id": bench.new_id()}
    (result,) = bench.push(bench.record("visit", payload))
    has_code(result, "author_unknown")


@promise("push-carried-over", "§2, §4")
def records_of_another_installation_are_taken(bench: Bench) -> None:
    """Records carried over from another installation of the same account are pushed with its own `install_id`."""
    other = bench.new_id()
    bench.log_in(other)
    (result,) = bench.push(bench.visit(), install_id=other)
    if result["status"] == "quarantined":
        raise Broken(f"a carried-over record was quarantined: {result['errors']}")
