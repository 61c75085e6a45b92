"""Reading a push body: from bytes to records that can be stored and records that cannot.

`read_push` never fails for one record: what cannot be read becomes a `BadRecord` with its bytes.
Only a body whose own fields are unreadable is refused as a whole (`PushRefused`).
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
from marshmallow import ValidationError

from mobile_contract.sync.clock import MAX_INTEGER, Anchor
from mobile_contract.sync.fields import is_sha256, is_uuid
from mobile_contract.sync.messages import MAX_RECORDS, RECORD_TYPES, PushHeadSchema
from mobile_contract.sync.outcomes import Problem
from mobile_contract.sync.payload import diagnose, parse_payload
from mobile_contract.sync.split import Span, open_damaged_push, split_records
from mobile_contract.version import CURRENT_SCHEMA, OLDEST_SCHEMA

_HEAD: Final = PushHeadSchema()
_LEGIBLE_ID: Final = re.compile(rb'"id"\s*+:\s*+"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"')


class PushRefused(Exception):
    """The body as a whole is refused; `code` and `status` as in the protocol's HTTP table."""

    def __init__(self, code: str, status: int, errors: list[Problem] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.errors = errors or []


@dataclass(frozen=True, slots=True)
class GoodRecord:
    """A record whose envelope, hash, payload frame and common part are right. `body` is the exact
    payload; `data` the parsed one. Answers are still to be checked against their form."""

    position: int
    id: str
    type: str
    schema_version: int
    sha256: str
    body: bytes
    data: dict[str, Any]
    anchor: Anchor | None


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record for quarantine. `raw` is byte for byte what came: the record's span of the body when
    the body was damaged, else the record as JSON; `sha256` is that of `raw`."""

    position: int
    id: str | None
    raw: bytes
    sha256: str
    errors: tuple[Problem, ...]
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """A push body. `head` has the fields of `PushHeadSchema`; positions count from 0 over all lists.

    `cut` is the last record of a body that ended early: the phone holds it whole, so it must not be
    told that it is kept. It gets `retry`, or no result at all.
    """

    head: dict[str, Any]
    good: list[GoodRecord] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    cut: list[BadRecord] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.good) + len(self.bad) + len(self.cut)


def read_push(raw: bytes) -> Push:
    """Read a decompressed push body.

    Raises `PushRefused`: `body_unreadable` 400 (no JSON object and no `records` to be found),
    `envelope_invalid` 422 (fields of the envelope), `body_too_large` 413 (more than 500 records).
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_damaged(raw)
    if not isinstance(body, dict):
        raise PushRefused("body_unreadable", 400)
    records = body.get("records")
    if not isinstance(records, list):
        raise PushRefused("envelope_invalid", 422, [Problem("/records", "required")])
    _check_size(len(records))
    push = Push(_read_head(body))
    for position, record in enumerate(records):
        _sort_in(push, position, record, None)
    return _with_exact_bytes(push, raw) if push.bad else push


def _with_exact_bytes(push: Push, raw: bytes) -> Push:
    """Give bad records their own bytes of the body instead of a copy that was written anew."""
    spans: list[Span] = split_records(raw)
    if len(spans) != push.size:
        return push
    exact = [replace(bad, raw=(piece := spans[bad.position].of(raw)), sha256=_sha256(piece)) for bad in push.bad]
    return Push(push.head, push.good, exact)


def _read_damaged(raw: bytes) -> Push:
    fields, spans, is_cut = open_damaged_push(raw)
    if fields is None:
        raise PushRefused("body_unreadable", 400)
    _check_size(len(spans))
    push = Push(_read_head(fields))
    for position, span in enumerate(spans):
        piece = span.of(raw)
        try:
            record = orjson.loads(piece)
        except orjson.JSONDecodeError:
            last = is_cut and position == len(spans) - 1
            (push.cut if last else push.bad).append(_unreadable(position, piece))
        else:
            _sort_in(push, position, record, piece)
    return push


def _check_size(records: int) -> None:
    if records > MAX_RECORDS:
        raise PushRefused("body_too_large", 413)


def _read_head(body: dict[str, Any]) -> dict[str, Any]:
    head = {key: value for key, value in body.items() if key != "records"}
    try:
        loaded: dict[str, Any] = _HEAD.load(head)
    except ValidationError as error:
        messages = error.messages_dict
        problems = [Problem(f"/{key}", "invalid") for key in sorted(map(str, messages))]
        raise PushRefused("envelope_invalid", 422, problems) from None
    return loaded


def _sort_in(push: Push, position: int, record: Any, piece: bytes | None) -> None:
    result = check_record(position, record, push.head["install_id"], piece)
    if isinstance(result, GoodRecord):
        push.good.append(result)
    else:
        push.bad.append(result)


def check_record(position: int, record: Any, install_id: str, piece: bytes | None = None) -> GoodRecord | BadRecord:
    """Check one parsed record of an envelope. `piece` is its exact bytes if they are known."""
    if type(record) is not dict:
        raw = _dump(record) if piece is None else piece
        return BadRecord(position, None, raw, _sha256(raw), (Problem("", "record_invalid"),))
    problems = _envelope_problems(record)
    body = b""
    data: dict[str, Any] | None = None
    payload = record.get("payload")
    if type(payload) is str:
        body = payload.encode("utf-8", "surrogatepass")
        if not problems and _sha256(body) != record["sha256"]:
            problems.append(Problem("/sha256", "hash_mismatch"))
        if not problems or problems[0].code == "hash_mismatch":
            data, found = parse_payload(body, record["type"])
            problems += found
    if problems or data is None:
        return _bad(position, record, problems, piece)
    return GoodRecord(
        position, record["id"].lower(), record["type"], int(record["schema_version"]), record["sha256"],
        body, data, _anchor(record.get("anchor"), install_id),
    )  # fmt: skip


def _envelope_problems(record: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    if not is_uuid(record.get("id")):
        problems.append(Problem("/id", "id_invalid"))
    kind = record.get("type")
    if type(kind) is not str or kind not in RECORD_TYPES:
        problems.append(Problem("/type", "type_unknown" if type(kind) is str else "invalid"))
    version = record.get("schema_version")
    if type(version) is float and version.is_integer():
        version = int(version)
    if type(version) is not int:
        problems.append(Problem("/schema_version", "invalid"))
    elif not OLDEST_SCHEMA <= version <= CURRENT_SCHEMA:
        problems.append(Problem("/schema_version", "schema_version_unknown"))
    if not is_sha256(record.get("sha256")):
        problems.append(Problem("/sha256", "invalid"))
    if type(record.get("payload")) is not str:
        problems.append(Problem("/payload", "invalid"))
    return problems


def _anchor(data: Any, install_id: str) -> Anchor | None:
    """An anchor of the wrong shape counts as none: the record must not suffer for it."""
    if type(data) is not dict:
        return None
    boot_id, mac = data.get("boot_id"), data.get("mac")
    if type(boot_id) is not str or type(mac) is not str or len(boot_id) > 64 or len(mac) > 128:
        return None
    for value in (data.get("server_ms"), data.get("elapsed_ms")):
        if value is None or type(value) not in (int, float) or abs(value) > MAX_INTEGER or value != int(value):
            return None
    if "\x00" in boot_id or "\x00" in mac:
        return None
    return Anchor(install_id, boot_id, int(data["server_ms"]), int(data["elapsed_ms"]), mac)


def _bad(position: int, record: dict[str, Any], problems: list[Problem], piece: bytes | None) -> BadRecord:
    raw = _dump(record) if piece is None else piece
    found = record.get("id")
    known = record.get("type")
    return BadRecord(
        position,
        found.lower() if isinstance(found, str) and is_uuid(found) else None,
        raw,
        _sha256(raw),
        tuple(problems),
        known if isinstance(known, str) and known in RECORD_TYPES else None,
    )


def _unreadable(position: int, piece: bytes) -> BadRecord:
    """A span that is no JSON: the id may still be legible, so that the phone learns its fate."""
    found = _LEGIBLE_ID.search(piece)
    return BadRecord(
        position,
        found.group(1).decode().lower() if found is not None else None,
        piece,
        _sha256(piece),
        (Problem("", _span_code(piece)),),
    )


def _span_code(piece: bytes) -> str:
    try:
        code = diagnose(piece.decode())
    except UnicodeDecodeError:
        return "record_unreadable"
    return "record_unreadable" if code == "payload_not_json" else code


def _dump(value: Any) -> bytes:
    return orjson.dumps(value)


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
