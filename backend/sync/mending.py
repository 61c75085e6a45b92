"""What the office may do about the quarantine: take the same bytes in again, or store repaired ones in their stead."""

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update

from backend.db import new_id
from backend.errors import Conflict, FieldError, InvalidInput, NotFound
from backend.http.context import RequestContext
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.keys import Keyring, Sealed
from backend.inspections.models import Record, RecordKey
from backend.inspections.waiting import COMPILE
from backend.sync.intake import Results, take_in
from backend.sync.judging import judge
from backend.sync.models import Quarantine
from backend.sync.quarantine import DISMISSED, HELD, errors_json, resolve
from backend.sync.taking import Taking
from mobile_contract.sync.envelope import BadRecord, GoodRecord, check_record
from mobile_contract.sync.outcomes import Problem, PushResult, RecordOutcome
from mobile_contract.version import CURRENT_SCHEMA


class QuarantineNotFound(NotFound):
    pass


class QuarantineResolved(Conflict):
    """The bytes were accepted or lawfully erased before."""


class RepairRefused(InvalidInput):
    """The repaired payload is not right either; ``errors`` say why."""


class RepairUnnamed(InvalidInput):
    """The damaged bytes do not say which record they are; name ``record_id`` and ``type``."""


class RecordIdTaken(Conflict):
    """Other bytes are stored under this record id."""


REPAIR_ERRORS = (QuarantineNotFound, QuarantineResolved, RepairRefused, RepairUnnamed, RecordIdTaken)

add_messages(
    {
        "quarantine_not_found": ("隔离区没有这一条。", "The quarantine holds nothing under this id."),
        "quarantine_resolved": ("这一条已处理。", "This has been dealt with already."),
        "repair_refused": ("修复后的内容仍有错误。", "The repaired payload is not right either."),
        "repair_unnamed": (
            "原始内容看不出记录编号和类型，请填写。",
            "The damaged bytes do not name their record; give record_id and type.",
        ),
        "record_id_taken": ("该编号下已有另一条记录。", "Other bytes are stored under this record id."),
    }
)


def find_held(ctx: RequestContext, quarantine_id: UUID) -> tuple[Quarantine, bytes | None]:
    """A row of the quarantine and the bytes it keeps (None once erased). QuarantineNotFound."""
    found = ctx.session.execute(
        select(Quarantine, RecordKey)
        .outerjoin(
            RecordKey,
            (RecordKey.community_id == Quarantine.community_id) & (RecordKey.record_id == Quarantine.id),
        )
        .where(Quarantine.community_id == ctx.community_id, Quarantine.id == quarantine_id)
    ).one_or_none()
    if found is None:
        raise QuarantineNotFound
    row, key = found
    if row.sealed is None or key is None:
        return row, None
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    return row, sealer.open(row.id, Sealed(row.sealed, key.key_version, key.wrapped))


def requeue(ctx: RequestContext, quarantine_id: UUID) -> PushResult:
    """Take the same bytes in again, as a push would now. What is still wrong stays, with its present reasons."""
    row, raw = _open_held(ctx, quarantine_id)
    taking = _taking(ctx, row)
    record = read_one(raw, str(taking.install_id))
    _note(ctx, "quarantine_requeued", row)
    if isinstance(record, BadRecord):
        return _still_wrong(ctx, row, record.errors)
    result = _take_one(ctx, taking, record)
    if result.status in (RecordOutcome.STORED, RecordOutcome.DUPLICATE):
        resolve(ctx.session, ctx.community_id, [row.id], ctx.actor.account_id)
        return replace(result, quarantine_id=str(row.id))
    return _still_wrong(ctx, row, result.errors)


def repair(ctx: RequestContext, quarantine_id: UUID, body: dict[str, Any]) -> PushResult:
    """Store ``body["payload"]`` instead of the held bytes, which are kept as well: under the record's own id, or under
    ``body["record_id"]`` when the bytes name none or other bytes are stored under it.

    Raises RepairRefused, RepairUnnamed, RecordIdTaken, QuarantineResolved.
    """
    row, _ = _open_held(ctx, quarantine_id)
    record_id, record_type = _name_of(ctx, row, body["record_id"]), row.record_type or body["type"]
    if record_id is None or record_type is None:
        raise RepairUnnamed
    taking = replace(_taking(ctx, row), repaired_from=row.id)
    payload = body["payload"]
    record = check_record(
        0,
        {
            "id": str(record_id),
            "type": record_type,
            "schema_version": CURRENT_SCHEMA,
            "sha256": hashlib.sha256(payload.encode("utf-8", "surrogatepass")).hexdigest(),
            "payload": payload,
            "anchor": row.anchor,
        },
        str(taking.install_id),
    )
    if isinstance(record, BadRecord):
        raise RepairRefused(errors=_fields(record.errors))
    unfit = judge(taking, [record])[1]
    if unfit:
        raise RepairRefused(errors=_fields(unfit[0].problems))
    result = _take_one(ctx, taking, record)
    if result.status is RecordOutcome.QUARANTINED:
        raise RecordIdTaken
    _note(ctx, "quarantine_repaired", row, record_id=str(record_id), reason=body["reason"])
    resolve(ctx.session, ctx.community_id, [row.id], ctx.actor.account_id)
    return replace(result, quarantine_id=str(row.id))


def dismiss(ctx: RequestContext, quarantine_id: UUID, reason: str) -> Quarantine:
    """Nothing more will be done about it: it leaves the tray, the bytes stay. QuarantineResolved."""
    row, _ = _open_held(ctx, quarantine_id)
    row.state, row.resolved_at, row.resolved_by = DISMISSED, func.now(), ctx.actor.account_id
    ctx.session.flush()
    ctx.session.refresh(row)
    _note(ctx, "quarantine_dismissed", row, reason=reason)
    return row


def _name_of(ctx: RequestContext, row: Quarantine, named: UUID | None) -> UUID | None:
    """The id to store a repaired record under."""
    if row.record_id is None or named is None:
        return row.record_id or named
    taken = ctx.session.get(Record, (ctx.community_id, row.record_id)) is not None
    return named if taken else row.record_id


def _open_held(ctx: RequestContext, quarantine_id: UUID) -> tuple[Quarantine, bytes]:
    # Two at once would both find it held; the second waits here and then finds it resolved.
    ctx.session.execute(
        select(Quarantine.id)
        .where(Quarantine.community_id == ctx.community_id, Quarantine.id == quarantine_id)
        .with_for_update()
    )
    row, raw = find_held(ctx, quarantine_id)
    if row.state != HELD or raw is None:
        raise QuarantineResolved
    return row, raw


def _taking(ctx: RequestContext, row: Quarantine) -> Taking:
    return Taking.open(
        ctx.session,
        ctx.runtime,
        ctx.community_id,
        push_id=new_id(),
        install_id=row.install_id or UUID(int=0),
        account_id=row.account_id,
        now_ms=ctx.now_ms,
    )


def read_one(raw: bytes, install_id: str) -> GoodRecord | BadRecord:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        problem = Problem("", "record_unreadable")
        return BadRecord(0, None, raw, hashlib.sha256(raw).hexdigest(), (problem,))
    return check_record(0, body, install_id, raw)


def _take_one(ctx: RequestContext, taking: Taking, record: GoodRecord) -> PushResult:
    results = Results()
    take_in(taking, [record], [], results)
    ctx.ring(COMPILE)
    return results.by_position[0]


def _still_wrong(ctx: RequestContext, row: Quarantine, problems: tuple[Problem, ...]) -> PushResult:
    ctx.session.execute(
        update(Quarantine)
        .where(Quarantine.community_id == ctx.community_id, Quarantine.id == row.id)
        .values(code=problems[0].code, errors=errors_json(problems))
    )
    record_id = None if row.record_id is None else str(row.record_id)
    return PushResult(record_id, RecordOutcome.QUARANTINED, quarantine_id=str(row.id), errors=problems)


def _fields(problems: tuple[Problem, ...]) -> list[FieldError]:
    return [FieldError(problem.path, problem.code) for problem in problems]


def _note(ctx: RequestContext, action: str, row: Quarantine, **details: Any) -> None:
    audit(
        ctx.session,
        ctx.community_id,
        action,
        f"quarantine:{row.id}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )
