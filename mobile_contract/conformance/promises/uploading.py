"""Files by tus: resumable, checked, independent of records."""

import base64
import hashlib
import struct
import time
import zlib
from contextlib import suppress
from typing import Any

from mobile_contract.conformance.promises.bench import Bench, NotOffered, expect, is_problem
from mobile_contract.conformance.promises.registry import promise
from mobile_contract.conformance.wire import Reply, Unreachable

FILES = "/sync/v1/files"
CUT_PATIENCE_S = 10.0


def picture(bench: Bench) -> bytes:
    """A PNG that nobody has sent before: a few rows of noise."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = 24
    rows = b"".join(b"\0" + bench.rng.randbytes(side * 3) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def declared(bench: Bench, raw: bytes, mime: str = "image/png") -> dict[str, Any]:
    """An attachment as a record declares it."""
    return {"id": bench.new_id(), "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "mime": mime}


def tus(bench: Bench, method: str, path: str, raw: bytes | None = None, **headers: str) -> Reply:
    """A tus request."""
    kind = {"Content_Type": "application/offset+octet-stream"} if raw is not None else {}
    return bench.wire.send(method, path, raw, bench.headers(Tus_Resumable="1.0.0", **kind, **headers))


def announce(bench: Bench, file: dict[str, Any]) -> str:
    """Where a file is to be sent; NotOffered where there are no uploads."""
    reply = _announced(bench, file)
    if reply.status == 404:
        raise NotOffered("the server takes no files")
    expect(reply.status == 201, f"an announcement got {reply.status} {reply.code}")
    return reply.headers["location"]


def _announced(bench: Bench, file: dict[str, Any]) -> Reply:
    said = {"id": file["id"], "sha256": file["sha256"], "mime": file["mime"], "kind": "photo"}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
    return tus(bench, "POST", FILES, b"", Upload_Length=str(file["bytes"]), Upload_Metadata=metadata)


def append(bench: Bench, path: str, offset: int, raw: bytes, **headers: str) -> Reply:
    return tus(bench, "PATCH", path, raw, Upload_Offset=str(offset), **headers)


def offset_of(bench: Bench, path: str) -> int:
    reply = tus(bench, "HEAD", path)
    expect(reply.status == 200, f"HEAD of an upload got {reply.status}")
    return int(reply.headers["upload-offset"])


def _missing(bench: Bench, *ids: str) -> list[str]:
    found: list[str] = bench.ok("reconcile", {"ids": [], "attachment_ids": list(ids)}).body["missing_attachments"]
    return found


@promise("files-options", "§7")
def capabilities_are_told(bench: Bench) -> None:
    """OPTIONS tells version 1.0.0 and the extensions."""
    reply = bench.wire.send("OPTIONS", FILES, None, {})
    if reply.status == 404:
        raise NotOffered("the server takes no files")
    extensions = set(reply.headers.get("tus-extension", "").split(","))
    wanted = {"creation", "creation-with-upload", "checksum", "expiration", "termination"}
    expect(wanted <= extensions, f"the server lacks {sorted(wanted - extensions)}")
    expect("1.0.0" in reply.headers.get("tus-version", ""), "it does not speak tus 1.0.0")


@promise("files-whole", "§7")
def file_in_pieces_is_whole(bench: Bench) -> None:
    """A file in pieces is whole at the end: HEAD tells the offset after each, and reconcile does not miss it."""
    raw = picture(bench)
    file = declared(bench, raw)
    path = announce(bench, file)
    for start in range(0, len(raw), 500):
        expect(offset_of(bench, path) == start, "HEAD does not tell what was received")
        piece = raw[start : start + 500]
        reply = append(bench, path, start, piece)
        expect(reply.status == 204, f"a piece got {reply.status} {reply.code}")
        expect(reply.headers.get("upload-offset") == str(start + len(piece)), "PATCH tells another Upload-Offset")
    expect(_missing(bench, file["id"]) == [], "a whole file is still missing")


@promise("files-same-location", "§7")
def same_id_gives_the_same_location(bench: Bench) -> None:
    """The same id announced again gives the same `Location` and loses nothing."""
    raw = picture(bench)
    file = declared(bench, raw)
    path = announce(bench, file)
    append(bench, path, 0, raw[:100])
    expect(announce(bench, file) == path, "the same id got another Location")
    expect(offset_of(bench, path) == 100, "announcing again lost what was received")


@promise("files-offset", "§7")
def wrong_offset_is_409(bench: Bench) -> None:
    """A piece at another offset than the server's is 409 `offset_mismatch` and changes nothing."""
    raw = picture(bench)
    path = announce(bench, declared(bench, raw))
    append(bench, path, 0, raw[:100])
    for offset in (0, 50, 200):
        is_problem(append(bench, path, offset, raw[offset : offset + 10]), 409, "offset_mismatch")
    expect(offset_of(bench, path) == 100, "a piece at a wrong offset was taken")


@promise("files-cut", "§7")
def what_came_before_a_cut_is_kept(bench: Bench) -> None:
    """What came of a request that was cut is kept, or none of it, and the upload goes on to the same file."""
    raw = picture(bench)
    file = declared(bench, raw)
    path = announce(bench, file)
    headers = bench.headers(Tus_Resumable="1.0.0", Upload_Offset="0", Content_Type="application/offset+octet-stream")
    with suppress(Unreachable):
        bench.wire.send_partly("PATCH", path, raw, headers, 700)
    deadline = time.monotonic() + CUT_PATIENCE_S
    while True:
        offset = offset_of(bench, path)
        expect(offset <= 700, f"of 700 bytes that came the server counts {offset}")
        reply = append(bench, path, offset, raw[offset:])
        if reply.status == 204:
            break
        expect(reply.status in (409, 423), f"going on after a cut got {reply.status} {reply.code}")
        expect(time.monotonic() < deadline, "the upload cannot be gone on with")
        time.sleep(0.1)
    expect(_missing(bench, file["id"]) == [], "after a cut the whole file is not held")


@promise("files-checksum", "§7")
def damaged_piece_is_460(bench: Bench) -> None:
    """A piece that does not have its `Upload-Checksum` is 460 and nothing of it is kept."""
    raw = picture(bench)
    path = announce(bench, declared(bench, raw))
    right = base64.b64encode(hashlib.sha256(raw[:100]).digest()).decode()
    damaged = append(bench, path, 0, raw[1:101], Upload_Checksum=f"sha256 {right}")
    is_problem(damaged, 460, "checksum_mismatch")
    expect(offset_of(bench, path) == 0, "a damaged piece was kept")


@promise("files-hash", "§7")
def wrong_whole_begins_anew(bench: Bench) -> None:
    """A whole file with another SHA-256 than announced is never `stored`: 409, and the upload stands at 0."""
    raw = picture(bench)
    file = declared(bench, raw)
    path = announce(bench, file)
    is_problem(append(bench, path, 0, raw[:-1] + b"\0"), 409, "file_begins_anew")
    expect(offset_of(bench, path) == 0, "after a wrong hash the upload does not stand at 0")
    expect(_missing(bench, file["id"]) == [file["id"]], "a file with a wrong hash counts as held")
    expect(append(bench, path, 0, raw).status == 204, "the right bytes are not taken after wrong ones")


@promise("files-kind", "§7, §9")
def what_is_no_picture_is_refused(bench: Bench) -> None:
    """What is not a file of its kind is refused with `attachment_kind_unknown`, for ever; reconcile tells it."""
    raw = b"MZ" + bench.rng.randbytes(300)
    file = declared(bench, raw)
    path = announce(bench, file)
    is_problem(append(bench, path, 0, raw), 422, "attachment_kind_unknown")
    answer = bench.ok("reconcile", {"ids": [], "attachment_ids": [file["id"]]}).body
    refused = [{"id": file["id"], "code": "attachment_kind_unknown"}]
    expect(answer["refused_attachments"] == refused, "reconcile does not tell of a refused file")
    expect(answer["missing_attachments"] == [], "a refused file is still asked for")


@promise("files-finished", "§7")
def finished_upload_still_answers(bench: Bench) -> None:
    """HEAD, an empty PATCH and the same announcement still answer when the file is whole."""
    raw = picture(bench)
    file = declared(bench, raw)
    path = announce(bench, file)
    append(bench, path, 0, raw)
    expect(offset_of(bench, path) == len(raw), "HEAD of a whole file tells another offset")
    expect(append(bench, path, len(raw), b"").status == 204, "an empty PATCH of a whole file is refused")
    again = _announced(bench, file)
    expect((again.status, again.headers.get("location")) == (201, path), "announcing a whole file again is refused")


@promise("files-apart", "§4.6, §7")
def records_and_files_never_wait(bench: Bench) -> None:
    """A record is stored before its photos came, and photos before their record; `missing_attachments` tells."""
    before, after = picture(bench), picture(bench)
    early, late = declared(bench, before), declared(bench, after)
    append(bench, announce(bench, early), 0, before)
    record = bench.visit(attachments=[early, late])
    result = bench.stored(record)
    expect(
        result["missing_attachments"] == [late["id"]], f"missing are {result['missing_attachments']}, not the late one"
    )
    append(bench, announce(bench, late), 0, after)
    (again,) = bench.push(record)
    expect(again["missing_attachments"] == [], "a file that came is still missing")


@promise("files-terminate", "§7")
def unfinished_upload_can_be_given_up(bench: Bench) -> None:
    """DELETE forgets an unfinished upload; a whole file stays (409 `upload_finished`)."""
    raw = picture(bench)
    path = announce(bench, declared(bench, raw))
    append(bench, path, 0, raw[:50])
    expect(tus(bench, "DELETE", path).status == 204, "an unfinished upload cannot be given up")
    expect(tus(bench, "HEAD", path).status in (404, 410), "an upload that was given up is still there")
    path = announce(bench, declared(bench, raw))
    append(bench, path, 0, raw)
    is_problem(tus(bench, "DELETE", path), 409, "upload_finished")
