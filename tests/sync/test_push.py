"""Push: what became of every record, as the protocol's page says."""

import gzip
import json
from uuid import uuid4

import pytest
from sqlalchemy import select

from backend.inspections.models import Record, RecordKey, RecordPlace
from backend.inspections.waiting import COMPILE
from backend.jobs.models import Job
from tests.factories.phones import Phone
from tests.sync.conftest import Bell, World
from tests.sync.kept import archived, quarantined


def wanted_jobs(world: World) -> dict[str, int]:
    """Compile subjects of the world with how often they were wanted."""
    with world.db.transaction() as session:
        here = (Job.community_id == world.community_id, Job.kind == COMPILE)
        rows = session.execute(select(Job.subject, Job.wanted).where(*here))
        return {row.subject: row.wanted for row in rows}


def test_push_new_record_stores_it_sealed(world: World, bell: Bell) -> None:
    phone = world.phone()
    phone.take_anchor()
    record = phone.visit(world.home)
    (result,) = phone.push(record)
    assert result == {
        "id": record["id"],
        "status": "stored",
        "effective_at_ms": result["effective_at_ms"],
        "time_quality": "anchored",
        "quarantine_id": None,
        "errors": [],
        "missing_attachments": [],
    }
    assert archived(world.db, world.community_id) == {record["id"]: record["payload"].encode()}
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert row.sha256.hex() == record["sha256"]
        assert record["payload"].encode() not in (row.sealed or b"")
        assert row.actor_role == "grid_worker"
        assert session.scalars(select(RecordKey.record_id)).all() == [row.id]
    assert wanted_jobs(world) == {str(world.home): 1}
    assert ("compile", world.community_id) in bell.rung


def test_push_several_places_wants_them_all_compiled(world: World) -> None:
    phone = world.phone()
    first, second = world.tree.households[:2]
    block = {"form": "ebike_charging", "version": 1, "place_id": str(second), "answers": {}, "fixed": []}
    record = phone.visit(first, blocks=[{**json.loads(phone.visit(first)["payload"])["visit"]["blocks"][0]}])
    payload = json.loads(record["payload"])
    payload["visit"]["blocks"].append({**payload["visit"]["blocks"][0], "place_id": str(second)})
    record = phone.record("visit", payload)
    assert block["place_id"] == str(second)
    assert phone.push(record)[0]["status"] == "stored"
    assert set(wanted_jobs(world)) == {str(first), str(second)}
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(RecordPlace.place_id)).all() == [second]


def test_push_same_bytes_again_is_duplicate(world: World) -> None:
    phone = world.phone()
    record = phone.visit(world.home)
    first = phone.push(record)[0]
    again = phone.push(record)[0]
    assert (first["status"], again["status"]) == ("stored", "duplicate")
    assert again["effective_at_ms"] == first["effective_at_ms"]
    assert wanted_jobs(world) == {str(world.home): 1}


def test_push_whole_request_again_is_harmless(world: World) -> None:
    phone = world.phone()
    body = phone.envelope([phone.visit(home) for home in world.tree.households])
    first, again = (phone.call("push", body).json["results"] for _ in range(2))
    assert {result["status"] for result in first} == {"stored"}
    assert {result["status"] for result in again} == {"duplicate"}
    assert set(wanted_jobs(world).values()) == {1}


def test_push_results_come_in_the_order_of_the_request(world: World) -> None:
    phone = world.phone()
    good, other = phone.visit(world.home), phone.visit(world.home)
    bad = phone.visit(world.home, answers={"place": "moon"})
    records = [other, bad, good, other]
    results = phone.push(*records)
    assert [result["id"] for result in results] == [record["id"] for record in records]
    assert [result["status"] for result in results] == ["stored", "quarantined", "stored", "duplicate"]


def test_push_id_with_other_bytes_is_quarantined(world: World) -> None:
    phone = world.phone()
    record = phone.visit(world.home)
    other = {**phone.visit(world.home), "id": record["id"]}
    assert phone.push(record)[0]["status"] == "stored"
    result = phone.push(other)[0]
    assert result["status"] == "quarantined"
    assert [error["code"] for error in result["errors"]] == ["id_reused"]
    assert archived(world.db, world.community_id)[record["id"]] == record["payload"].encode()
    assert phone.push(other)[0]["quarantine_id"] == result["quarantine_id"]


def test_push_id_with_other_bytes_in_one_request_keeps_both(world: World) -> None:
    phone = world.phone()
    record = phone.visit(world.home)
    other = {**phone.visit(world.home), "id": record["id"]}
    results = phone.push(record, other, record)
    assert [result["status"] for result in results] == ["stored", "quarantined", "duplicate"]


def test_push_wrong_answer_is_quarantined_with_its_path(world: World) -> None:
    phone = world.phone()
    result = phone.push(phone.visit(world.home, answers={"place": "moon"}))[0]
    assert result["status"] == "quarantined"
    assert result["quarantine_id"]
    assert {"/payload/visit/blocks/0/answers/place"} <= {error["path"] for error in result["errors"]}
    assert all(error["message"] for error in result["errors"])


def test_push_quarantined_bytes_again_name_the_same_row(world: World) -> None:
    phone = world.phone()
    record = phone.visit(world.home, answers={"place": "moon"})
    first = phone.push(record)[0]
    phone.take_anchor()
    again = phone.push({**record, "anchor": phone.anchor})[0]
    assert again["status"] == "quarantined"
    assert again["quarantine_id"] == first["quarantine_id"]
    assert len(quarantined(world.db, world.community_id)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": "0" * 64}, "hash_mismatch"),
        ({"type": "sermon"}, "type_unknown"),
        ({"schema_version": 99}, "schema_version_unknown"),
        ({"id": "seven"}, "id_invalid"),
        ({"payload": None}, "invalid"),
    ],
)
def test_push_wrong_envelope_of_a_record_is_quarantined(world: World, change: dict[str, object], code: str) -> None:
    phone = world.phone()
    good = phone.visit(world.home)
    result, neighbour = phone.push({**phone.visit(world.home), **change}, good)
    assert result["status"] == "quarantined"
    assert code in [error["code"] for error in result["errors"]]
    assert neighbour["status"] == "stored"


def test_push_unanswered_door_needs_no_block(world: World) -> None:
    phone = world.phone()
    header = {
        "place_id": str(world.home),
        "visited_at": "2026-11-20T09:30:00+08:00",
        "visitors": ["石小满"],
        "outcome": "no_answer",
    }
    record = phone.record("visit", phone.payload(visit={"header": header}))
    assert phone.push(record)[0]["status"] == "stored"


def test_push_declared_attachments_are_missing(world: World) -> None:
    phone = world.phone()
    photo = {"id": str(uuid4()), "sha256": "a" * 64, "bytes": 10, "mime": "image/jpeg"}
    assert phone.push(phone.visit(world.home, attachments=[photo]))[0]["missing_attachments"] == [photo["id"]]


def test_push_author_is_another_worker_freezes_the_authors_role(world: World) -> None:
    phone = world.phone()
    author = world.account("grid_head")
    Phone(phone.client, author, phone.install_id)
    assert phone.push(phone.visit(world.home, author_id=str(author.id)))[0]["status"] == "stored"
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert (row.author_id, row.actor_role, row.actor_scopes) == (author.id, "grid_head", ["grid_head@"])


def test_push_in_the_name_of_who_never_signed_in_here_is_quarantined(world: World) -> None:
    """A field worker's phone must not be able to sign with a supervisor's name."""
    phone = world.phone()
    supervisor, nobody = world.account("safety_officer").id, uuid4()
    for author in (supervisor, nobody):
        (result,) = phone.push(phone.visit(world.home, author_id=str(author)))
        assert (result["status"], result["errors"][0]["code"]) == ("quarantined", "author_unknown")
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(Record.id)).all() == []


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_push_compressed_body_is_read(world: World, coding: str) -> None:
    from backend.http.body import zstd

    phone = world.phone()
    raw = json.dumps(phone.envelope([phone.visit(world.home)])).encode()
    packed = gzip.compress(raw) if coding == "gzip" else zstd.compress(raw)
    headers = {**phone.headers, "Content-Encoding": coding, "Content-Type": "application/json"}
    answer = phone.client.post("/sync/v1/push", data=packed, headers=headers)
    assert answer.json["results"][0]["status"] == "stored"


def test_push_answer_is_stamped_and_anchored(world: World) -> None:
    phone = world.phone()
    answer = phone.call("push", phone.envelope([], clock=phone.clock())).json
    assert answer["results"] == []
    assert answer["server_epoch"].startswith("e")
    assert answer["safe_through_ms"] == 0
    assert answer["min_schema"] == 1
    assert answer["anchor"]["server_ms"] == answer["server_time_ms"]
    assert answer["anchor"]["boot_id"] == phone.boot_id


def test_push_broken_compression_is_kept_whole(world: World) -> None:
    phone = world.phone()
    packed = gzip.compress(json.dumps(phone.envelope([phone.visit(world.home)])).encode())[:-9]
    headers = {**phone.headers, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = phone.client.post("/sync/v1/push", data=packed, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "body_unreadable")
    assert answer.json["dead_id"]
    assert quarantined(world.db, world.community_id) == [(None, packed)]
    again = phone.client.post("/sync/v1/push", data=packed, headers=headers)
    assert again.json["dead_id"] == answer.json["dead_id"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"nonsense", b"\xff\xfe"])
def test_push_unreadable_body_is_kept_whole(world: World, raw: bytes) -> None:
    answer = world.phone().push_raw(raw)
    assert (answer.status_code, answer.json["code"]) == (400, "body_unreadable")
    assert quarantined(world.db, world.community_id) == [(None, raw)]


def test_push_wrong_head_is_kept_whole(world: World) -> None:
    phone = world.phone()
    answer = phone.call("push", phone.envelope([], install_id="seven"))
    assert (answer.status_code, answer.json["code"]) == (422, "envelope_invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/install_id"]
    assert answer.json["dead_id"]


def test_push_too_many_records_is_refused_with_the_limits(world: World) -> None:
    phone = world.phone()
    answer = phone.call("push", phone.envelope([{}] * 501))
    assert answer.status_code == 413
    assert (answer.json["max_records"], answer.json["max_bytes"]) == (500, 4 * 1024 * 1024)


def test_push_zip_bomb_is_refused_unread(world: World) -> None:
    answer = world.phone().push_raw(b" " * (50 * 1024 * 1024), compress=True)
    assert answer.status_code == 413
