"""Notices of tests: bodies of requests, and pictures that are none of anybody's."""

import hashlib
import io
from datetime import date
from typing import Any
from uuid import UUID

from PIL import Image

from backend import clock
from tests.factories.records import PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import DAY_MS, Person, Sweep

ADDRESSEE = "王喆㼆𬭎"
CONTACT = "石小满 0735-2220000"


def picture(shade: int = 120, mime: str = "JPEG") -> bytes:
    """A small picture of one colour, with EXIF as a camera would write it."""
    exif = Image.Exif()
    exif[0x010F] = "canary-camera"
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 160, 90)).save(out, mime, exif=exif)
    return out.getvalue()


def declared(raw: bytes, mime: str = "image/jpeg") -> dict[str, Any]:
    """How a file is named before its bytes are there."""
    return {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "mime": mime}


def photographed(sweep: Sweep, place: UUID, *pictures: bytes) -> UUID:
    """A hazard at ``place``, seen by a visit that declares these pictures."""
    attachments = [{"id": str(UUID(int=n + 1)), **declared(raw)} for n, raw in enumerate(pictures)]
    body = {**visit_body(place, [block("ebike_charging", place, PARKED_EBIKE)]), "attachments": attachments}
    sweep.put(body, clock.now_ms() - DAY_MS)
    sweep.compile(place)
    return sweep.hazard_id(place)


def notice_body(*hazards: UUID, **changed: Any) -> dict[str, Any]:
    """What the office sends to issue a 隐患整改告知书."""
    return {
        "hazard_ids": [str(hazard) for hazard in hazards],
        "addressee": ADDRESSEE,
        "inspected_on": date(2026, 11, 20).isoformat(),
        "inspectors": ["石小满", "何大山"],
        "requirement": "移走车辆，恢复通道畅通",
        "interim": "安排专人看护",
        "deadline_ms": clock.now_ms() + 3 * DAY_MS,
        "contact": CONTACT,
        **changed,
    }


def issued(person: Person, *hazards: UUID, **changed: Any) -> dict[str, Any]:
    """A notice that was issued."""
    answer = person.post("/notices", notice_body(*hazards, **changed))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def served(mode: str = "onsite", result: str = "signed", **changed: Any) -> dict[str, Any]:
    """What is recorded of a service."""
    found = {"mode": mode, "result": result, "served_ms": clock.now_ms(), "served_by": "石小满", "copy": None}
    if result == "signed":
        found |= {"signatory": ADDRESSEE, "relation": "本人"}
    if result == "refused":
        found |= {"witness": "罗长青"}
    if mode == "sticker":
        found |= {"copy": declared(picture())}
    if mode == "registered":
        found |= {"tracking_no": "XA12345678"}
    return {**found, **changed}
