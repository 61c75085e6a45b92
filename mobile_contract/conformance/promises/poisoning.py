"""Bytes that break servers: each is kept, named by its code, and harms no neighbour."""

import hashlib

import orjson

from mobile_contract.conformance.promises.bench import Bench, Record, expect, has_code
from mobile_contract.conformance.promises.registry import promise


def _with(bench: Bench, text: str) -> Record:
    """A record whose payload has `text` (JSON) as its reason."""
    payload = orjson.loads(bench.visit()["payload"])
    return bench.record("visit", orjson.dumps(payload).decode().replace('"reason":null', f'"reason":{text}'))


def _between_neighbours(bench: Bench, record: Record, code: str) -> None:
    before, after = bench.visit(), bench.visit()
    first, found, last = bench.push(before, record, after)
    has_code(found, code)
    expect((first["status"], last["status"]) == ("stored", "stored"), "the neighbours of a poisonous record suffer")
    (again,) = bench.push(record)
    expect(again["status"] == "quarantined", f"the same poison again got {again['status']}")
    expect(again["quarantine_id"] == found["quarantine_id"], "the same poison again was kept a second time")


@promise("poison-nul", "§4.1")
def nul_is_quarantined(bench: Bench) -> None:
    """U+0000 in a text: quarantined, neighbours stored."""
    _between_neighbours(bench, _with(bench, r'"a\u0000b"'), "nul_character")


@promise("poison-surrogate", "§4.1")
def lone_surrogate_is_quarantined(bench: Bench) -> None:
    """Half of a surrogate pair: quarantined, neighbours stored."""
    _between_neighbours(bench, _with(bench, r'"\ud800"'), "lone_surrogate")


@promise("poison-integer", "§4.1")
def large_integer_is_quarantined(bench: Bench) -> None:
    """An integer beyond ±(2^53−1): quarantined, neighbours stored."""
    _between_neighbours(bench, _with(bench, "9223372036854775808"), "integer_out_of_range")


@promise("poison-infinite", "§4.1")
def infinite_number_is_quarantined(bench: Bench) -> None:
    """A number like 1e400: quarantined, neighbours stored."""
    _between_neighbours(bench, _with(bench, "1e400"), "number_not_finite")


@promise("poison-nesting", "§4.1")
def deep_nesting_is_quarantined(bench: Bench) -> None:
    """Nesting beyond 64, 20,000 deep: quarantined, neighbours stored."""
    _between_neighbours(bench, _with(bench, "[" * 20_000 + "]" * 20_000), "nesting_too_deep")


@promise("poison-hash", "§4")
def wrong_hash_is_quarantined(bench: Bench) -> None:
    """A payload that is not the one that was hashed: quarantined, neighbours stored."""
    record = bench.visit()
    _between_neighbours(bench, {**record, "payload": record["payload"] + " "}, "hash_mismatch")


@promise("poison-no-json", "§4.1")
def payload_that_is_no_json_is_quarantined(bench: Bench) -> None:
    """A payload that is no JSON object: quarantined, neighbours stored."""
    _between_neighbours(bench, bench.record("visit", "no json"), "payload_not_json")


@promise("poison-type", "§4.1")
def unknown_type_is_quarantined(bench: Bench) -> None:
    """A record type of a later version: quarantined, neighbours stored."""
    _between_neighbours(bench, {**bench.visit(), "type": "of_a_later_version"}, "type_unknown")


@promise("poison-raw-surrogate", "§4.6")
def damaged_bytes_harm_no_neighbour(bench: Bench) -> None:
    """Bytes in the middle of a body that are no UTF-8: the whole records around them are stored."""
    first, broken, last = bench.visit(), bench.visit(), bench.visit()
    raw = orjson.dumps(bench.envelope([first, broken, last])).replace(broken["sha256"].encode(), b"\xff\xfe" * 32)
    told = {r["id"]: r["status"] for r in bench.ok("push", raw).body["results"]}
    expect((told.get(first["id"]), told.get(last["id"])) == ("stored", "stored"), f"neighbours got {told}")


@promise("payload-bytes", "§4")
def exact_bytes_are_hashed(bench: Bench) -> None:
    """The hash is over the payload's exact text: spaces, escapes and the order of keys as the phone wrote them."""
    text = bench.visit()["payload"].replace(",", " ,\n ").replace('"no_answer"', r'"no\u005fanswer"')
    record = bench.record("visit", text)
    expect(record["sha256"] == hashlib.sha256(text.encode()).hexdigest(), "the kit itself is wrong")
    bench.stored(record)
