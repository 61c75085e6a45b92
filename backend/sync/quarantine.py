"""The quarantine: bytes that are not in force, kept sealed and byte for byte until lawful erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.inspections.archive import KeyRow, store_keys
from backend.sync.feed import Change, append_changes, device_scope
from backend.sync.judging import digest
from backend.sync.models import Quarantine
from backend.sync.taking import Taking
from mobile_contract.sync.envelope import BadRecord, GoodRecord
from mobile_contract.sync.fields import is_sha256
from mobile_contract.sync.messages import RECORD_TYPES
from mobile_contract.sync.outcomes import Problem

HELD: Final = "held"
ACCEPTED: Final = "accepted"
DISMISSED: Final = "dismissed"
ERASED: Final = "erased"
#: Not in force and not erased.
KEPT: Final = (HELD, DISMISSED)
REVOKED: Final = "device_is_revoked"
#: What a revoked installation may leave behind in one community.
REVOKED_RECORDS: Final = 2_000
REVOKED_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes to hold. ``sha256`` is that of the payload where one can be told, so that a resend with another anchor
    is the same record; else that of ``raw``."""

    position: int
    record_id: UUID | None
    type: str | None
    schema_version: int | None
    raw: bytes
    sha256: bytes
    anchor: dict[str, Any] | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class HeldRow:
    """Where refused bytes are kept, and whether they were accepted meanwhile."""

    id: UUID
    state: str


def refused_good(record: GoodRecord, problems: Sequence[Problem]) -> Refused:
    """A readable record, written anew as the record it came as (the payload's text is exact)."""
    anchor = None if record.anchor is None else record.anchor.wire()
    raw = orjson.dumps(
        {
            "id": record.id,
            "type": record.type,
            "schema_version": record.schema_version,
            "sha256": record.sha256,
            "payload": record.body.decode(),
            "anchor": anchor,
        }
    )
    return Refused(
        record.position,
        UUID(record.id),
        record.type,
        record.schema_version,
        raw,
        bytes.fromhex(record.sha256),
        anchor,
        tuple(problems),
    )


def refused_bad(record: BadRecord, problems: Sequence[Problem] = ()) -> Refused:
    """A record whose envelope, payload or bytes are damaged. ``problems`` replace its own."""
    body = _as_record(record.raw)
    version, anchor, payload = body.get("schema_version"), body.get("anchor"), body.get("payload")
    sha256 = bytes.fromhex(record.sha256)
    if isinstance(payload, str) and is_sha256(body.get("sha256")):
        told = digest(payload.encode("utf-8", "surrogatepass"))
        sha256 = told if told.hex() == body["sha256"] else sha256
    return Refused(
        record.position,
        None if record.id is None else UUID(record.id),
        record.type if record.type in RECORD_TYPES else None,
        version if isinstance(version, int) and 0 <= version < 2**31 else None,
        record.raw,
        sha256,
        anchor if isinstance(anchor, dict) and _is_keepable(anchor) else None,
        tuple(problems or record.errors),
    )


def _as_record(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_keepable(value: Any) -> bool:
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return len(written) < 1000 and b"\\u0000" not in written


def hold(taking: Taking, refused: Sequence[Refused]) -> list[HeldRow]:
    """Keep refused bytes; the same record and bytes again give the same row. In the order given."""
    if not refused:
        return []
    made: dict[UUID, Refused] = {}
    rows, keys = [], dict[UUID, KeyRow]()
    for item in sorted(refused, key=lambda item: (str(item.record_id), item.sha256)):
        row_id = new_id()
        sealed = taking.sealer.seal(row_id, item.raw)
        made[row_id] = item
        keys[row_id] = KeyRow(row_id, sealed.key_version, sealed.wrapped)
        rows.append(_row(taking, row_id, item, sealed.body))
    session = taking.session
    session.connection().execute(upsert(Quarantine).on_conflict_do_nothing(), rows)
    kept = _kept(session, taking.community_id, refused)
    store_keys(session, taking.community_id, [keys[row.id] for row in kept.values() if row.id in made])
    return [kept[item.record_id, item.sha256] for item in refused]


def _row(taking: Taking, row_id: UUID, item: Refused, sealed: bytes) -> dict[str, Any]:
    return {
        "community_id": taking.community_id,
        "id": row_id,
        "record_id": item.record_id,
        "record_type": item.type,
        "schema_version": item.schema_version,
        "install_id": taking.install_id,
        "account_id": taking.account_id,
        "push_id": taking.push_id,
        "sha256": item.sha256,
        "sealed": sealed,
        "bytes": len(item.raw),
        "anchor": item.anchor,
        "code": item.problems[0].code,
        "errors": errors_json(item.problems),
        "state": HELD,
    }


def errors_json(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as they are kept: pointer and code; sentences are made when they are shown. Pointers may hold what
    the phone wrote, so what a JSON column cannot hold is replaced."""
    return [{"path": p.path.encode("utf-8", "replace").decode().replace("\x00", "�"), "code": p.code} for p in problems]


def _kept(session: Session, community_id: UUID, refused: Sequence[Refused]) -> dict[tuple[UUID | None, bytes], HeldRow]:
    rows = session.execute(
        select(Quarantine.record_id, Quarantine.sha256, Quarantine.id, Quarantine.state).where(
            Quarantine.community_id == community_id,
            Quarantine.sha256 == func.any([item.sha256 for item in refused]),
        )
    )
    return {(row[0], row[1]): HeldRow(row[2], row[3]) for row in rows}


def anything_held(session: Session, community_id: UUID) -> bool:
    """True when the community's quarantine holds something that was neither accepted nor erased."""
    found = select(Quarantine.id).where(Quarantine.community_id == community_id, Quarantine.state.in_(KEPT))
    return session.scalar(found.limit(1)) is not None


def accept_held(
    session: Session,
    community_id: UUID,
    stored: Sequence[tuple[UUID, bytes]],
    resolved_by: UUID | None = None,
) -> None:
    """Bytes that were held are in the archive now, by whatever way: say so, to the phone as well."""
    if not stored or not anything_held(session, community_id):
        return
    held = session.execute(
        select(Quarantine.id, Quarantine.record_id, Quarantine.sha256).where(
            Quarantine.community_id == community_id,
            Quarantine.record_id == func.any([record_id for record_id, _ in stored]),
            Quarantine.state.in_(KEPT),
        )
    )
    hashes = dict(stored)
    resolve(session, community_id, [row[0] for row in held if row[1] and hashes[row[1]] == row[2]], resolved_by)


def resolve(session: Session, community_id: UUID, ids: Sequence[UUID], resolved_by: UUID | None = None) -> None:
    """Mark held rows as accepted and tell the installations that sent them."""
    if not ids:
        return
    rows = session.execute(
        update(Quarantine)
        .where(Quarantine.community_id == community_id, Quarantine.id == func.any(list(ids)))
        .where(Quarantine.state.in_(KEPT))
        .values(state=ACCEPTED, resolved_at=func.now(), resolved_by=resolved_by)
        .returning(Quarantine.install_id, Quarantine.record_id)
    ).all()
    tell_accepted(session, community_id, rows)


def tell_accepted(session: Session, community_id: UUID, rows: Sequence[Any]) -> None:
    """Feed rows for the installations that sent what is accepted now; rows are ``(install_id, record_id)``."""
    append_changes(
        session,
        community_id,
        [
            Change(device_scope(install_id), "record_status", str(record_id), "put", 1)
            for install_id, record_id in rows
            if install_id is not None and record_id is not None
        ],
    )


def room_left(session: Session, community_id: UUID, install_id: UUID) -> tuple[int, int]:
    """How many records and bytes a revoked installation may still leave in quarantine."""
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(Quarantine.bytes), 0)).where(
            Quarantine.community_id == community_id,
            Quarantine.install_id == install_id,
            Quarantine.code == REVOKED,
        )
    ).one()
    return REVOKED_RECORDS - int(count), REVOKED_BYTES - int(size)
