"""Resumable uploads over the running application: what comes is what was announced, once, whatever happens between."""

import base64
import hashlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.attachments import finishing, uploads
from backend.attachments.declaring import states_of
from backend.attachments.models import Attachment
from backend.attachments.service import find_attachment
from tests.factories.uploads import Uploading, declared, expire, photo
from tests.sync.conftest import World

New = Callable[[], Uploading]
EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@pytest.fixture
def phone(uploading: New) -> Uploading:
    """One for all examples of a test: a phone signs in slowly on purpose."""
    return uploading()


def held(world: World, attachment_id: str) -> bytes | None:
    """The whole bytes as the server opens them."""
    with world.db.transaction([world.community_id]) as session:
        state = states_of(session, world.community_id, [UUID(attachment_id)])[UUID(attachment_id)]
        found = find_attachment(session, world.app.extensions["saolou"], world.community_id, state.sha256)
    return found[1] if found is not None and state.state == "stored" else None


def contents(world: World) -> int:
    with world.db.transaction([world.community_id]) as session:
        return len(session.scalars(select(Attachment)).all())


def check_resumed(world: World, phone: Uploading, raw: bytes, cuts: list[int]) -> None:
    """Bring ``raw`` in pieces cut anywhere; after each ask where it stands, send one piece again, and go on."""
    attachment = declared(raw)
    assert phone.announce(attachment).status_code == 201
    edges = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    for start, end in pairwise(edges):
        answer = phone.append(attachment["id"], start, raw[start:end])
        assert answer.status_code == 204, answer.get_data(as_text=True)
        again = phone.append(attachment["id"], start, raw[start:end])
        assert again.status_code == 409
        assert phone.head(attachment["id"]).headers["Upload-Offset"] == str(end)
    assert phone.head(attachment["id"]).headers["Upload-State"] == "stored"
    assert held(world, attachment["id"]) == raw


@EXAMPLES
@given(shade=st.integers(0, 60_000), cuts=st.lists(st.integers(0, 10_000), max_size=6))
def test_append_in_any_pieces_gives_the_whole(world: World, phone: Uploading, shade: int, cuts: list[int]) -> None:
    check_resumed(world, phone, photo(shade), cuts)


def test_check_catches_a_server_that_appends_wherever_it_is_told(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug (P2): the offset is not compared."""
    right = uploads.append
    monkeypatch.setattr(
        "backend.attachments.upload_routes.append", lambda desk, row, _, chunk: right(desk, row, row.received, chunk)
    )
    with pytest.raises(AssertionError):
        check_resumed(world, uploading(), photo(1), [100, 200])


def test_check_catches_a_server_that_counts_bytes_and_keeps_none(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug (P1): the offset moves and the part is not stored."""
    monkeypatch.setattr("backend.attachments.file_store.FileStore.put", lambda *_: None)
    with pytest.raises(AssertionError):
        check_resumed(world, uploading(), photo(2), [100, 200])


def test_announce_same_id_again_gives_the_same_location_and_where_it_stands(uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    first = phone.announce(attachment)
    phone.append(attachment["id"], 0, raw[:100])
    again = phone.announce(attachment, raw)
    assert (first.headers["Location"], again.headers["Location"]) == (f"/sync/v1/files/{attachment['id']}",) * 2
    assert again.headers["Upload-Offset"] == "100"


def test_announce_with_the_whole_file_stores_it_at_once(world: World, uploading: New) -> None:
    raw = photo()
    attachment = declared(raw)
    answer = uploading().announce(attachment, raw)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(raw)))
    assert held(world, attachment["id"]) == raw


def test_finished_upload_still_answers(uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = phone.bring(raw)
    size = str(len(raw))
    head = phone.head(attachment["id"])
    assert (head.status_code, head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (200, size, size)
    assert phone.append(attachment["id"], len(raw), b"").status_code == 204
    assert phone.append(attachment["id"], 0, raw).status_code == 409
    assert phone.announce(attachment, raw).headers["Upload-Offset"] == size


def test_two_ids_with_the_same_bytes_are_stored_once(world: World, uploading: New) -> None:
    raw = photo()
    first, second = uploading().bring(raw), uploading().bring(raw)
    assert first["id"] != second["id"]
    assert contents(world) == 1
    assert held(world, first["id"]) == held(world, second["id"]) == raw


def test_bytes_are_sealed_on_the_way_and_in_the_end(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment)
    folder = world.app.extensions["saolou"].settings.data_dir / "files"
    for start, end in ((0, 300), (300, len(raw))):
        phone.append(attachment["id"], start, raw[start:end])
        files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
        assert files
        assert all(raw[:32] not in file and raw[300:332] not in file for file in files)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus_Resumable": "0.9"}, 412, "tus_version_unknown"),
        ({"Upload_Length": "ten"}, 422, "upload_invalid"),
        ({"Upload_Length": str(10**9)}, 413, "file_too_large"),
        ({"Upload_Metadata": "id"}, 422, "upload_invalid"),
        ({"Upload_Metadata": "id %%%"}, 422, "upload_invalid"),
    ],
)
def test_announce_wrongly_is_refused(uploading: New, headers: dict[str, str], status: int, code: str) -> None:
    answer = uploading().announce(declared(photo()), **headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_announce_a_type_that_is_not_taken_is_refused_before_its_bytes(uploading: New) -> None:
    answer = uploading().announce(declared(photo(), mime="video/mp4"))
    assert (answer.status_code, answer.json["code"]) == (422, "attachment_kind_unknown")


def test_append_with_a_wrong_checksum_keeps_nothing(uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment)
    right = "sha256 " + base64.b64encode(hashlib.sha256(raw[:50]).digest()).decode()
    damaged = phone.append(attachment["id"], 0, raw[1:51], Upload_Checksum=right)
    assert (damaged.status_code, damaged.json["code"]) == (460, "checksum_mismatch")
    assert phone.append(attachment["id"], 0, raw[:50], Upload_Checksum="md5 x").json["code"] == "upload_invalid"
    assert phone.head(attachment["id"]).headers["Upload-Offset"] == "0"
    assert phone.append(attachment["id"], 0, raw[:50], Upload_Checksum=right).status_code == 204


def test_whole_file_with_another_hash_begins_anew_and_is_refused_the_third_time(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment)
    damaged = raw[:-1] + b"\0"
    for _ in range(finishing.MOST_GENERATIONS - 1):
        answer = phone.append(attachment["id"], 0, damaged)
        assert (answer.status_code, answer.json["code"]) == (409, "file_begins_anew")
        assert phone.head(attachment["id"]).headers["Upload-Offset"] == "0"
    answer = phone.append(attachment["id"], 0, damaged)
    assert (answer.status_code, answer.json["code"]) == (422, "file_hash_mismatch")
    head = phone.head(attachment["id"])
    assert (head.status_code, head.headers["Upload-Code"]) == (410, "file_hash_mismatch")
    assert phone.announce(attachment).json["code"] == "file_hash_mismatch"
    assert contents(world) == 0


def test_whole_file_with_another_hash_may_come_right_the_second_time(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment)
    assert phone.append(attachment["id"], 0, raw[:-1] + b"\0").status_code == 409
    assert phone.append(attachment["id"], 0, raw).status_code == 204
    assert held(world, attachment["id"]) == raw


def bomb() -> bytes:
    """A PNG of a few bytes that claims to be 60,000 pixels a side."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("raw", "mime", "code"),
    [
        (b"MZ" + b"program" * 20, "image/jpeg", "attachment_kind_unknown"),
        (b"\xff\xd8\xff" + b"no picture" * 9, "image/jpeg", "attachment_kind_unknown"),
        (photo(mime="PNG"), "image/jpeg", "attachment_kind_unknown"),
        (bomb(), "image/png", "image_too_large"),
    ],
    ids=["a program", "a broken picture", "another type than said", "an image bomb"],
)
def test_file_that_is_not_what_it_should_be_is_refused_for_ever(
    world: World, uploading: New, raw: bytes, mime: str, code: str
) -> None:
    phone = uploading()
    attachment = declared(raw, mime=mime)
    phone.announce(attachment)
    answer = phone.append(attachment["id"], 0, raw)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert phone.append(attachment["id"], len(raw), b"").json["code"] == code
    asked = phone.phone.call(
        "reconcile",
        {"install_id": str(phone.phone.install_id), "ids": [], "attachment_ids": [attachment["id"]]},
    ).json
    assert asked["missing_attachments"] == []
    assert asked["refused_attachments"] == [{"id": attachment["id"], "code": code}]
    assert contents(world) == 0


def test_expired_upload_is_gone_and_begins_anew(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    assert "GMT" in phone.announce(attachment).headers["Upload-Expires"]
    phone.append(attachment["id"], 0, raw[:50])
    expire(world, attachment["id"])
    gone = phone.append(attachment["id"], 50, raw[50:])
    assert (gone.status_code, gone.json["code"]) == (410, "upload_expired")
    assert phone.announce(attachment).headers["Upload-Offset"] == "0"
    assert phone.append(attachment["id"], 0, raw).status_code == 204


def test_terminate_unfinished_upload_forgets_it_and_a_whole_one_stays(uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment, raw[:20])
    path = f"/sync/v1/files/{attachment['id']}"
    assert phone.call("DELETE", path).status_code == 204
    assert phone.head(attachment["id"]).status_code == 404
    whole = phone.bring(raw)
    assert phone.call("DELETE", f"/sync/v1/files/{whole['id']}").json["code"] == "upload_finished"


def test_override_serves_networks_without_patch(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo()
    attachment = declared(raw)
    phone.announce(attachment)
    path = f"/sync/v1/files/{attachment['id']}"
    answer = phone.call("POST", path, raw, X_HTTP_Method_Override="PATCH", Upload_Offset="0")
    assert answer.status_code == 204
    assert held(world, attachment["id"]) == raw


def test_options_says_what_can_be_done(uploading: New) -> None:
    answer = uploading().phone.client.options("/sync/v1/files")
    assert answer.status_code == 200
    assert answer.headers["Tus-Version"] == "1.0.0"
    extensions = "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["Tus-Extension"] == extensions


def test_too_many_unfinished_uploads_wait(uploading: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 2)
    phone = uploading()
    assert [phone.announce(declared(photo(n))).status_code for n in range(3)] == [201, 201, 429]


def test_disk_full_refuses_files_and_takes_records(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.attachments.file_store.free_bytes", lambda _: 1)
    phone = uploading()
    answer = phone.announce(declared(photo()))
    assert (answer.status_code, answer.json["code"]) == (503, "storage_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert phone.phone.push(phone.phone.visit(world.home))[0]["status"] == "stored"


def outcome(phone: Uploading, record: dict[str, Any]) -> list[str]:
    return list(phone.phone.push(record)[0]["missing_attachments"])


def test_records_never_wait_for_photos_nor_photos_for_records(world: World, uploading: New) -> None:
    phone, first, second = uploading(), photo(1), photo(2)
    one, two = declared(first), declared(second)
    record = phone.phone.visit(world.home, attachments=[one, two])
    phone.announce(two, second)
    assert outcome(phone, record) == [one["id"]]
    phone.announce(one, first)
    assert outcome(phone, record) == []


def test_record_that_declares_other_bytes_than_came_before_gets_its_own(world: World, uploading: New) -> None:
    phone, wrong, right = uploading(), photo(1), photo(2)
    attachment = declared(right)
    phone.announce({**declared(wrong), "id": attachment["id"]}, wrong)
    assert outcome(phone, phone.phone.visit(world.home, attachments=[attachment])) == [attachment["id"]]
    refused = phone.announce({**declared(wrong), "id": attachment["id"]})
    assert refused.json["code"] == "declared_otherwise"
    assert phone.announce(attachment, right).status_code == 201
    assert held(world, attachment["id"]) == right


def test_announce_other_bytes_under_a_taken_id_is_refused(uploading: New) -> None:
    phone = uploading()
    attachment = phone.bring(photo(1))
    answer = phone.announce({**declared(photo(2)), "id": attachment["id"]})
    assert (answer.status_code, answer.json["code"]) == (422, "attachment_id_reused")


def test_unknown_upload_is_not_found(uploading: New) -> None:
    phone = uploading()
    assert phone.head(str(uuid4())).status_code == 404
    assert phone.append(str(uuid4()), 0, b"x").json["code"] == "upload_unknown"


def test_other_community_neither_sees_nor_writes(
    make_world: Callable[..., World], world: World, uploading: New
) -> None:
    raw = photo()
    attachment = declared(raw)
    phone = uploading()
    phone.announce(attachment, raw[:10])
    stranger = Uploading(make_world().phone())
    assert stranger.head(attachment["id"]).status_code == 404
    assert stranger.append(attachment["id"], 10, raw[10:]).status_code == 404
    assert phone.append(attachment["id"], 10, raw[10:]).status_code == 204


def test_record_too_large_to_push_comes_as_a_file(world: World, uploading: New) -> None:
    import json

    phone = uploading()
    record = phone.phone.visit(world.home)
    phone.bring(json.dumps(record).encode(), mime="application/json", kind="raw_record")
    assert phone.phone.push(record)[0]["status"] == "duplicate"
    phone.bring(b'{"broken', mime="application/octet-stream", kind="raw_record")
    office = world.office()
    kept = office.client.get("/api/v1/quarantine", headers=office.headers).json["items"]
    assert [item["code"] for item in kept] == ["record_unreadable"]
