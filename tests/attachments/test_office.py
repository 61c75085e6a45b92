"""What the office sees of photos: within its places, without what the camera wrote, and how far they are."""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select, update

from backend.attachments.examining import examine
from backend.attachments.models import Attachment
from backend.jobs.models import Job
from backend.sync.erasure import erase_record
from tests.attachments.test_uploads import held
from tests.factories.phones import Phone
from tests.factories.uploads import CAMERA, Uploading, declared, photo
from tests.sync.conftest import World

New = Callable[[], Uploading]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(grids=2)


def get(reader: Phone, path: str, **query: str) -> Any:
    return reader.client.get(f"/api/v1/attachments{path}", query_string=query, headers=reader.headers)


def look(world: World) -> None:
    """As the worker would."""
    with world.db.transaction([world.community_id]) as session:
        wanted = session.scalars(select(Job.subject).where(Job.kind == "photo", Job.community_id == world.community_id))
        examine(session, world.app.extensions["saolou"], world.community_id, wanted.all())


def seen(world: World, phone: Uploading, raw: bytes, mime: str = "image/jpeg") -> dict[str, Any]:
    """A photo of a visit at home, brought and examined."""
    attachment = declared(raw, mime=mime)
    assert phone.phone.push(phone.phone.visit(world.home, attachments=[attachment]))[0]["status"] == "stored"
    assert phone.announce(attachment, raw).status_code == 201
    look(world)
    return attachment


def check_hidden(world: World, attachment: dict[str, Any]) -> None:
    """P6: who serves elsewhere sees neither the photo nor that there is one."""
    stranger = world.phone(world.account("grid_head", world.tree.grids[1]))
    for path in ("", "/content", "/thumbnail"):
        assert get(stranger, f"/{attachment['id']}{path}").status_code == 404
    assert get(stranger, "").json["items"] == []
    assert get(stranger, "/progress").json["states"]["stored"] == 0


def test_photo_is_seen_within_its_place_only(world: World, uploading: New) -> None:
    attachment = seen(world, uploading(), photo(1))
    head = world.phone(world.account("grid_head", world.tree.grids[0]))
    assert get(head, f"/{attachment['id']}").json["state"] == "stored"
    assert get(head, f"/{attachment['id']}/content").status_code == 200
    assert [item["id"] for item in get(head, "").json["items"]] == [attachment["id"]]
    check_hidden(world, attachment)


def test_check_catches_an_office_without_place_scope(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug (P6)."""
    attachment = seen(world, uploading(), photo(2))
    monkeypatch.setattr("backend.attachments.queries._may_see", lambda *_: True)
    with pytest.raises(AssertionError):
        check_hidden(world, attachment)


@pytest.mark.parametrize("mime", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_content_leaves_without_metadata_and_with_every_pixel(
    world: World, uploading: New, mime: str, orientation: int
) -> None:
    raw = photo(3, mime=mime, orientation=orientation)
    attachment = seen(world, uploading(), raw, f"image/{mime.lower()}")
    answer = get(world.office(), f"/{attachment['id']}/content")
    assert answer.mimetype == f"image/{mime.lower()}"
    assert CAMERA.encode() not in answer.data
    assert b"2026:11:20" not in answer.data
    with Image.open(io.BytesIO(raw)) as before, Image.open(io.BytesIO(answer.data)) as after:
        assert before.tobytes() == after.tobytes()
        if mime == "JPEG":
            assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    assert held(world, attachment["id"]) == raw


def test_worker_makes_a_thumbnail_upright_and_notes_what_it_found(world: World, uploading: New) -> None:
    attachment = seen(world, uploading(), photo(4, size=(1200, 900), orientation=6))
    office = world.office()
    detail = get(office, f"/{attachment['id']}").json
    assert (detail["width"], detail["height"], detail["damaged"]) == (1200, 900, False)
    assert (detail["taken_at"], detail["has_thumbnail"]) == ("2026:11:20 09:30:00", True)
    small = get(office, f"/{attachment['id']}/thumbnail").data
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (360, 480)
        assert not picture.getexif()


def test_photo_that_cannot_be_drawn_is_kept_and_said(world: World, uploading: New) -> None:
    raw = photo(5, size=(640, 480))[:-4000]
    attachment = seen(world, uploading(), raw)
    office = world.office()
    detail = get(office, f"/{attachment['id']}").json
    assert (detail["state"], detail["damaged"], detail["has_thumbnail"]) == ("stored", True, False)
    assert get(office, f"/{attachment['id']}/thumbnail").json["code"] == "attachment_not_found"
    assert held(world, attachment["id"]) == raw


def test_progress_and_list_say_what_is_awaited(world: World, uploading: New) -> None:
    phone, office = uploading(), world.office()
    here, coming, absent = photo(6), photo(7), photo(8)
    attachments = [declared(raw) for raw in (here, coming, absent)]
    record = phone.phone.visit(world.home, attachments=attachments)
    phone.phone.push(record)
    phone.announce(attachments[0], here)
    phone.announce(attachments[1], coming[:100])
    progress = get(office, "/progress").json
    states = {"awaited": 1, "receiving": 1, "stored": 1, "refused": 0, "erased": 0}
    assert progress["states"] == states
    assert progress["bytes_declared"] == len(here) + len(coming) + len(absent)
    assert (progress["bytes_received"], progress["to_examine"]) == (len(here) + 100, 1)
    look(world)
    assert get(office, "/progress").json["to_examine"] == 0
    awaited = get(office, "", state="awaited").json["items"]
    assert [(item["id"], item["record_id"]) for item in awaited] == [(attachments[2]["id"], record["id"])]
    pages, cursor = [], ""
    while cursor is not None:
        page = get(office, "", limit="2", **({"cursor": cursor} if cursor else {})).json
        pages += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(pages) == sorted(item["id"] for item in attachments)


def erase(world: World, record: dict[str, Any]) -> None:
    with world.db.transaction([world.community_id]) as session:
        erase_record(session, world.community_id, UUID(record["id"]), None, "依法删除申请")


def check_erased(world: World, phone: Uploading) -> None:
    """Erasing a record takes its photos along, those that never came as well, and nothing brings them back."""
    raw, never = photo(9), photo(10)
    attachments = [declared(raw), declared(never)]
    record = phone.phone.visit(world.home, attachments=attachments)
    phone.phone.push(record)
    phone.announce(attachments[0], raw)
    look(world)
    erase(world, record)
    office = world.office()
    for attachment, body in zip(attachments, (raw, never), strict=True):
        assert held(world, attachment["id"]) is None
        for path in ("/content", "/thumbnail"):
            assert get(office, f"/{attachment['id']}{path}").status_code == 404
        again = phone.announce(attachment, body)
        assert (again.status_code, again.headers["Upload-State"]) == (201, "erased")
        assert again.headers["Upload-Offset"] == str(len(body))
        assert held(world, attachment["id"]) is None
    asked = {"install_id": str(phone.phone.install_id), "ids": [], "attachment_ids": [a["id"] for a in attachments]}
    assert phone.phone.call("reconcile", asked).json["missing_attachments"] == []


def test_erasure_reaches_the_photos(world: World, uploading: New) -> None:
    check_erased(world, uploading())


def test_check_catches_an_erasure_that_forgets_the_photos(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug."""
    monkeypatch.setattr("backend.sync.erasure.erase_files_of", lambda *_: None)
    with pytest.raises(AssertionError):
        check_erased(world, uploading())


def test_erasure_leaves_what_others_hold(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo(11)
    shared, twin = declared(raw), declared(raw)
    first, second, third = (phone.phone.visit(world.home, attachments=[a]) for a in (shared, shared, twin))
    phone.phone.push(first, second, third)
    phone.announce(shared, raw)
    phone.announce(twin, raw)
    erase(world, first)
    assert held(world, shared["id"]) == raw
    erase(world, second)
    assert held(world, shared["id"]) is None
    assert held(world, twin["id"]) == raw
    erase(world, third)
    again = declared(raw)
    phone.announce(again, raw)
    assert held(world, again["id"]) == raw


def test_content_that_was_lost_from_the_store_is_stored_anew(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo(12)
    first = phone.bring(raw)
    folder = world.app.extensions["saolou"].settings.data_dir / "files" / str(world.community_id)
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()
    assert held(world, first["id"]) is None
    phone.bring(raw)
    assert held(world, first["id"]) == raw


def test_examine_again_is_harmless(world: World, uploading: New) -> None:
    attachment = seen(world, uploading(), photo(13))
    with world.db.transaction([world.community_id]) as session:
        session.execute(update(Attachment).values(examined_at=None))
    look(world)
    assert get(world.office(), f"/{attachment['id']}/thumbnail").status_code == 200
