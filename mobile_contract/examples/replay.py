"""Plays the golden exchanges against a server, or a client's requests against them.

An exchange is complete: method, path, headers, body, and the answer with status and body. Only what a server makes up
is a placeholder, a text `{{name}}`, `{{name:kind}}` or `{{name+1000}}`:

- in a request it is filled with the value of that name;
- in an answer a name that is known must have that value, another is learned; `{{:kind}}` only checks the kind;
- `sha256` beside a `payload` may be `{{sha256}}`: that of the payload once it is filled.

The transport is a function, so the same exchanges run against a test client, a socket or a recording.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobile_contract.sync.fields import is_uuid

HERE: Final = Path(__file__).parent
Variables = dict[str, Any]
Call = Callable[[str, str, dict[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]
"""`(method, path, headers, body)` → `(status, headers, body)`."""

_PLACEHOLDER: Final = re.compile(r"\{\{(\w*)([+-]\d+)?(?::(\w+))?\}\}")
_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "any": lambda value: True,
    "id": is_uuid,
    "ms": lambda value: type(value) is int and value >= 0,
    "int": lambda value: type(value) is int,
    "text": lambda value: isinstance(value, str) and value != "",
}


class ExchangeDiffers(AssertionError):
    """The server answered something else; the message names the exchange, the step and the place in the answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One file: a title, and steps that are taken in order."""

    name: str
    title: str
    steps: list[dict[str, Any]]


def load_exchanges(folder: Path = HERE / "exchanges") -> list[Exchange]:
    """All exchanges in the order in which they tell their story."""
    files = sorted(folder.glob("*.json"))
    documents = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in files]
    return [Exchange(name, document["title"], document["steps"]) for name, document in documents]


def replay(
    exchange: Exchange,
    call: Call,
    variables: Variables,
    settle: Callable[[], None] = lambda: None,
    strict: bool = False,
) -> None:
    """Play one exchange; `variables` holds what is known and learns what the answers tell.

    `settle` is called where a step says so: it returns when the server's worker has done what was pushed. Members that
    an answer has beyond the golden ones are ignored, as clients must, unless `strict`. Raises ExchangeDiffers.
    """
    for number, step in enumerate(exchange.steps, 1):
        if step.get("settle"):
            settle()
        request, wanted = step["request"], step["response"]
        headers = {"Content-Type": "application/json", **fill(request.get("headers", {}), variables)}
        status, answer_headers, raw = call(
            request["method"], fill(request["path"], variables), headers, body_of(request, variables)
        )
        where = f"{exchange.name}, step {number}"
        if status != wanted["status"]:
            raise ExchangeDiffers(
                f"{where}: status {status} instead of {wanted['status']}: {raw.decode(errors='replace')}"
            )
        given = {name.lower(): value for name, value in answer_headers.items()}
        for name, value in wanted.get("headers", {}).items():
            match(value, given.get(name.lower()), variables, f"{where}, header {name}", strict)
        if "body" in wanted:
            match(wanted["body"], json.loads(raw), variables, where, strict)
        elif raw:
            raise ExchangeDiffers(f"{where}: an empty answer was expected")


def body_of(request: Mapping[str, Any], variables: Variables) -> bytes | None:
    """The bytes of a request: its `body` as JSON, or its `text` (for bodies that are no JSON)."""
    if "text" in request:
        return str(fill(request["text"], variables)).encode()
    if "body" not in request:
        return None
    return json.dumps(_with_hashes(fill(request["body"], variables)), ensure_ascii=False).encode()


def fill(value: Any, variables: Variables) -> Any:
    """`value` with every placeholder replaced; one that stands alone may become a number. KeyError: unknown name."""
    if isinstance(value, dict):
        return {key: fill(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, variables) for item in value]
    if not isinstance(value, str) or value == "{{sha256}}":
        return value
    alone = _PLACEHOLDER.fullmatch(value)
    if alone:
        return _value(alone, variables)
    return _PLACEHOLDER.sub(lambda found: str(_value(found, variables)), value)


def match(wanted: Any, given: Any, variables: Variables, where: str, strict: bool = False) -> None:
    """Compare an answer with the golden one and learn from it. Raises ExchangeDiffers."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        for key, value in wanted.items():
            if key not in given:
                raise ExchangeDiffers(f"{where}/{key} is missing")
            match(value, given[key], variables, f"{where}/{key}", strict)
        if strict and given.keys() - wanted.keys():
            raise ExchangeDiffers(f"{where}: more than expected: {sorted(given.keys() - wanted.keys())}")
    elif isinstance(wanted, list) and isinstance(given, list):
        if len(wanted) != len(given):
            raise ExchangeDiffers(f"{where}: {len(given)} items instead of {len(wanted)}: {given}")
        for index, (one, other) in enumerate(zip(wanted, given, strict=True)):
            match(one, other, variables, f"{where}/{index}", strict)
    elif isinstance(wanted, str) and (alone := _PLACEHOLDER.fullmatch(wanted)):
        _learn(alone, given, variables, where)
    else:
        expected = fill(wanted, variables)
        if type(expected) is not type(given) or expected != given:
            raise ExchangeDiffers(f"{where}: {given!r} instead of {expected!r}")


def placeholders(value: Any) -> Iterator[str]:
    """Every name that `value` mentions."""
    for found in _PLACEHOLDER.finditer(json.dumps(value, ensure_ascii=False)):
        if found[1]:
            yield found[1]


def _learn(found: re.Match[str], given: Any, variables: Variables, where: str) -> None:
    name, kind = found[1], found[3]
    if kind and not _KINDS[kind](given):
        raise ExchangeDiffers(f"{where}: {given!r} is no {kind}")
    if name in variables or found[2]:
        expected = _value(found, variables)
        if given != expected:
            raise ExchangeDiffers(f"{where}: {given!r} instead of {expected!r}")
    elif name:
        variables[name] = given


def _value(found: re.Match[str], variables: Variables) -> Any:
    value = variables[found[1]]
    return value + int(found[2]) if found[2] else value


def _with_hashes(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hashes(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _with_hashes(item) for key, item in value.items()}
    if value.get("sha256") == "{{sha256}}":
        value["sha256"] = hashlib.sha256(value["payload"].encode()).hexdigest()
    return value
