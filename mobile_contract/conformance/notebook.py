"""Where a simulated phone writes its records: clocks, sequence numbers, frozen payloads."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS


@dataclass(slots=True)
class Boot:
    """One boot of a phone; `started_ms` is the true time of its start, which only the simulation knows.

    The phone's clock since boot at a true time t is `t − started_ms`. So an anchor taken now, by a
    phone that says it has been up for a week, makes every earlier reading of that boot effective at
    exactly its own true time: that is how days are simulated without waiting and without touching
    the server's clock.
    """

    id: str
    started_ms: int
    anchor: dict[str, Any] | None = None


@dataclass(slots=True)
class MadeRecord:
    """A record as a phone made it. `anchor` is fixed when it is first sent.

    `fate` is what the server must do: "stored" or "quarantined". `raw` replaces the wire form of
    poison that an honest writer of JSON could not produce.
    """

    id: str
    type: str
    payload: str
    boot: Boot
    true_ms: int
    seq: int
    install_id: str
    fate: str = "stored"
    raw: bytes | None = None
    sha256: str = ""
    anchor: dict[str, Any] | None = None
    anchored: bool = False
    status: str | None = None
    effective_ms: int | None = None
    extra_anchors: list[dict[str, Any]] = field(default_factory=list)

    def rehash(self) -> None:
        """Make `sha256` that of the payload."""
        self.sha256 = hashlib.sha256(self.payload.encode("utf-8", "surrogatepass")).hexdigest()

    def wire(self) -> bytes:
        """The record as one JSON value, ready to be joined into a push."""
        if self.raw is not None:
            return self.raw
        return orjson.dumps(
            {
                "id": self.id,
                "type": self.type,
                "schema_version": 1,
                "sha256": self.sha256,
                "payload": self.payload,
                "anchor": self.anchor,
            }
        )


def make_uuid7(true_ms: int, rng: Random) -> str:
    """A UUIDv7 of the given time with random bits from `rng`."""
    value = (max(true_ms, 0) & (2**48 - 1)) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


class Notebook:
    """Clocks and records of one phone."""

    def __init__(self, rng: Random, author_id: str, install_id: str, started_ms: int) -> None:
        self.rng = rng
        self.author_id = author_id
        self.install_id = install_id
        self.seq = 0
        self.wall_error_ms = 0
        self.boots: list[Boot] = []
        self.records: dict[str, MadeRecord] = {}
        self.reboot(started_ms)

    @property
    def boot(self) -> Boot:
        """The boot the phone is in."""
        return self.boots[-1]

    def reboot(self, true_ms: int) -> None:
        """A new boot; without an anchor until the phone next asks for one."""
        self.boots.append(Boot(str(uuid.UUID(int=self.rng.getrandbits(128), version=4)), true_ms))

    def clock(self, true_ms: int) -> dict[str, Any]:
        """Readings of the phone's clocks at a true time."""
        return {
            "wall_ms": true_ms + self.wall_error_ms,
            "elapsed_ms": true_ms - self.boot.started_ms,
            "boot_id": self.boot.id,
        }

    def payload(self, true_ms: int, body: Mapping[str, Any]) -> dict[str, Any]:
        """The common part for the next record, with `body` merged in."""
        self.seq += 1
        common: dict[str, Any] = {
            "author_id": self.author_id,
            "seq": self.seq,
            "time": self.clock(true_ms),
            "attachments": [],
            "amends": None,
            "voids": None,
            "reason": None,
        }
        return common | dict(body)

    def write(self, record_type: str, true_ms: int, body: Mapping[str, Any], text: str | None = None) -> MadeRecord:
        """Freeze a record. `text` replaces the payload text (for poison); it is hashed as it is."""
        payload = text if text is not None else orjson.dumps(self.payload(true_ms, body)).decode()
        record = MadeRecord(
            id=make_uuid7(true_ms, self.rng),
            type=record_type,
            payload=payload,
            boot=self.boot,
            true_ms=true_ms,
            seq=self.seq,
            install_id=self.install_id,
        )
        record.rehash()
        self.records[record.id] = record
        return record

    def make_attachment(self) -> dict[str, Any]:
        """Declare a photo that was never taken."""
        return {
            "id": make_uuid7(self.boot.started_ms, self.rng),
            "sha256": f"{self.rng.getrandbits(256):064x}",
            "bytes": self.rng.randrange(40_000, 400_000),
            "mime": "image/jpeg",
        }
