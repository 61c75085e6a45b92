"""What a phone does when it has a connection: anchor, push, reconcile, pull."""

import uuid
from typing import Any

import orjson

from mobile_contract.conformance.faults import Fault
from mobile_contract.conformance.notebook import MadeRecord
from mobile_contract.conformance.phone import PULL_LIMIT, Phone, Refused
from mobile_contract.sync.messages import MAX_RECONCILE_IDS, MAX_RECORDS
from mobile_contract.sync.outcomes import final_ids

MAX_BATCH_BYTES = 3_500_000


def take_anchor(phone: Phone) -> None:
    """Get the boot's anchor before its first push. Older boots keep none: they are past."""
    boot = phone.notebook.boot
    if boot.anchor is None:
        reply = phone.call("/sync/v1/clock", _head(phone))
        if reply.status != 200:
            raise Refused(f"{phone.name}: clock answered {reply.status} {reply.code}")
        boot.anchor = reply.body["anchor"]


def push_all(phone: Phone) -> None:
    """Push until the outbox is empty."""
    take_anchor(phone)
    rounds = 0
    while phone.outbox:
        waiting = list(phone.outbox.values())
        if phone.luck.strikes(Fault.SHUFFLED):
            phone.net.shuffle(waiting)
        size = MAX_RECORDS if not phone.luck.faults else phone.net.choice((20, 60, 150, MAX_RECORDS))
        batch = waiting[:size]
        if phone.luck.strikes(Fault.DUPLICATED):
            batch = _with_repeats(phone, batch)
        _push_batch(phone, batch)
        rounds += 1
        if rounds > 50 + 4 * len(waiting):
            raise Refused(f"{phone.name}: the outbox does not empty; first is {next(iter(phone.outbox))}")


def reconcile(phone: Phone, records: list[MadeRecord]) -> dict[str, set[str]]:
    """Ask which of these records the server misses or has in quarantine; put missing ones back."""
    found: dict[str, set[str]] = {"missing": set(), "quarantined": set()}
    by_id = {record.id: record for record in records}
    ids = sorted(by_id)
    for start in range(0, len(ids), MAX_RECONCILE_IDS):
        body = {**_head(phone), "ids": ids[start : start + MAX_RECONCILE_IDS], "attachment_ids": []}
        reply = phone.call("/sync/v1/reconcile", body)
        if reply.status != 200:
            raise Refused(f"{phone.name}: reconcile answered {reply.status} {reply.code}")
        for name, held in found.items():
            held.update(reply.body[name])
    for record_id in found["missing"]:
        phone.keep(by_id[record_id])
    return found


def pull_all(phone: Phone) -> None:
    """Pull every allowed scope to its end."""
    phone.view.allow(_pull(phone, [])["allowed_scopes"])
    open_scopes = sorted(phone.view.cursors)
    while open_scopes:
        answer = _pull(phone, [{"id": scope, "cursor": phone.view.cursors[scope]} for scope in open_scopes])
        more = [scope["id"] for scope in answer["scopes"] if phone.view.apply(scope)]
        phone.view.allow(answer["allowed_scopes"])
        answered = {scope["id"] for scope in answer["scopes"]}
        unasked = [scope for scope in open_scopes if scope not in answered and scope in phone.view.cursors]
        open_scopes = more + unasked
        if not answered:
            break


def sync(phone: Phone) -> None:
    """Push everything, then pull everything; reconcile when the server's epoch changed."""
    push_all(phone)
    before = phone.server_epoch
    pull_all(phone)
    if before is not None and phone.server_epoch != before:
        reconcile(phone, list(phone.notebook.records.values()))
        push_all(phone)


def _pull(phone: Phone, scopes: list[dict[str, Any]]) -> dict[str, Any]:
    body = {
        **_head(phone),
        "schema_version": 1,
        "server_epoch": phone.server_epoch,
        "limit": PULL_LIMIT,
        "scopes": scopes,
    }
    reply = phone.call("/sync/v1/pull", body)
    if reply.status != 200:
        raise Refused(f"{phone.name}: pull answered {reply.status} {reply.code}")
    phone.counts["pulls"] += 1
    phone.server_epoch = reply.body["server_epoch"]
    answer: dict[str, Any] = reply.body
    return answer


def _head(phone: Phone) -> dict[str, Any]:
    return {
        "install_id": phone.install_id,
        "community_id": phone.login.community_id,
        "clock": phone.notebook.clock(phone.now_ms()),
    }


def _with_repeats(phone: Phone, batch: list[MadeRecord]) -> list[MadeRecord]:
    """Records the server has already acknowledged, and one of this batch twice."""
    known = [record for record in phone.notebook.records.values() if record.status is not None]
    again = phone.net.sample(known, min(len(known), 20))
    return (batch + batch[:1] + again)[:MAX_RECORDS]


def _push_batch(phone: Phone, batch: list[MadeRecord]) -> None:
    for record in batch:
        _attach_anchor(phone, record)
    pieces: list[bytes] = []
    for record in batch:
        pieces.append(record.wire())
        if sum(map(len, pieces)) > MAX_BATCH_BYTES:
            break
    raw = _envelope(phone, pieces)
    if phone.luck.strikes(Fault.CUT):
        raw = raw[: len(raw) // 2]
    if phone.luck.strikes(Fault.DUPLICATED):
        _accept(phone, phone.call("/sync/v1/push", raw).body, batch, final=False)
    reply = phone.call("/sync/v1/push", raw, before=lambda: _break_connection(phone, raw))
    phone.counts["pushes"] += 1
    if reply.status == 200:
        _accept(phone, reply.body, batch, final=True)
    elif reply.status not in (400, 413, 422):
        raise Refused(f"{phone.name}: push answered {reply.status} {reply.code}")
    elif len(batch) == 1 and reply.status != 400:
        raise Refused(f"{phone.name}: push of one record answered {reply.status} {reply.code}")


def _break_connection(phone: Phone, raw: bytes) -> None:
    encoding = phone.net.choice((None, "gzip"))
    token = str((phone.tokens or {})["access_token"])
    if phone.luck.strikes(Fault.DROPPED):
        phone.wire.post_partly("/sync/v1/push", raw, token, encoding, phone.net.random())
    if phone.luck.strikes(Fault.SWALLOWED):
        phone.wire.post_and_leave("/sync/v1/push", raw, token, encoding)


def _attach_anchor(phone: Phone, record: MadeRecord) -> None:
    """Of its own boot if there is one, else the last known: fixed when the record is first sent."""
    if record.anchored:
        return
    known = [boot.anchor for boot in phone.notebook.boots if boot.anchor is not None]
    record.anchor = record.boot.anchor or (known[-1] if known else None)
    record.anchored = True


def _envelope(phone: Phone, pieces: list[bytes]) -> bytes:
    head = {
        "push_id": str(uuid.UUID(int=phone.net.getrandbits(128), version=4)),
        "app_version": "fleet",
        "server_epoch": phone.server_epoch,
        **_head(phone),
    }
    return orjson.dumps(head)[:-1] + b',"records":[' + b",".join(pieces) + b"]}"


def _accept(phone: Phone, answer: Any, batch: list[MadeRecord], final: bool) -> None:
    """Only what is named with a final status leaves the outbox. A lost first answer teaches nothing."""
    if not final or not isinstance(answer, dict):
        return
    phone.server_epoch = answer["server_epoch"]
    sent = {record.id: record for record in batch}
    done = final_ids(answer["results"])
    for result in answer["results"]:
        record = sent.get(str(result["id"]))
        if record is None or record.id not in done:
            continue
        status = str(result["status"])
        phone.counts[status] += 1
        if record.status is None or status != "duplicate":
            record.status = status
        if result["effective_at_ms"] is not None:
            known = record.effective_ms
            found = int(result["effective_at_ms"])
            record.effective_ms = found if known is None else min(known, found)
        phone.outbox.pop(record.id, None)


__all__ = ["pull_all", "push_all", "reconcile", "sync", "take_anchor"]
