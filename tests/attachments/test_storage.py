"""Where the bytes lie: a folder or an S3-compatible store, and what happens while it is away."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from backend.attachments import file_store, purging
from backend.attachments.file_store import FileStore, Unavailable, content_name, part_name
from backend.attachments.models import UploadPart
from backend.attachments.purging import purge_uploads
from backend.errors import ConfigurationError
from backend.settings import load_settings
from tests.attachments.s3 import S3
from tests.attachments.test_uploads import held
from tests.factories.uploads import Uploading, declared, expire, photo, uploads
from tests.sync.conftest import World

New = Callable[[], Uploading]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    made = S3()
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "cn-south"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    monkeypatch.setattr(file_store, "_RETRY", {"max_retries": 0})
    yield made
    made.shut()


def make_store(kind: str, folder: Path) -> FileStore:
    return FileStore(folder / "files", "s3://photos/town" if kind == "s3" else None)


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_store_keeps_finds_lists_and_deletes(kind: str, s3: S3, tmp_path: Path) -> None:
    store, community, part = make_store(kind, tmp_path), uuid4(), uuid4()
    name = content_name(community, b"\x07" * 32)
    assert (store.find(name), store.holds(name)) == (None, False)
    store.put(name, b"one")
    store.put(name, b"two")
    assert (store.find(name), store.holds(name)) == (b"two", True)
    store.put(part_name(community, part), b"part")
    assert sorted(found for found, _ in store.listed(community)) == sorted([name, part_name(community, part)])
    assert list(store.listed(uuid4())) == []
    store.delete([name, name])
    assert store.find(name) is None


@pytest.fixture
def away(world: World, s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The application keeps its files in a store that can be shut."""
    store = world.app.extensions["saolou"].part(FileStore)
    monkeypatch.setattr(store, "url", "s3://photos/town")
    monkeypatch.setattr(store, "_made", None)
    return s3


def check_away(world: World, phone: Uploading, away: S3) -> None:
    """The store goes in the middle of an upload and at its end, and comes back: nothing is lost, nothing is doubled."""
    raw = photo(21)
    attachment = declared(raw)
    assert phone.announce(attachment).status_code == 201
    edges = [0, 200, 400, len(raw)]
    for start, end in pairwise(edges):
        away.shut()
        answer = phone.append(attachment["id"], start, raw[start:end])
        assert answer.status_code == 503
        assert answer.json["code"] == "unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        assert phone.head(attachment["id"]).headers["Upload-Offset"] == str(start)
        assert phone.phone.push(phone.phone.visit(world.home))[0]["status"] == "stored"
        away.open()
        assert phone.append(attachment["id"], start, raw[start:end]).status_code == 204
    assert held(world, attachment["id"]) == raw


def test_store_away_is_said_and_the_upload_goes_on_when_it_is_back(world: World, uploading: New, away: S3) -> None:
    check_away(world, uploading(), away)


def test_check_catches_a_server_that_trusts_a_store_that_is_away(
    world: World, uploading: New, away: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug (P1): a failed write is taken for one that was done."""
    right = FileStore.put

    def put(self: FileStore, name: str, sealed: bytes) -> None:
        try:
            right(self, name, sealed)
        except Unavailable:
            return

    monkeypatch.setattr(FileStore, "put", put)
    with pytest.raises(AssertionError):
        check_away(world, uploading(), away)


def test_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file where the folder should be")
    with pytest.raises(Unavailable):
        FileStore(tmp_path / "files").put("a/b", b"x")


def test_purge_forgets_expired_uploads_and_lost_parts(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, runtime = uploading(), world.app.extensions["saolou"]
    store = runtime.part(FileStore)
    old, young, lost = declared(photo(31)), declared(photo(32)), uuid4()
    for attachment in (old, young):
        phone.announce(attachment, photo(31)[:40])
    store.put(part_name(world.community_id, lost), b"of a request that was rolled back")
    expire(world, old["id"])
    monkeypatch.setattr(purging, "_YOUNG", timedelta(seconds=-60))
    with world.db.transaction([world.community_id]) as session:
        purge_uploads(session, runtime, world.community_id)
    assert [str(row.id) for row in uploads(world)] == [young["id"]]
    with world.db.transaction([world.community_id]) as session:
        known = [part_name(world.community_id, part) for part in session.scalars(select(UploadPart.part_id))]
    assert [found for found, _ in store.listed(world.community_id)] == known
    assert phone.head(old["id"]).status_code == 404
    assert phone.append(young["id"], 40, photo(32)[40:]).status_code in (204, 409)


def test_purge_leaves_parts_that_may_still_be_committed(world: World) -> None:
    runtime, part = world.app.extensions["saolou"], uuid4()
    store = runtime.part(FileStore)
    store.put(part_name(world.community_id, part), b"its row is not committed yet")
    with world.db.transaction([world.community_id]) as session:
        purge_uploads(session, runtime, world.community_id)
    ((found, stored_at),) = store.listed(world.community_id)
    assert found == part_name(world.community_id, part)
    assert stored_at <= datetime.now(UTC)


def check_asked_again(world: World, phone: Uploading) -> None:
    """The store lost a file (a disk, a restore without its files): the phone is asked for it and brings it again."""
    runtime, raw = world.app.extensions["saolou"], photo(41)
    attachment = phone.bring(raw)
    shutil.rmtree(runtime.part(FileStore).folder / str(world.community_id))
    with world.db.transaction([world.community_id]) as session:
        purge_uploads(session, runtime, world.community_id)
    asked = {"install_id": str(phone.phone.install_id), "ids": [], "attachment_ids": [attachment["id"]]}
    assert phone.phone.call("reconcile", asked).json["missing_attachments"] == [attachment["id"]]
    assert phone.announce(attachment).headers["Upload-Offset"] == "0"
    assert phone.append(attachment["id"], 0, raw).status_code == 204
    assert held(world, attachment["id"]) == raw


def test_file_that_the_store_lost_is_asked_for_again(world: World, uploading: New) -> None:
    check_asked_again(world, uploading())


def test_check_catches_a_server_that_does_not_look_after_its_store(
    world: World, uploading: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug (P1)."""
    monkeypatch.setattr(purging, "_ask_again", lambda *_: None)
    with pytest.raises(AssertionError):
        check_asked_again(world, uploading())


def test_part_that_the_store_lost_lets_the_upload_begin_anew(world: World, uploading: New) -> None:
    phone, raw = uploading(), photo(42)
    attachment = declared(raw)
    phone.announce(attachment, raw[:100])
    shutil.rmtree(world.app.extensions["saolou"].part(FileStore).folder / str(world.community_id))
    assert phone.append(attachment["id"], 100, raw[100:]).json["code"] == "file_begins_anew"
    assert phone.append(attachment["id"], 0, raw).status_code == 204
    assert held(world, attachment["id"]) == raw


def test_setting_of_the_store_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAOLOU_FILES_URL", "ftp://nowhere")
    with pytest.raises(ConfigurationError, match="SAOLOU_FILES_URL"):
        load_settings()
