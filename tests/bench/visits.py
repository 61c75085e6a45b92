"""Visits as phones freeze them: about 1 KB each, one in ten with a hazard. All people are invented."""

import gzip
import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson

from backend.db import new_id
from tests.bench.phones import RemotePhone

HAZARD_EVERY = 10
#: What people are called and what is remarked, put together anew in every record, so that bodies compress as real ones.
SURNAMES, GIVEN = "云石江山谷林水田", "小满清远秋朝阳长河知雨帆禾"
REMARKS = (
    "楼道已清理过一次，",
    "住户表示会把车停到集中充电处，",
    "门口堆放纸箱若干，",
    "已张贴提示，",
    "物业今天不在，",
    "约定周末再看，",
    "老人独居，请多敲门，",
    "灭火器压力正常，",
)
CLEAR = {
    "place": "stair",
    "building_class": "high_res",
    "behaviours": ["none"],
    "ebike_count": 0,
    "battery": "unknown",
    "charger_match": "unknown",
    "blocks_escape": "no",
    "combustibles": "no",
    "facility": "enough",
    "owner_known": False,
    "onsite": ["none"],
}
PARKED = {**CLEAR, "behaviours": ["park"], "ebike_count": 2, "onsite": ["taught", "notice"]}


class Visits:
    """Makes visit records of one phone, one for each place, and the push bodies that bring them."""

    def __init__(self, phone: RemotePhone, hazard_every: int = HAZARD_EVERY) -> None:
        self.phone, self._every = phone, hazard_every
        self._seq, self._random = 0, random.Random(1)

    def record(self, place_id: UUID) -> dict[str, Any]:
        """The next record: every tenth (``hazard_every``) saw e-bikes parked in the stairwell."""
        self._seq += 1
        payload = {
            "author_id": str(self.phone.account_id),
            "seq": self._seq,
            "time": {
                "wall_ms": 1_790_000_000_000 + self._seq * 60_000,
                "elapsed_ms": 1_000_000 + self._seq * 60,
                "boot_id": self.phone.boot_id,
            },
            "attachments": [],
            "amends": None,
            "voids": None,
            "reason": None,
            "visit": self._visit(str(place_id)),
        }
        raw = orjson.dumps(payload)
        return {
            "id": str(new_id()),
            "type": "visit",
            "schema_version": 1,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "payload": raw.decode(),
            "anchor": self.phone.anchor,
        }

    def _visit(self, place_id: str) -> dict[str, Any]:
        found = PARKED if self._seq % self._every == 0 else CLEAR
        any_of = self._random
        block = {
            "form": "ebike_charging",
            "version": 1,
            "place_id": place_id,
            "answers": {**found, "floor_label": f"{any_of.randint(1, 18)}F"},
            "fixed": [],
        }
        return {
            "header": {
                "place_id": place_id,
                "visited_at": f"2026-11-{any_of.randint(10, 20)}T{any_of.randint(9, 17):02}:30:00+08:00",
                "visitors": ["石小满", "林知秋"],
                "outcome": "done",
                "respondent_relation": any_of.choice(["owner", "tenant", "family"]),
                "respondent_name": any_of.choice(SURNAMES) + "".join(any_of.sample(GIVEN, 2)),
                "respondent_phone": f"138{any_of.randint(0, 99_999_999):08}",
                "location": {
                    "lat": round(30.5 + any_of.random() / 100, 6),
                    "lon": round(114.3 + any_of.random() / 100, 6),
                    "accuracy_m": round(any_of.uniform(3, 40), 1),
                    "datum": "gcj02",
                },
                "informed": True,
                "remark": "".join(any_of.sample(REMARKS, 3)),
            },
            "blocks": [block],
        }

    def body(self, places: Sequence[UUID]) -> bytes:
        """A push of one visit to each of ``places``, compressed as phones send it."""
        envelope = {
            "push_id": str(new_id()),
            "install_id": str(self.phone.install_id),
            "community_id": None,
            "app_version": "1.0.0",
            "server_epoch": None,
            "clock": self.phone.clock(),
            "records": [self.record(place) for place in places],
        }
        return gzip.compress(orjson.dumps(envelope), 6, mtime=0)

    def bodies(self, places: Sequence[UUID], batch: int) -> Iterator[bytes]:
        """Pushes of ``batch`` visits each."""
        for start in range(0, len(places), batch):
            yield self.body(places[start : start + batch])
