"""The golden exchanges are what the real application says, and what its description allows it to say."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from backend.commands.openapi import CONTRACT
from backend.db import Database
from mobile_contract.examples.replay import Call, Exchange, ExchangeDiffers, load_exchanges, placeholders, replay
from tests.contract.api.stage import Stage, make_stage

DESCRIPTION = json.loads(CONTRACT.read_text(encoding="utf-8"))
EXCHANGES = load_exchanges()
Answer = tuple[int, Mapping[str, str], bytes]


def closed(schema: Any) -> Any:
    """`schema` without leave for members it does not name: what an answer has must be described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: closed(value) for key, value in schema.items()}
    if "properties" in kept and isinstance(kept["properties"], dict) and "additionalProperties" not in kept:
        kept["additionalProperties"] = False
    return kept


CLOSED = closed(DESCRIPTION["components"])


def checked(call: Call) -> Call:
    """`call`, whose answers must be as described, with nothing beyond it."""

    def checked_call(method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        status, given, raw = call(method, path, headers, body)
        item = next(item for template, item in DESCRIPTION["paths"].items() if fits(template, path))
        answer = item[method.lower()]["responses"][str(status)]
        for media, content in answer.get("content", {}).items():
            assert given["Content-Type"].partition(";")[0] == media
            validator = jsonschema_rs.validator_for({**content["schema"], "components": CLOSED})
            assert [error.message for error in validator.iter_errors(json.loads(raw))] == [], f"{method} {path}"
        return status, given, raw

    return checked_call


def fits(template: str, path: str) -> bool:
    parts, named = path.split("/"), template.split("/")
    return len(parts) == len(named) and all(n == p or n.startswith("{") for n, p in zip(named, parts, strict=True))


def play(stage: Stage, change: Callable[[Call], Call] = checked) -> None:
    """All exchanges in order."""
    for exchange in EXCHANGES:
        replay(exchange, change(stage.call), stage.variables, stage.settle, strict=True)


def test_exchanges_are_what_the_server_says(app: Flask, db: Database) -> None:
    play(make_stage(app, db))


def test_exchanges_hold_what_a_client_must_see() -> None:
    told = json.dumps([exchange.steps for exchange in EXCHANGES])
    for status in ("stored", "duplicate", "quarantined"):
        assert f'"status": "{status}"' in told
    for word in ('"op": "del"', '"reset": true', '"has_more": true', '"estimated"', "refresh_reused", "dead_id"):
        assert word in told, word
    for path in ("auth/login", "auth/refresh", "auth/logout", "clock", "push", "pull", "reconcile"):
        assert f'"/sync/v1/{path}"' in told, path


def test_exchanges_mention_no_value_that_nobody_gives() -> None:
    known = {"community_id", "hazard_id", "sha256", "server_epoch"}
    known |= {f"{who}_{what}" for who in ("worker", "leader") for what in ("username", "password")}
    for exchange in EXCHANGES:
        for step in exchange.steps:
            assert set(placeholders(step["request"])) <= known, f"{exchange.name}: {step['about']}"
            known |= set(placeholders(step["response"]))


def swapping(old: bytes, new: bytes) -> Callable[[Call], Call]:
    """Seeded bug: a server whose answers say something else."""

    def change(call: Call) -> Call:
        def lying(method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
            status, given, raw = call(method, path, headers, body)
            return status, given, raw.replace(old, new)

        return lying

    return change


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"stored"', b'"accepted"'),
        (b'"effective_at_ms"', b'"effective_ms"'),
        (b'"op":"del"', b'"op":"put"'),
        (b'"reset":true', b'"reset":false'),
        (b'"safe_through_ms":0', b'"safe_through_ms":null'),
        (b'"code":"hash_mismatch"', b'"code":"bad_hash"'),
    ],
)
def test_exchanges_catch_a_server_that_says_something_else(app: Flask, db: Database, old: bytes, new: bytes) -> None:
    with pytest.raises(ExchangeDiffers):
        play(make_stage(app, db), swapping(old, new))


def one(response: Any, **request: Any) -> Exchange:
    return Exchange("tiny", "Tiny", [{"request": {"method": "GET", "path": "/x", **request}, "response": response}])


def answering(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Call:
    return lambda *_: (status, headers or {}, b"" if body is None else json.dumps(body).encode())


def test_replay_ignores_members_that_were_added_unless_strict() -> None:
    exchange = one({"status": 200, "body": {"a": 1}})
    replay(exchange, answering(200, {"a": 1, "b": 2}), {})
    with pytest.raises(ExchangeDiffers, match="more than expected"):
        replay(exchange, answering(200, {"a": 1, "b": 2}), {}, strict=True)


def test_replay_learns_and_compares() -> None:
    variables = {"known": 5}
    replay(
        one({"status": 200, "body": {"a": "{{new:ms}}", "b": "{{known+2}}"}}),
        answering(200, {"a": 9, "b": 7}),
        variables,
    )
    assert variables == {"known": 5, "new": 9}


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ({"a": "{{:id}}"}, {"a": "nonsense"}),
        ({"a": "{{known}}"}, {"a": 6}),
        ({"a": "{{known-1}}"}, {"a": 5}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": None}, {"a": 0}),
    ],
)
def test_replay_refuses_what_differs(wanted: Any, given: Any) -> None:
    with pytest.raises(ExchangeDiffers):
        replay(one({"status": 200, "body": wanted}), answering(200, given), {"known": 5})


def test_replay_refuses_another_status_header_or_body() -> None:
    for exchange in (
        one({"status": 201}),
        one({"status": 200, "headers": {"ETag": "1"}}),
        one({"status": 200}),
    ):
        with pytest.raises(ExchangeDiffers):
            replay(exchange, answering(200, {}), {})
