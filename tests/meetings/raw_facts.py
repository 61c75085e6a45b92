"""Everything a community ever recorded, opened, as plain values: what an independent recount starts from.

Facts only, read by plain SQL; no projection, and nothing of the figures' own code.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.identity.keys import Keyring, Sealed


@dataclass(frozen=True)
class Filled:
    """A block of a visit in force. ``nth``: its ordinal in the visit; ``since``: when it or its correction was made."""

    visit: UUID
    nth: int
    at_ms: int
    order: tuple[int, str, int, str]
    form: str
    place: UUID
    answers: Mapping[str, Any]
    since: int


@dataclass
class Raw:
    """``steps``: (time, hazard, kind); ``moves``: (time, order, house, fact kind, household, body); ``served``:
    (notice, time); ``replaced``: notices that a later one replaces, with its time; ``doors``: by campaign."""

    kinds: dict[UUID, str] = field(default_factory=dict)
    buildings: dict[UUID, UUID | None] = field(default_factory=dict)
    blocks: list[Filled] = field(default_factory=list)
    steps: list[tuple[int, UUID, str]] = field(default_factory=list)
    moves: list[tuple[int, str, UUID, str, UUID | None, Mapping[str, Any]]] = field(default_factory=list)
    notices: dict[UUID, str] = field(default_factory=dict)
    served: list[tuple[UUID, int]] = field(default_factory=list)
    replaced: dict[UUID, int] = field(default_factory=dict)
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    doors: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))


def read_raw(session: Session, keyring: Keyring, community_id: UUID) -> Raw:
    """All facts of one community."""
    raw = Raw()
    for row in _rows(session, community_id, "SELECT id, kind, building_id FROM place"):
        raw.kinds[row.id], raw.buildings[row.id] = row.kind, row.building_id
    _read_records(session, keyring, community_id, raw)
    _read_office(session, keyring, community_id, raw)
    return raw


def _rows(session: Session, community_id: UUID, statement: str) -> list[Any]:
    found = (
        f"SELECT * FROM ({statement.replace('SELECT', 'SELECT community_id,', 1)}) s WHERE community_id = :community"
    )
    return list(session.execute(text(found), {"community": community_id}))


def _open(session: Session, keyring: Keyring, community_id: UUID, rows: list[Any]) -> dict[UUID, Any]:
    sealer = keyring.sealer(session, community_id)
    keys = {
        r.record_id: r for r in _rows(session, community_id, "SELECT record_id, key_version, wrapped FROM record_key")
    }
    return {
        row.id: orjson.loads(sealer.open(row.id, Sealed(row.sealed, keys[row.id].key_version, keys[row.id].wrapped)))
        for row in rows
    }


def _read_records(session: Session, keyring: Keyring, community_id: UUID, raw: Raw) -> None:
    columns = "id, type, sealed, effective_ms, install_id, seq, root_id, root_op"
    rows = _rows(session, community_id, f"SELECT {columns} FROM record")
    payloads = _open(session, keyring, community_id, rows)
    order = {row.id: (row.effective_ms, str(row.install_id), row.seq, str(row.id)) for row in rows}
    last: dict[UUID, Any] = {}
    for row in sorted(rows, key=lambda row: order[row.id]):
        if row.root_id is not None:
            last[row.root_id] = row
    for row in rows:
        if row.root_id is not None:
            continue
        said = last.get(row.id, row)
        if said.root_op == "voids":
            continue
        payload = payloads[said.id]
        if row.type == "task_step":
            step = payload["step"]
            raw.steps.append((row.effective_ms, UUID(step["hazard_id"]), step["kind"]))
        elif row.type == "visit" and payload["visit"]["header"]["outcome"] == "done":
            raw.blocks += [
                Filled(
                    *(row.id, nth, row.effective_ms, order[row.id], block["form"], UUID(block["place_id"])),
                    *(block["answers"], max(row.effective_ms, said.effective_ms)),
                )
                for nth, block in enumerate(payload["visit"]["blocks"])
            ]
    raw.blocks.sort(key=lambda block: (block.order, block.nth))


def _read_office(session: Session, keyring: Keyring, community_id: UUID, raw: Raw) -> None:
    facts = _rows(
        session, community_id, "SELECT id, house_id, household_id, kind, effective_ms, sealed FROM evacuation_fact"
    )
    bodies = _open(session, keyring, community_id, facts)
    raw.moves = sorted(
        (row.effective_ms, str(row.id), row.house_id, row.kind, row.household_id, bodies[row.id]) for row in facts
    )
    for row in _rows(session, community_id, "SELECT id, kind, replaces, issued_ms FROM notice"):
        raw.notices[row.id] = row.kind
        if row.replaces is not None:
            raw.replaced[row.replaces] = row.issued_ms
    raw.served = [
        (row.notice_id, row.served_ms)
        for row in _rows(session, community_id, "SELECT notice_id, served_ms FROM notice_service")
    ]
    columns = "id, forms, starts_ms, ends_ms, started_ms, ended_ms"
    raw.campaigns = [dict(row._mapping) for row in _rows(session, community_id, f"SELECT {columns} FROM campaign")]
    for row in _rows(session, community_id, "SELECT campaign_id, place_id FROM campaign_base"):
        raw.doors[row.campaign_id].add(row.place_id)
