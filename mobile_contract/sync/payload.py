"""Reading a record's frozen payload: poison first, then the common part, then the body's frame.

The answers of a visit's blocks are *not* looked at here: they are checked against their form's
JSON Schema by the forms package. Paths of problems start with `/payload`.
"""

import json
import re
from typing import Any, Final

import orjson

from mobile_contract.sync.bodies import BODY_CHECKS, BODY_NAMES, Checker
from mobile_contract.sync.clock import MAX_INTEGER, PhoneTime
from mobile_contract.sync.outcomes import Problem

MAX_NESTING: Final = 64
_DIGIT_RUNS: Final = bytes(48 if chr(byte).isdigit() and byte < 128 else 32 for byte in range(256))
_LONG_RUN: Final = b"0" * 16
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED_NUL: Final = b"\\u0000"
_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class _Poison(ValueError):
    """A number that must not be kept was met; the argument is its code."""


def parse_payload(payload: str | bytes, record_type: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Parse and check a payload of the given record type.

    Returns the parsed object and its problems; the object is None exactly when it cannot be used
    at all (poison, no JSON, no object). Any problem means quarantine. Never raises on bad input.
    """
    try:
        raw = payload.encode() if isinstance(payload, str) else payload
        data = orjson.loads(raw)
    except ValueError:
        return None, [Problem("/payload", _why_unreadable(payload))]
    if raw.count(b"{") + raw.count(b"[") > MAX_NESTING and nesting(raw.decode()) > MAX_NESTING:
        return None, [Problem("/payload", "nesting_too_deep")]
    if _ESCAPED_NUL in raw and (path := _find_nul(data, "/payload")) is not None:
        return None, [Problem(path, "nul_character")]
    # A run of 16 digits is cheap to find and nearly always a hash; only then look exactly.
    if _LONG_RUN in raw.translate(_DIGIT_RUNS) and _has_long_integer(raw):
        return None, [Problem("/payload", "integer_out_of_range")]
    if type(data) is not dict:
        return None, [Problem("/payload", "payload_not_json")]
    return data, _check(data, record_type)


def phone_time(payload: dict[str, Any]) -> PhoneTime:
    """`time` of a payload that parsed without problems."""
    time = payload["time"]
    return PhoneTime(int(time["wall_ms"]), int(time["elapsed_ms"]), time["boot_id"])


def _check(data: dict[str, Any], record_type: str) -> list[Problem]:
    check = Checker("/payload")
    check.uuid(data, "author_id")
    check.integer(data, "seq", least=0)
    time = check.mapping(data, "time")
    if time is not None:
        inner = check.at("/time")
        inner.integer(time, "wall_ms")
        inner.integer(time, "elapsed_ms")
        inner.text(time, "boot_id", longest=64)
    if data.get("attachments"):
        _check_attachments(check, data)
    check.optional_uuid(data, "amends")
    voids = check.optional_uuid(data, "voids")
    check.optional_text(data, "reason")
    if voids and data.get("amends"):
        check.report("/voids", "amends_and_voids")
    _check_body(check, data, record_type, has_body=not voids)
    return check.problems


def _check_attachments(check: Checker, data: dict[str, Any]) -> None:
    for inner, item in check.items(data, "attachments"):
        inner.uuid(item, "id")
        inner.sha256(item, "sha256")
        inner.integer(item, "bytes", least=0)
        inner.text(item, "mime", longest=100)


def _check_body(check: Checker, data: dict[str, Any], record_type: str, has_body: bool) -> None:
    wanted = BODY_NAMES.get(record_type)
    if wanted is None:
        check.problems.append(Problem("/type", "type_unknown"))
        return
    for name in BODY_NAMES.values():
        if data.get(name) is not None and (name != wanted or not has_body):
            check.report(f"/{name}", "body_unexpected")
    if not has_body:
        return
    if data.get(wanted) is None:
        check.report(f"/{wanted}", "body_missing")
        return
    body = check.mapping(data, wanted)
    if body is not None:
        BODY_CHECKS[record_type](check.at(f"/{wanted}"), body)


def _why_unreadable(payload: str | bytes) -> str:
    if isinstance(payload, str):
        return diagnose(payload)
    try:
        return diagnose(payload.decode())
    except UnicodeDecodeError:
        return "payload_not_json"


def diagnose(text: str) -> str:
    """Why orjson refused `text`: the code of the first reason that explains it."""
    if _SURROGATE.search(text) is not None:
        return "lone_surrogate"
    if nesting(text) > MAX_NESTING:
        return "nesting_too_deep"
    try:
        data = json.loads(text, parse_int=_exact_integer, parse_constant=_reject_constant)
    except _Poison as poison:
        return str(poison)
    except (ValueError, RecursionError):
        return "nul_character" if "\x00" in text else "payload_not_json"
    if _any_text(data, lambda value: _SURROGATE.search(value) is not None):
        return "lone_surrogate"
    return "number_not_finite"


def _reject_constant(name: str) -> float:
    raise _Poison("number_not_finite")


def _exact_integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise _Poison("integer_out_of_range")
    return 0


def nesting(text: str) -> int:
    """Deepest nesting of objects and arrays, reading strings as strings; any text, valid or not."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token in "]}":
            depth -= 1
    return deepest


def _has_long_integer(raw: bytes) -> bool:
    """True when a number written as an integer lies outside ±(2^53−1). `raw` is valid, not deep."""
    try:
        json.loads(raw, parse_int=_exact_integer)
    except _Poison:
        return True
    return False


def _any_text(value: Any, test: Any) -> bool:
    if isinstance(value, str):
        return bool(test(value))
    if isinstance(value, dict):
        return any(_any_text(key, test) or _any_text(item, test) for key, item in value.items())
    if isinstance(value, list):
        return any(_any_text(item, test) for item in value)
    return False


def _find_nul(value: Any, path: str) -> str | None:
    """Pointer to the first text or key with U+0000, or None. Nesting is bounded by the caller."""
    if isinstance(value, str):
        return path if "\x00" in value else None
    if isinstance(value, dict):
        for key, item in value.items():
            if "\x00" in key:
                return path
            if (found := _find_nul(item, f"{path}/{key}")) is not None:
                return found
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if (found := _find_nul(item, f"{path}/{index}")) is not None:
                return found
    return None
