"""Poison never blocks its neighbours: in any position, in any number, as payload or as broken wire bytes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mobile_contract.sync.envelope as envelope
from mobile_contract.sync.envelope import PushRefused
from tests.factories.phones import Phone
from tests.sync.conftest import World
from tests.sync.kept import archived, check_kept, quarantined

DEEP = "[" * 20_000 + "]" * 20_000

#: What is put into an otherwise good payload (its hash is right).
IN_PAYLOAD = {
    "nul": '"a\\u0000b"',
    "surrogate": '"\\ud83d"',
    "big integer": str(2**63),
    "just too big": str(2**53),
    "nan": "NaN",
    "infinity": "-Infinity",
    "huge": "1e400",
    "deep": DEEP,
}
#: What is put, raw, into the record's own JSON, so that the body does not parse as a whole.
IN_RECORD = {
    "bare surrogate": '"\\ud800"',
    "bare nul": '"\x00"',
    "bare deep": DEEP,
    "bare nan": "NaN",
}
POISONS = [*IN_PAYLOAD, *IN_RECORD]


def poisoned(phone: Phone, world: World, poison: str) -> tuple[dict[str, Any], bytes]:
    """A record and its bytes on the wire."""
    record = phone.visit(world.home)
    if poison in IN_PAYLOAD:
        text = record["payload"][:-1] + f', "note": {IN_PAYLOAD[poison]}}}'
        record = phone.record("visit", text)
        return record, json.dumps(record, ensure_ascii=False).encode()
    whole = json.dumps(record, ensure_ascii=False).encode()
    return record, whole[:-1] + f', "note": {IN_RECORD[poison]}}}'.encode()


def check_neighbours(
    world: World, phone: Phone, plan: list[str | None], earlier: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Push good records (None) and poisoned ones in this order, in one request: each has its due fate.

    ``earlier`` are records that the community holds already. Returns all it holds now.
    """
    created, parts = list[dict[str, Any]](), list[bytes]()
    for poison in plan:
        if poison is None:
            record = phone.visit(world.home)
            raw = json.dumps(record, ensure_ascii=False).encode()
        else:
            record, raw = poisoned(phone, world, poison)
        created.append(record)
        parts.append(raw)
    head = json.dumps(phone.envelope([])).encode()
    assert head.endswith(b'"records": []}')
    answer = phone.push_raw(head[:-2] + b",".join(parts) + b"]}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    results = answer.json["results"]
    assert [result["id"] for result in results] == [record["id"] for record in created]
    expected = ["stored" if poison is None else "quarantined" for poison in plan]
    assert [result["status"] for result in results] == expected
    check_kept(world.db, world.community_id, [*earlier, *created], results)
    return [*earlier, *created]


@pytest.mark.parametrize("poison", POISONS)
def test_push_poison_between_neighbours_is_quarantined_alone(world: World, poison: str) -> None:
    check_neighbours(world, world.phone(), [None, poison, None])
    raw = quarantined(world.db, world.community_id)
    assert len(raw) == 1
    assert len(archived(world.db, world.community_id)) == 2


@pytest.fixture
def shared(world: World) -> tuple[World, Phone, list[dict[str, Any]]]:
    return world, world.phone(), []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.sampled_from([None, None, *POISONS]), min_size=1, max_size=9))
def test_push_poison_anywhere_never_blocks_neighbours(
    shared: tuple[World, Phone, list[dict[str, Any]]], plan: list[str | None]
) -> None:
    world, phone, earlier = shared
    earlier[:] = check_neighbours(world, phone, plan, earlier)


def test_check_neighbours_catches_a_push_that_refuses_the_whole_body(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug: one record that does not parse makes the server refuse all."""

    def refuse(raw: bytes) -> None:
        raise PushRefused("body_unreadable", 400)

    monkeypatch.setattr(envelope, "_read_damaged", refuse)
    with pytest.raises(AssertionError):
        check_neighbours(world, world.phone(), [None, "bare surrogate", None])


def test_push_poison_to_the_database_is_halved_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that passes every check and that PostgreSQL refuses (here a year too large for a column)."""
    import backend.sync.judging as judging

    phone = world.phone()
    records = [phone.visit(home) for home in world.tree.households]
    victim = records[3]["id"]
    judged = judging._judged

    def spoiled(*args: Any) -> judging.Judged:
        found = judged(*args)
        return found._replace(row=found.row._replace(boot_id="a\x00b")) if found.good.id == victim else found

    monkeypatch.setattr(judging, "_judged", spoiled)
    results = phone.push(*records)
    assert {r["id"] for r in results if r["status"] == "quarantined"} == {victim}
    assert {r["status"] for r in results if r["id"] != victim} == {"stored"}
    check_kept(world.db, world.community_id, records, results)


def test_push_record_whose_facts_cannot_be_kept_is_taken_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record kind that fails on one record must not hold up the others, nor leave it in the archive."""
    from dataclasses import replace

    from backend.db import new_id
    from backend.inspections.record_kinds import RecordKinds

    phone = world.phone()
    parent = world.tree.units[0]
    records = [phone.proposal(new_id(), parent, name=f"{n}室") for n in range(5)]
    victim = records[2]["id"]
    kinds = world.app.extensions["saolou"].part(RecordKinds)
    kind = kinds.find("place_proposal")

    def failing(intake: Any, accepted: Any) -> Any:
        if any(str(record.id) == victim for record in accepted):
            raise KeyError("a fault of the code")
        return kind.on_stored(intake, accepted)

    monkeypatch.setitem(kinds._kinds, "place_proposal", replace(kind, on_stored=failing))
    results = phone.push(*records)
    assert [result["status"] for result in results] == ["stored", "stored", "quarantined", "stored", "stored"]
    assert victim not in archived(world.db, world.community_id)
    check_kept(world.db, world.community_id, records, results)
