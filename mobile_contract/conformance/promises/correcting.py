"""Amend and void: a correction names its root and takes its place."""

from typing import Any

import orjson

from mobile_contract.conformance.promises.bench import Bench, NotOffered, Record, expect, has_code
from mobile_contract.conformance.promises.registry import promise


def _effect(bench: Bench, record: Record) -> dict[str, Any]:
    reply = bench.wire.send("GET", f"/api/v1/records/{record['id']}", None, bench.headers())
    if reply.status != 200 or "effect" not in reply.body:
        raise NotOffered("the office API does not tell this account what a record does")
    found: dict[str, Any] = reply.body["effect"]
    return found


@promise("amend", "§4.5")
def amendment_takes_the_roots_place(bench: Bench) -> None:
    """A correction replaces its root; it may come first and waits for it."""
    root = bench.visit()
    correction = bench.visit(amends=root["id"])
    bench.stored(correction)
    bench.stored(root)
    expect(_effect(bench, root)["replaced_by"] == correction["id"], "the root is not replaced by its correction")
    expect(_effect(bench, correction)["in_force"], "the correction is not in force")


@promise("void", "§4.5")
def void_takes_a_record_back(bench: Bench) -> None:
    """A void needs no body and takes its root out of force."""
    root = bench.visit()
    bench.stored(root)
    bench.stored(bench.record("visit", bench.payload(voids=root["id"])))
    expect(_effect(bench, root)["voided"], "the root is still in force")


@promise("amend-and-void", "§4.1")
def record_cannot_do_both(bench: Bench) -> None:
    """A record that both amends and voids is quarantined."""
    payload = {**orjson.loads(bench.visit()["payload"]), "amends": bench.new_id(), "voids": bench.new_id()}
    del payload["visit"]
    (result,) = bench.push(bench.record("visit", payload))
    has_code(result, "amends_and_voids")
