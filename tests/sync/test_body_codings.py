"""Bodies as some libraries write them: a byte order mark before the JSON, gzip and zstd in several pieces."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from backend.http.body import zstd
from tests.sync.conftest import World

BOM = b"\xef\xbb\xbf"


def two_members(raw: bytes) -> bytes:
    return gzip.compress(raw[:100]) + gzip.compress(raw[100:]) + bytes(3)


def two_frames(raw: bytes) -> bytes:
    return zstd.compress(raw[:100]) + zstd.compress(raw[100:])


@pytest.mark.parametrize(
    "write", [lambda raw: BOM + raw, two_members, lambda raw: gzip.compress(BOM + raw), two_frames]
)
def test_push_odd_but_readable_body_is_read(world: World, write: Any) -> None:
    phone = world.phone()
    record = phone.visit(world.home)
    body = write(json.dumps(phone.envelope([record])).encode())
    headers = {**phone.headers, "Content-Type": "application/json"}
    if not body.startswith((BOM, b"{")):
        headers["Content-Encoding"] = "gzip" if body.startswith(b"\x1f\x8b") else "zstd"
    answer = phone.client.post("/sync/v1/push", data=body, headers=headers)
    assert [result["status"] for result in answer.json["results"]] == ["stored"]


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_push_body_whose_second_member_is_cut_is_unreadable(
    world: World, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    phone = world.phone()
    raw = json.dumps(phone.envelope([phone.visit(world.home)])).encode()
    body = (compress(raw[:100]) + compress(raw[100:]))[:-20]
    headers = {**phone.headers, "Content-Type": "application/json", "Content-Encoding": coding}
    answer = phone.client.post("/sync/v1/push", data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "body_unreadable")
    assert answer.json["dead_id"]


def test_push_gzip_of_very_many_members_is_refused_before_they_are_unpacked(world: World) -> None:
    phone = world.phone()
    headers = {**phone.headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = phone.client.post("/sync/v1/push", data=gzip.compress(b"") * 20_000, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "body_unreadable")
