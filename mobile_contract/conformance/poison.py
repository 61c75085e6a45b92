"""Records that must end in quarantine without harming their neighbours."""

from collections.abc import Callable
from random import Random
from typing import Any

import orjson

from mobile_contract.conformance.notebook import MadeRecord, Notebook

Spoil = Callable[[str, Random], str]


def _before_end(text: str, more: str) -> str:
    return text[:-1] + more + "}"


SPOILED_PAYLOADS: dict[str, Spoil] = {
    "nul": lambda text, rng: _before_end(text, ',"note":"a\\u0000b"'),
    "surrogate": lambda text, rng: _before_end(text, ',"note":"\\ud83d"'),
    "integer": lambda text, rng: _before_end(text, f',"note":{2**63 + rng.randrange(1000)}'),
    "nan": lambda text, rng: _before_end(text, ',"note":NaN'),
    "huge": lambda text, rng: _before_end(text, ',"note":1e400'),
    "deep": lambda text, rng: _before_end(text, ',"note":' + "[" * 20_000 + "]" * 20_000),
    "type": lambda text, rng: _before_end(text, ',"seq":"seven"'),
    "cut": lambda text, rng: text[: rng.randrange(1, len(text))],
}

SPOILED_ENVELOPES = ("hash", "bare_surrogate", "bare_nul", "bare_deep", "bad_utf8", "schema", "type")


def write_poison(notebook: Notebook, true_ms: int, body: dict[str, Any]) -> MadeRecord:
    """Write a visit with the given body, then spoil its payload or its wire form."""
    rng = notebook.rng
    kind = rng.choice([*SPOILED_PAYLOADS, *SPOILED_ENVELOPES])
    text = orjson.dumps(notebook.payload(true_ms, body)).decode()
    if kind in SPOILED_PAYLOADS:
        record = notebook.write("visit", true_ms, {}, SPOILED_PAYLOADS[kind](text, rng))
    else:
        record = notebook.write("visit", true_ms, {}, text)
        record.raw = _spoil_envelope(record, kind)
    record.fate = "quarantined"
    return record


def _spoil_envelope(record: MadeRecord, kind: str) -> bytes:
    whole: bytes = record.wire()
    if kind == "hash":
        return whole.replace(record.sha256.encode(), ("0" * 64).encode())
    if kind == "schema":
        return whole.replace(b'"schema_version":1', b'"schema_version":"one"')
    if kind == "type":
        return whole.replace(b'"type":"visit"', b'"type":"parade"')
    unreadable = {
        "bare_surrogate": b'"\\ud800"',
        "bare_nul": b'"\x00"',
        "bare_deep": b"[" * 20_000 + b"]" * 20_000,
        "bad_utf8": b'"\xff\xfe"',
    }[kind]
    return whole[:-1] + b',"note":' + unreadable + b"}"
