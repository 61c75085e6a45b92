"""``POST /sync/v1/push``: from the bytes of a body to an answer that names every record."""

from typing import Any
from uuid import UUID

from backend import clock
from backend.db import new_id
from backend.http.body import BodyTooLarge
from backend.http.context import Actor, RequestContext
from backend.identity.authentication import enter_community
from backend.inspections.waiting import COMPILE
from backend.sync.admission import admit_push
from backend.sync.epoch import server_facts
from backend.sync.intake import Results, hold_refused, take_in, without_stored
from backend.sync.judging import digest
from backend.sync.quarantine import (
    REVOKED,
    Refused,
    hold,
    refused_bad,
    refused_good,
    room_left,
)
from backend.sync.stamps import safety, stamp
from backend.sync.taking import Taking
from mobile_contract.error_codes import Language
from mobile_contract.sync.envelope import Push, PushRefused, read_push
from mobile_contract.sync.messages import MAX_BYTES, MAX_RECORDS
from mobile_contract.sync.outcomes import Problem, PushResult, RecordOutcome


def push(ctx: RequestContext, raw: bytes, language: Language) -> dict[str, Any]:
    """Take a decompressed body in and answer it.

    Raises PushRefused when the body as a whole cannot be read (the caller keeps it, :func:`keep_dead`), BodyTooLarge
    when it holds too many records.
    """
    read = _read(raw)
    admission = admit_push(ctx, read.head)
    now_ms = clock.now_ms(admission.actor.clock_offset_ms)
    results = Results()
    if admission.community_id is None:
        _keep_nothing(read, results)
    else:
        taking = _taking(ctx, admission.actor, admission.community_id, read.head, now_ms)
        if admission.refusal is None:
            take_in(taking, read.good, [refused_bad(bad) for bad in read.bad], results)
            _ring(ctx, admission.community_id)
        else:
            _refuse_all(taking, read, admission.refusal, results)
    facts = server_facts(ctx.session)
    return {
        **stamp(ctx, read.head, facts, now_ms),
        **safety(facts, admission.actor.clock_offset_ms),
        "results": [result.wire(language) for result in results.in_order()],
    }


def _read(raw: bytes) -> Push:
    try:
        return read_push(raw)
    except PushRefused as refused:
        if refused.status == 413:
            raise BodyTooLarge(max_bytes=MAX_BYTES, max_records=MAX_RECORDS) from refused
        raise


def _taking(ctx: RequestContext, actor: Actor, community_id: UUID, head: dict[str, Any], now_ms: int) -> Taking:
    return Taking.open(
        ctx.session,
        ctx.runtime,
        community_id,
        push_id=UUID(head["push_id"]),
        install_id=UUID(head["install_id"]),
        account_id=actor.account_id,
        now_ms=now_ms,
    )


def _ring(ctx: RequestContext, community_id: UUID) -> None:
    ctx.after_commit(lambda: ctx.runtime.doorbell.ring(COMPILE, community_id))


def _keep_nothing(read: Push, results: Results) -> None:
    """Without a community there is nowhere to keep a record: it stays on the phone."""
    why = (Problem("", "community_mismatch"),)
    positions = {**{r.position: r.id for r in read.good}, **{r.position: r.id for r in read.bad}}
    for position, record_id in positions.items():
        results.by_position[position] = PushResult(record_id, RecordOutcome.RETRY, errors=why)


def _refuse_all(taking: Taking, read: Push, code: str, results: Results) -> None:
    """Hold every record under one reason; those of a revoked installation only while there is room."""
    reason = (Problem("", code),)
    refused = [refused_good(record, reason) for record in read.good]
    refused += [refused_bad(record, [*reason, *record.errors]) for record in read.bad]
    refused.sort(key=lambda item: item.position)
    if code == REVOKED:
        refused = _within_room(taking, without_stored(taking, refused, results), results)
    hold_refused(taking, refused, results)


def _within_room(taking: Taking, refused: list[Refused], results: Results) -> list[Refused]:
    count, size = room_left(taking.session, taking.community_id, taking.install_id)
    kept: list[Refused] = []
    for item in refused:
        count, size = count - 1, size - len(item.raw)
        if count >= 0 and size >= 0:
            kept.append(item)
        else:
            record_id = None if item.record_id is None else str(item.record_id)
            results.by_position[item.position] = PushResult(
                record_id, RecordOutcome.RETRY, errors=(Problem("", "quarantine_full"),)
            )
    return kept


def keep_dead(ctx: RequestContext, raw: bytes, code: str, errors: list[Problem]) -> str | None:
    """Keep a body of which no record could be read; its ``dead_id``, or None when there is nowhere to keep it."""
    actor = ctx.actor
    served = sorted({membership.community_id for membership in actor.memberships})
    if not served or actor.install_id is None:
        return None
    community_id = actor.community_id or served[0]
    if actor.community_id is None:
        actor = enter_community(ctx.session, actor, community_id)
    taking = _taking(
        ctx,
        actor,
        community_id,
        {"push_id": str(new_id()), "install_id": str(ctx.actor.install_id)},
        clock.now_ms(actor.clock_offset_ms),
    )
    reason = REVOKED if actor.device_revoked else code
    dead = Refused(0, None, None, None, raw, digest(raw), None, (Problem("", reason), *errors))
    if actor.device_revoked and not _within_room(taking, [dead], Results()):
        return None
    return str(hold(taking, [dead])[0].id)
