"""Well-formed records for the contract's tests. All people and places are invented."""

import hashlib
import json
import uuid
from typing import Any

INSTALL = "0197a000-0000-7000-8000-00000000000a"
AUTHOR = "0197a000-0000-7000-8000-0000000000aa"
PLACE = "0197a000-0000-7000-8000-0000000000bb"


def make_id(number: int) -> str:
    """The same number gives the same UUIDv7-shaped id."""
    return str(uuid.UUID(int=(0x0197A000 << 96) | (7 << 76) | (0b10 << 62) | number))


def make_payload(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A visit payload, valid in every part; `changes` replace or add top-level keys."""
    payload: dict[str, Any] = {
        "author_id": AUTHOR,
        "seq": number,
        "time": {"wall_ms": 1794990000000, "elapsed_ms": 40000 + number, "boot_id": "b7"},
        "attachments": [{"id": make_id(9000 + number), "sha256": "a" * 64, "bytes": 204800, "mime": "image/jpeg"}],
        "amends": None,
        "voids": None,
        "reason": None,
        "visit": {
            "header": {
                "place_id": PLACE,
                "visited_at": "2026-11-20T09:30:00+08:00",
                "visitors": ["石小满", "田大禾"],
                "outcome": "done",
                "informed": True,
            },
            "blocks": [
                {
                    "form": "ebike_charging",
                    "version": 1,
                    "place_id": PLACE,
                    "answers": {"place": "stair", "floor_label": "3F", "behaviours": ["park"]},
                    "fixed": [{"rule": "EBC-02", "before": [make_id(1)], "after": [make_id(2)]}],
                }
            ],
        },
    }
    payload.update(changes)
    return payload


def make_place_payload(**place: Any) -> dict[str, Any]:
    """A valid place_proposal payload; `place` changes its body."""
    payload = make_payload()
    del payload["visit"]
    body = {"id": make_id(5), "kind": "household", "parent_id": PLACE, "name": "301室"}
    payload["place"] = body | {"address_raw": None, "location": None} | place
    return payload


def make_step_payload(**step: Any) -> dict[str, Any]:
    """A valid task_step payload of the kind given in `step`."""
    payload = make_payload()
    del payload["visit"]
    payload["step"] = {"hazard_id": make_id(6), "place_id": PLACE} | step
    return payload


def make_record(number: int, payload: dict[str, Any] | str | None = None, **changes: Any) -> dict[str, Any]:
    """A wire record; `payload` may be an object or ready JSON text; `changes` replace keys."""
    if payload is None:
        payload = make_payload(number)
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    record = {
        "id": make_id(number),
        "type": "visit",
        "schema_version": 1,
        "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "payload": text,
        "anchor": {"server_ms": 1794998200000, "elapsed_ms": 51000, "boot_id": "b7", "mac": "0" * 64},
    }
    return record | changes


def make_push(records: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A push envelope around `records`."""
    return {
        "push_id": make_id(70000),
        "install_id": INSTALL,
        "community_id": None,
        "app_version": "3.2.1",
        "records": records,
        "server_epoch": "e7",
    } | changes
