"""What the server really holds, opened: the checks of the promise that nothing a phone created is lost."""

import json
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.db import Database
from backend.identity.keys import Keyring, Sealed
from backend.inspections.models import Record, RecordKey
from backend.sync.models import Quarantine
from tests.factories.identity import SECRET_KEY

FINAL = {"stored", "duplicate", "quarantined"}


def archived(db: Database, community_id: UUID) -> dict[str, bytes]:
    """Record id → payload bytes of the archive."""
    with db.transaction([community_id]) as session:
        sealer = Keyring(SECRET_KEY).sealer(session, community_id)
        rows = session.execute(select(Record, RecordKey).join(RecordKey, RecordKey.record_id == Record.id))
        return {
            str(row.id): sealer.open(row.id, Sealed(row.sealed or b"", key.key_version, key.wrapped))
            for row, key in rows
        }


def quarantined(db: Database, community_id: UUID) -> list[tuple[str | None, bytes]]:
    """``(record id, bytes as they came)`` of the quarantine."""
    with db.transaction([community_id]) as session:
        sealer = Keyring(SECRET_KEY).sealer(session, community_id)
        rows = session.execute(select(Quarantine, RecordKey).join(RecordKey, RecordKey.record_id == Quarantine.id))
        return [
            (
                None if row.record_id is None else str(row.record_id),
                sealer.open(row.id, Sealed(row.sealed or b"", key.key_version, key.wrapped)),
            )
            for row, key in rows
        ]


def held_payloads(db: Database, community_id: UUID) -> set[tuple[str, bytes]]:
    """``(record id, payload)`` of everything held, in the archive or in quarantine."""
    found = set(archived(db, community_id).items())
    for record_id, raw in quarantined(db, community_id):
        payload = payload_in(raw)
        if record_id is not None and payload is not None:
            found.add((record_id, payload.encode("utf-8", "surrogatepass")))
    return found


def payload_in(raw: bytes) -> str | None:
    """The payload of a record's bytes, however damaged the rest of them is."""
    key = re.search(rb'"payload"\s*:\s*(?=")', raw)
    if key is None:
        return None
    text = raw[key.end() :].decode("utf-8", "surrogateescape")
    return str(json.JSONDecoder().raw_decode(text)[0])


def check_kept(
    db: Database,
    community_id: UUID,
    created: Iterable[dict[str, Any]],
    results: Iterable[dict[str, Any]],
) -> None:
    """What was acknowledged is held byte for byte, and nothing is held that was not created."""
    created = list(created)
    held = held_payloads(db, community_id)
    made = {(record["id"], record["payload"].encode("utf-8", "surrogatepass")) for record in created}
    acknowledged = {result["id"] for result in results if result["status"] in FINAL}
    lost = {key for key in made if key[0] in acknowledged} - held
    assert not lost, f"acknowledged and not held: {sorted(key[0] for key in lost)}"
    assert held <= made, "held and never created"
