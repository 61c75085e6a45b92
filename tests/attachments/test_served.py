"""Uploads over real gunicorn: other people's clients, connections that break anywhere, two at once."""

import hashlib
import http.client
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tusclient.client import TusClient

from backend.attachments.declaring import states_of
from backend.attachments.service import find_attachment
from backend.settings import PROJECT, Settings
from tests.factories.api_server import api_server
from tests.factories.uploads import declared, metadata, photo, uploads
from tests.sync.conftest import World

PATIENCE_S = 30.0
EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[str]:
    with api_server(settings) as url:
        yield url


def held(world: World, attachment_id: str) -> bytes | None:
    with world.db.transaction([world.community_id]) as session:
        state = states_of(session, world.community_id, [UUID(attachment_id)])[UUID(attachment_id)]
        found = find_attachment(session, world.app.extensions["saolou"], world.community_id, state.sha256)
    return found[1] if found is not None and state.state == "stored" else None


class Line:
    """One phone's requests to a served API, whole or cut off."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), parts.port or 80
        self.headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/offset+octet-stream"} if method == "PATCH" else {}
        connection.request(method, path, body, {**self.headers, **kind, **named})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def announce(self, attachment: dict[str, Any]) -> str:
        said = metadata(id=attachment["id"], sha256=attachment["sha256"], mime=attachment["mime"], kind="photo")
        answer = self.call("POST", "/sync/v1/files", Upload_Length=str(attachment["bytes"]), Upload_Metadata=said)
        assert answer.status == 201
        return str(answer.headers["Location"])

    def offset(self, path: str) -> int:
        answer = self.call("HEAD", path)
        assert answer.status == 200, answer.headers
        return int(answer.headers["Upload-Offset"])

    def append(self, path: str, offset: int, body: bytes) -> int:
        return self.call("PATCH", path, body, Upload_Offset=str(offset)).status

    def cut(self, path: str, offset: int, body: bytes, sent: int) -> None:
        """Promise all of ``body``, send the first bytes of it, and go."""
        head = {**self.headers, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        head |= {"Host": self.host, "Content-Length": str(len(body))}
        lines = [f"PATCH {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with socket.create_connection((self.host, self.port), PATIENCE_S) as connection:
            connection.sendall("\r\n".join(lines).encode() + body[:sent])

    def cut_until_kept(self, path: str, offset: int, body: bytes, sent: int) -> None:
        """Cut, again where the request before it was still at work (locked), until what came before the cut counts."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.cut(path, offset, body, sent)
            for _ in range(100):
                if not sent or self.offset(path) != offset:
                    return
                time.sleep(0.01)
            assert time.monotonic() < deadline, "what came before the cut was not kept"


def check_cut(world: World, url: str, raw: bytes, chunk: int, cuts: list[int]) -> None:
    """Send ``raw`` in chunks; of each the connection breaks once after some of its bytes, then it is resumed."""
    line, attachment = Line(url, world.phone().token), declared(raw)
    path = line.announce(attachment)
    deadline = time.monotonic() + PATIENCE_S
    left = list(cuts)
    while (offset := line.offset(path)) < len(raw):
        assert time.monotonic() < deadline, "the upload does not get on"
        body = raw[offset : offset + chunk]
        if left:
            sent = min(left.pop(), len(body) - 1)
            line.cut_until_kept(path, offset, body, sent)
            continue
        assert line.append(path, offset, body) in (204, 409, 423)
    assert held(world, attachment["id"]) == raw
    assert [row.generation for row in uploads(world) if str(row.id) == attachment["id"]] == [0], "it had to begin anew"


@EXAMPLES
@given(
    shade=st.integers(0, 60_000),
    chunk=st.integers(60, 900),
    cuts=st.lists(st.sampled_from([0, 1, 59]) | st.integers(0, 900), max_size=4),
)
def test_cut_anywhere_and_resumed_gives_the_whole(
    world: World, served: str, shade: int, chunk: int, cuts: list[int]
) -> None:
    check_cut(world, served, photo(shade), chunk, cuts)


def test_cut_at_every_chunk_boundary_gives_the_whole(world: World, served: str) -> None:
    raw = photo(7)
    line, attachment = Line(served, world.phone().token), declared(raw)
    path = line.announce(attachment)
    for start, end in pairwise([*range(0, len(raw), 100), len(raw)]):
        line.cut_until_kept(path, start, raw[start:], end - start)
        assert line.offset(path) == end
    assert held(world, attachment["id"]) == raw


def test_check_catches_a_server_that_fills_up_what_was_cut(world: World, settings: Settings) -> None:
    """Seeded bug (P1)."""
    with api_server(settings, bug="padded") as url, pytest.raises(AssertionError):
        check_cut(world, url, photo(8), 400, [100, 100, 100, 100])


def check_at_once(world: World, url: str) -> None:
    """Eight requests append the same bytes at the same offset at once: one does, the others are told so."""
    raw = photo(9)
    line, attachment = Line(url, world.phone().token), declared(raw)
    path = line.announce(attachment)
    for start, end in ((0, 200), (200, len(raw))):
        answers: list[int] = []

        def append(at: int = start, body: bytes = raw[start:end], told: list[int] = answers) -> None:
            told.append(line.append(path, at, body))

        threads = [threading.Thread(target=append) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers)[0] == 204
        assert set(sorted(answers)[1:]) <= {409, 423}
        assert line.offset(path) == end
    assert held(world, attachment["id"]) == raw


def test_append_at_once_keeps_one(world: World, settings: Settings) -> None:
    with api_server(settings, bug="slow_store") as url:
        check_at_once(world, url)


def test_check_catches_a_server_that_locks_nothing(world: World, settings: Settings) -> None:
    """Seeded bug (P2)."""
    with api_server(settings, bug="unlocked") as url, pytest.raises(AssertionError):
        check_at_once(world, url)


def test_tuspy_brings_a_file_and_resumes_after_every_chunk(world: World, served: str, tmp_path: Path) -> None:
    raw = photo(10)
    attachment, path = declared(raw), tmp_path / "photo.jpg"
    path.write_bytes(raw)
    said = {"id": attachment["id"], "sha256": attachment["sha256"], "mime": "image/jpeg", "kind": "photo"}
    client = TusClient(f"{served}/sync/v1/files", headers={"Authorization": f"Bearer {world.phone().token}"})
    url = None
    for _ in range(0, len(raw), 300):
        uploader = client.uploader(str(path), chunk_size=300, url=url, metadata=said, upload_checksum=True)
        uploader.upload_chunk()
        url = uploader.url
    assert held(world, attachment["id"]) == raw
    again = client.uploader(str(path), chunk_size=300, url=url)
    assert again.offset == len(raw)


CLIENT = PROJECT / "mobile_contract" / "client" / "node_modules"
SCRIPT = """
const tus = await import(process.argv[2]);
const { readFileSync } = await import("node:fs");
const [endpoint, token, path, metadata] = process.argv.slice(3);
const file = readFileSync(path);
let sent = 0;
await new Promise((done, failed) => {
  const make = (uploadUrl) => new tus.Upload(file, {
    endpoint, uploadUrl, chunkSize: 300, metadata: JSON.parse(metadata), retryDelays: [0, 100, 100],
    headers: { Authorization: `Bearer ${token}` }, uploadSize: file.length,
    onError: failed, onSuccess: done,
    onChunkComplete() { if (++sent % 2) upload.abort().then(() => { upload = make(upload.url); upload.start(); }); },
  });
  let upload = make(null);
  upload.start();
});
"""


def test_tus_js_client_brings_a_file_and_resumes(world: World, served: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    module = CLIENT / "tus-js-client" / "lib.es5" / "node" / "index.js"
    if node is None or not module.exists():
        pytest.skip("the app's packages are not installed")
    raw = photo(11)
    attachment, path, script = declared(raw), tmp_path / "photo.jpg", tmp_path / "bring.mjs"
    path.write_bytes(raw)
    script.write_text(SCRIPT)
    said = f'{{"id":"{attachment["id"]}","sha256":"{attachment["sha256"]}","mime":"image/jpeg","kind":"photo"}}'
    command = [node, str(script), str(module), f"{served}/sync/v1/files", world.phone().token, str(path), said]
    subprocess.run(command, check=True, timeout=120)
    assert held(world, attachment["id"]) == raw
    assert hashlib.sha256(raw).hexdigest() == attachment["sha256"]
