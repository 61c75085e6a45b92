"""Anchors, and when something happened."""

import orjson

from mobile_contract.conformance.promises.bench import Bench, Broken, expect, is_problem
from mobile_contract.conformance.promises.registry import promise


@promise("clock-anchor", "§3")
def clock_signs_the_readings(bench: Bench) -> None:
    """`clock` gives an anchor of the readings that were sent."""
    sent = bench.clock()
    answer = bench.ok("clock", {"clock": sent}).body
    anchor = answer["anchor"]
    expect(anchor["elapsed_ms"] == sent["elapsed_ms"], "the anchor has another elapsed_ms")
    expect(anchor["boot_id"] == sent["boot_id"], "the anchor has another boot_id")
    expect(anchor["server_ms"] == answer["server_time_ms"], "the anchor's server_ms is not the answer's server time")
    expect(anchor["mac"], "the anchor is not signed")


@promise("clock-everywhere", "§1, §3")
def every_answer_carries_time_and_asked_anchor(bench: Bench) -> None:
    """Every 2xx answer carries `server_epoch` and `server_time_ms`, and `anchor` if the request carried `clock`."""
    bodies = {
        "push": bench.envelope([bench.visit()]),
        "pull": {"schema_version": 1, "server_epoch": None, "limit": 10, "scopes": []},
        "reconcile": {"ids": [], "attachment_ids": []},
    }
    for path, body in bodies.items():
        plain = bench.ok(path, body).body
        expect(plain.get("server_epoch") and plain.get("server_time_ms"), f"{path} tells no epoch or no time")
        expect(not plain.get("anchor"), f"{path} gives an anchor that was not asked for")
        asked = bench.ok(path, {**body, "clock": bench.clock()}).body
        expect(asked.get("anchor"), f"{path} gives no anchor though the request carried a clock")


@promise("clock-own-install", "§3")
def anchor_is_for_the_own_installation(bench: Bench) -> None:
    """`clock` for another installation than the token's is 422 `envelope_invalid`."""
    is_problem(bench.call("clock", {"clock": bench.clock(), "install_id": bench.new_id()}), 422, "envelope_invalid")


def _time_of(bench: Bench, **changes: object) -> tuple[int, str, int]:
    record = bench.visit()
    elapsed = orjson.loads(record["payload"])["time"]["elapsed_ms"]
    result = bench.stored({**record, **changes})
    return int(result["effective_at_ms"]), str(result["time_quality"]), int(elapsed)


@promise("time-anchored", "§3")
def time_is_counted_from_the_anchor(bench: Bench) -> None:
    """A record of the anchor's boot happened at `anchor.server_ms + (time.elapsed_ms − anchor.elapsed_ms)`, exactly."""
    found, quality, elapsed = _time_of(bench)
    anchor = bench.anchor or {}
    wanted = anchor["server_ms"] + elapsed - anchor["elapsed_ms"]
    expect(found == wanted, f"it happened at {wanted}, the server says {found}")
    expect(quality == "anchored", f"its time is {quality}, not anchored")


@promise("time-estimated", "§3")
def time_of_another_boot_is_a_lower_bound(bench: Bench) -> None:
    """With an anchor of another boot only, the time is that anchor's `server_ms`, `estimated`."""
    anchor = bench.anchor or {}
    try:
        bench.boot_id, before = bench.new_id(), bench.boot_id
        found, quality, _ = _time_of(bench)
    finally:
        bench.boot_id = before
    expect((found, quality) == (anchor["server_ms"], "estimated"), f"the server says {found}, {quality}")


@promise("time-unknown", "§3")
def time_without_an_anchor_is_nought(bench: Bench) -> None:
    """Without any anchor, or with one whose MAC is wrong, the time is 0, `estimated`; the record is stored."""
    for anchor in (None, {**(bench.anchor or {}), "mac": "0" * 64}):
        found, quality, _ = _time_of(bench, anchor=anchor)
        expect((found, quality) == (0, "estimated"), f"with anchor {anchor and 'forged'} it says {found}, {quality}")


@promise("time-smallest", "§3, §4.6")
def smallest_anchor_counts(bench: Bench) -> None:
    """Sent again with another valid anchor, the smallest result counts, whichever came first."""
    record = bench.visit()
    early = bench.anchor
    # Of the same boot, but as if less time had passed since: the server's reading is later for it.
    later = bench.ok("clock", {"clock": {**bench.clock(), "elapsed_ms": (early or {})["elapsed_ms"]}}).body["anchor"]
    first = bench.stored({**record, "anchor": later})["effective_at_ms"]
    (second,) = bench.push({**record, "anchor": early})
    (third,) = bench.push({**record, "anchor": later})
    if not early or later["server_ms"] <= early["server_ms"]:
        raise Broken("the server's clock does not go on")
    gained = later["server_ms"] - early["server_ms"]
    expect(second["effective_at_ms"] == first - gained, "a better anchor does not move the record's time")
    expect(third["effective_at_ms"] == first - gained, "a worse anchor moves the record's time back")
