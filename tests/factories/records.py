"""Records for tests of what comes after a push: visits and steps put into the archive as a push would."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from backend.bulk import array_text
from backend.db import NIL_ID, new_id
from backend.identity.frozen_scopes import frozen
from backend.identity.keys import Sealer
from backend.inspections.archive import KeyRow, RecordRow, store_keys, store_places, store_records
from backend.inspections.record_kinds import AcceptedRecord, Intake
from backend.inspections.visits import places_of
from backend.rectification.step_records import keep_steps

AUTHOR = UUID("00000000-0000-7000-8000-00000000000a")

#: Answers that observe nothing wrong, and one that parks an e-bike in a high-rise stairwell.
CLEAR_EBIKE: Mapping[str, Any] = {
    "place": "stair",
    "floor_label": "3",
    "building_class": "high_res",
    "behaviours": ["none"],
    "ebike_count": 0,
    "blocks_escape": "no",
    "combustibles": "no",
    "facility": "enough",
    "owner_known": False,
    "onsite": ["none"],
}
PARKED_EBIKE: Mapping[str, Any] = {**CLEAR_EBIKE, "behaviours": ["park"], "ebike_count": 1}
CHARGING_EBIKE: Mapping[str, Any] = {**CLEAR_EBIKE, "behaviours": ["charge"], "ebike_count": 1, "power_from": "public"}


def block(form: str, place_id: UUID, answers: Mapping[str, Any], fixed: Sequence[str] = (), version: int = 1) -> Any:
    """One form of a visit."""
    photos = [{"rule": rule, "before": [str(new_id())], "after": [str(new_id())]} for rule in fixed]
    return {"form": form, "version": version, "place_id": str(place_id), "answers": dict(answers), "fixed": photos}


def visit_body(place_id: UUID, blocks: Sequence[Any] = (), outcome: str = "done") -> dict[str, Any]:
    """A visit's body."""
    header = {"place_id": str(place_id), "visited_at": "2026-11-20T09:30:00+08:00", "visitors": ["石小满"]}
    return {"visit": {"header": {**header, "outcome": outcome, "informed": True}, "blocks": list(blocks)}}


def put_record(
    session: Session,
    sealer: Sealer,
    community_id: UUID,
    body: Mapping[str, Any],
    at_ms: int,
    *,
    record_id: UUID | None = None,
    author_id: UUID = AUTHOR,
    role: str = "grid_worker",
    over: UUID | None = None,
    install_id: UUID = NIL_ID,
    seq: int = 1,
    amends: UUID | None = None,
    voids: UUID | None = None,
    reason: str | None = None,
    record_type: str | None = None,
    schema_version: int = 1,
) -> UUID:
    """Archive one record with the order key ``(at_ms, install_id, seq, id)``; a step gets its row as well.

    The author held ``role`` over ``over`` (None: the whole community).
    ``record_type`` is told from the body; a record that voids has none.
    """
    record_id = record_id or new_id()
    root = amends or voids
    scopes = frozen([(role, over)] if role else [])
    payload = {
        "author_id": str(author_id),
        "seq": seq,
        "time": {"wall_ms": at_ms, "elapsed_ms": 1, "boot_id": "b"},
        "attachments": [],
        "amends": amends and str(amends),
        "voids": voids and str(voids),
        "reason": reason,
        **body,
    }
    plain = orjson.dumps(payload)
    sealed = sealer.seal(record_id, plain)
    kind = record_type or ("task_step" if "step" in body else "visit")
    places = [payload["step"]["place_id"]] if "step" in body else places_of(payload)
    row = RecordRow(
        id=record_id,
        type=kind,
        schema_version=schema_version,
        sha256=sha256(plain).digest(),
        sealed=sealed.body,
        author_id=author_id,
        actor_role=role,
        actor_scopes=array_text(scopes) or "{}",
        seq=seq,
        boot_id="b",
        elapsed_ms=1,
        wall_ms=at_ms,
        anchors="[]",
        effective_ms=at_ms,
        time_quality="anchored",
        in_future=False,
        place_id=UUID(places[0]) if places else None,
        root_id=root,
        root_op=("amends" if amends else "voids") if root else None,
    )
    store_records(session, community_id, new_id(), install_id, [row])
    store_keys(session, community_id, [KeyRow(record_id, sealed.key_version, sealed.wrapped)])
    store_places(session, community_id, [(record_id, UUID(place)) for place in places[1:]])
    if kind == "task_step" and root is None:
        accepted = AcceptedRecord(
            record_id, payload, plain, author_id, role, scopes, install_id, seq, at_ms, at_ms, root, row.root_op
        )
        keep_steps(Intake(session, community_id, sealer, at_ms), [accepted])
    return record_id
