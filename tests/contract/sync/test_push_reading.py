"""Push bodies: one bad record never harms its neighbours, and its bytes are kept."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_contract.sync.envelope import BadRecord, GoodRecord, Push, PushRefused, check_record, read_push
from mobile_contract.sync.messages import RecordSchema
from mobile_contract.sync.split import open_damaged_push, split_records
from tests.contract.sync.sync_samples import INSTALL, make_id, make_payload, make_push, make_record

POISON: dict[str, bytes] = {
    "nul": b'{"id":"%s","type":"visit","schema_version":1,"sha256":"x","payload":"{\\u0000}"}',
    "raw nul": b'{"id":"%s","payload":"\x00"}',
    "surrogate": b'{"id":"%s","type":"visit","payload":"\\ud800"}',
    "utf8": b'{"id":"%s","payload":"\xff\xfe"}',
    "nan": b'{"id":"%s","schema_version":NaN}',
    "1e400": b'{"id":"%s","schema_version":1e400}',
    "2^63": b'{"id":"%s","schema_version":9223372036854775808,"payload":""}',
    "deep": b'{"id":"%s","payload":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "open string": b'{"id":"%s","payload":"never closed}',
    "open brace": b'{"id":"%s","payload":{"a":1}',
    "extra brace": b'{"id":"%s"}}',
    "extra bracket": b'{"id":"%s"]}',
    "no json": b"%s",
    "number": b"17",
    "null": b"null",
}


def join(pieces: list[bytes], **changes: Any) -> bytes:
    """A push body around ready pieces; fields stand before and after the records."""
    head, tail = json.dumps(make_push(["@"], **changes)).encode().split(b'"@"')  # type: ignore[list-item]
    return head + b",".join(pieces) + tail


def wire(number: int) -> bytes:
    return json.dumps(make_record(number), ensure_ascii=number % 2 == 0).encode()


def texts(push: Push) -> dict[str, str]:
    return {record.id: record.body.decode() for record in push.good}


def test_read_push_good_records_come_with_exact_payload_bytes() -> None:
    records = [make_record(number) for number in range(5)]
    push = read_push(json.dumps(make_push(records)).encode())
    assert push.bad == []
    assert texts(push) == {record["id"]: record["payload"] for record in records}
    assert push.head["install_id"] == INSTALL
    assert push.good[0].anchor is not None
    assert push.good[0].anchor.install_id == INSTALL


@pytest.mark.parametrize("kind", POISON)
@given(data=st.data())
@settings(max_examples=10)
def test_read_push_poison_anywhere_never_harms_neighbours(kind: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(min_value=0, max_value=4))
    poison = POISON[kind].replace(b"%s", make_id(99).encode())
    pieces = [wire(number) for number in range(4)]
    pieces.insert(place, poison)
    push = read_push(join(pieces))
    assert texts(push) == {make_id(number): make_record(number)["payload"] for number in range(4)}
    assert b"".join(bad.raw for bad in push.bad).strip(b",") == poison
    assert push.cut == []
    positions = [good.position for good in push.good] + [bad.position for bad in push.bad]
    assert sorted(positions) == list(range(push.size))
    if b'"id"' in poison:
        assert push.bad[0].id == make_id(99)


def _damage(rng: random.Random, piece: bytes) -> bytes:
    """Change some bytes after the first brace and field name; the comma between records stays."""
    at = rng.randrange(8, len(piece))
    kind = rng.randrange(4)
    if kind == 0:
        return piece[:at]
    if kind == 1:
        return piece[:at] + rng.choice([b'"', b"{", b"}", b"[", b"]", b"\\", b"\xff", b"\x00"]) + piece[at:]
    if kind == 2:
        return piece[:at] + piece[at + rng.randrange(1, 30) :]
    return piece[:at] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 6))) + piece[at + 1 :]


@given(st.integers(min_value=0, max_value=2**32))
@settings(max_examples=300)
def test_split_records_random_damage_keeps_undamaged_neighbours(seed: int) -> None:
    rng = random.Random(seed)
    pieces = [wire(number) for number in range(6)]
    damaged = rng.sample(range(6), rng.randrange(1, 4))
    for number in damaged:
        pieces[number] = _damage(rng, pieces[number])
    raw = join(pieces)
    found = {span.of(raw) for span in split_records(raw)}
    for number in set(range(6)) - set(damaged):
        assert pieces[number] in found


@given(st.binary(max_size=400) | st.text(alphabet='{}[]",:\\ records').map(str.encode))
@settings(max_examples=300)
def test_split_records_any_bytes_never_raises_nor_overlaps(noise: bytes) -> None:
    raw = b'{"records":[' + noise
    fields, spans, _ = open_damaged_push(raw)
    ends = [0, *(edge for span in spans for edge in (span.start, span.end))]
    assert ends == sorted(ends)
    assert all(span.start < span.end for span in spans)
    assert fields is None or isinstance(fields, dict)


@pytest.mark.parametrize(
    "unit",
    [b'\\"', b'"', b"[", b"{", b'{"id":"', b',{"id":1', b"]", b'],"a":[', b"1,", b'{"a":', b"}", b"[}"],
)
def test_split_records_hostile_repetition_ends(unit: bytes) -> None:
    raw = b'{"records":[' + unit * (1_000_000 // len(unit))
    assert split_records(raw) is not None


def test_read_push_cut_body_keeps_whole_records() -> None:
    raw = join([wire(number) for number in range(3)])
    cut = raw[: raw.index(wire(2)) + 60]
    push = read_push(cut)
    assert set(texts(push)) == {make_id(0), make_id(1)}
    assert (push.bad, [cut.id for cut in push.cut]) == ([], [make_id(2)])


@pytest.mark.parametrize(
    ("raw", "code", "status"),
    [
        (b"", "body_unreadable", 400),
        (b"\x1f\x8b", "body_unreadable", 400),
        (b"[]", "body_unreadable", 400),
        (b"{}", "envelope_invalid", 422),
        (b'{"records":3}', "envelope_invalid", 422),
        (b'{"records":[]}', "envelope_invalid", 422),
        (join([b"1"] * 501), "body_too_large", 413),
    ],
)
def test_read_push_unreadable_envelope_is_refused(raw: bytes, code: str, status: int) -> None:
    with pytest.raises(PushRefused) as refusal:
        read_push(raw)
    assert (refusal.value.code, refusal.value.status) == (code, status)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"id": "17"}, "/id", "id_invalid"),
        ({"id": None}, "/id", "id_invalid"),
        ({"type": "parade"}, "/type", "type_unknown"),
        ({"type": 3}, "/type", "invalid"),
        ({"schema_version": 99}, "/schema_version", "schema_version_unknown"),
        ({"schema_version": "1"}, "/schema_version", "invalid"),
        ({"schema_version": True}, "/schema_version", "invalid"),
        ({"sha256": "0" * 64}, "/sha256", "hash_mismatch"),
        ({"sha256": 5}, "/sha256", "invalid"),
        ({"payload": {"a": 1}}, "/payload", "invalid"),
    ],
)
def test_check_record_wrong_envelope_is_quarantined(changes: dict[str, Any], path: str, code: str) -> None:
    record = make_record(1) | changes
    result = check_record(0, record, INSTALL)
    assert isinstance(result, BadRecord)
    assert [(problem.path, problem.code) for problem in result.errors] == [(path, code)]


@pytest.mark.parametrize(
    "anchor",
    [None, 5, {}, {"server_ms": "1"}, {"server_ms": 1, "elapsed_ms": 2**60, "boot_id": "b", "mac": "m"}],
)
def test_check_record_broken_anchor_counts_as_none(anchor: object) -> None:
    result = check_record(0, make_record(1, anchor=anchor), INSTALL)
    assert isinstance(result, GoodRecord)
    assert result.anchor is None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from([None, 1, "x", make_id(3), make_id(3).upper(), "{" + make_id(3) + "}"]),
            "type": st.sampled_from([None, 1, "visit", "task_step"]),
            "schema_version": st.sampled_from([None, "1", 1, 1.0, 1.5, True]),
            "sha256": st.sampled_from([None, 1, "A" * 64, "f" * 63]),
            "payload": st.sampled_from([None, 1, {}, []]),
        },
    )
)
def test_check_record_envelope_agrees_with_the_published_schema(changes: dict[str, Any]) -> None:
    record = make_record(1) | changes
    if record["type"] == "task_step":
        record["type"] = "visit"
    result = check_record(0, record, INSTALL)
    faults = RecordSchema(exclude=["anchor"]).validate(record)
    assert isinstance(result, GoodRecord) == (faults == {})


def test_read_push_bad_record_in_good_body_keeps_its_own_bytes() -> None:
    odd = b'{ "payload" : "{}",  "id":"' + make_id(8).encode() + b'" }'
    push = read_push(join([wire(1), odd, wire(2)]))
    assert [bad.raw for bad in push.bad] == [odd]
    assert push.bad[0].id == make_id(8)


def test_read_push_payload_problem_names_the_payload() -> None:
    push = read_push(join([json.dumps(make_record(1, make_payload(seq="x"))).encode()]))
    assert [(p.path, p.code) for p in push.bad[0].errors] == [("/payload/seq", "invalid")]
