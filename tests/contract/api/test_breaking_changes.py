"""The contract only grows: what would break a client is found, what would not is let through."""

import copy
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from backend.commands.openapi import CONTRACT
from backend.settings import PROJECT
from mobile_contract.openapi_changes import breaking_changes

Document = dict[str, Any]
IN_GIT = "mobile_contract/openapi.json"


def tiny() -> Document:
    """One path with everything that can change."""
    thing = {
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "state": {"type": "string", "enum": ["open", "closed"]},
            "count": {"type": "integer"},
            "label": {"type": ["string", "null"]},
            "above": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        },
    }
    asked = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 200},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "size": {"type": "number", "minimum": 0},
            "note": {"type": ["string", "null"]},
        },
    }
    return {
        "paths": {
            "/things": {
                "get": {
                    "security": [],
                    "parameters": [{"in": "query", "name": "q", "required": False, "schema": {"type": "string"}}],
                    "responses": {
                        "200": {
                            "headers": {"ETag": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                        },
                        "404": {"description": "none"},
                    },
                },
                "post": {
                    "security": [{"bearer": []}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}},
                    },
                    "responses": {"201": {"description": "made"}, "202": {"description": "later"}},
                },
            }
        },
        "components": {"schemas": {"Thing": thing, "Asked": asked}},
    }


def thing(doc: Document) -> Document:
    found: Document = doc["components"]["schemas"]["Thing"]
    return found


def asked(doc: Document) -> Document:
    found: Document = doc["components"]["schemas"]["Asked"]
    return found


def get(doc: Document) -> Document:
    found: Document = doc["paths"]["/things"]["get"]
    return found


def post(doc: Document) -> Document:
    found: Document = doc["paths"]["/things"]["post"]
    return found


Change = Callable[[Document], object]
BREAKS: dict[str, Change] = {
    "path removed": lambda d: d["paths"].pop("/things"),
    "method removed": lambda d: d["paths"]["/things"].pop("get"),
    "answer removed": lambda d: post(d)["responses"].pop("202"),
    "answer field removed": lambda d: thing(d)["properties"].pop("count"),
    "answer field may be absent": lambda d: thing(d)["required"].remove("id"),
    "answer may be null": lambda d: thing(d)["properties"]["count"].update(type=["integer", "null"]),
    "answer type changed": lambda d: thing(d)["properties"]["count"].update(type="string"),
    "answer type forgotten": lambda d: thing(d)["properties"]["count"].pop("type"),
    "answer format forgotten": lambda d: thing(d)["properties"]["id"].pop("format"),
    "answer of another kind": lambda d: thing(d)["properties"]["above"]["anyOf"].append({"type": "integer"}),
    "answer media type changed": lambda d: get(d)["responses"]["200"].update(content={"text/html": {}}),
    "answer header removed": lambda d: get(d)["responses"]["200"].pop("headers"),
    "request field removed": lambda d: asked(d)["properties"].pop("note"),
    "request field needed": lambda d: asked(d)["required"].append("kind"),
    "new request field needed": lambda d: (
        asked(d)["properties"].update(more={"type": "string"}),
        asked(d)["required"].append("more"),
    ),
    "request value removed": lambda d: asked(d)["properties"]["kind"].update(enum=["a"]),
    "request values limited": lambda d: asked(d)["properties"]["name"].update(enum=["x"]),
    "request type narrowed": lambda d: asked(d)["properties"]["size"].update(type="integer"),
    "request null refused": lambda d: asked(d)["properties"]["note"].update(type="string"),
    "request text shorter": lambda d: asked(d)["properties"]["name"].update(maxLength=100),
    "request number bounded": lambda d: asked(d)["properties"]["size"].update(maximum=9),
    "request pattern added": lambda d: asked(d)["properties"]["name"].update(pattern="^x$"),
    "request format added": lambda d: asked(d)["properties"]["name"].update(format="uuid"),
    "unknown fields refused": lambda d: asked(d).update(additionalProperties=False),
    "request media type removed": lambda d: post(d)["requestBody"].update(content={"text/csv": {}}),
    "body needed": lambda d: get(d).update(requestBody={"required": True, "content": {}}),
    "parameter removed": lambda d: get(d).update(parameters=[]),
    "parameter needed": lambda d: get(d)["parameters"][0].update(required=True),
    "new parameter needed": lambda d: get(d)["parameters"].append({"in": "header", "name": "X", "required": True}),
    "parameter type narrowed": lambda d: get(d)["parameters"][0].update(schema={"type": "integer"}),
    "signing in needed": lambda d: get(d).update(security=[{"bearer": []}]),
}
ADDITIONS: dict[str, Change] = {
    "nothing": lambda d: None,
    "path": lambda d: d["paths"].update({"/more": {"get": {"responses": {"200": {}}}}}),
    "method": lambda d: d["paths"]["/things"].update(delete={"responses": {"204": {}}}),
    "answer field": lambda d: (
        thing(d)["properties"].update(more={"type": "string"}),
        thing(d)["required"].append("more"),
    ),
    "answer value": lambda d: thing(d)["properties"]["state"]["enum"].append("void"),
    "answer field always there": lambda d: thing(d)["required"].append("count"),
    "answer never null": lambda d: thing(d)["properties"]["label"].update(type="string"),
    "answer status": lambda d: post(d)["responses"].update({"200": {}}),
    "refusal": lambda d: post(d)["responses"].update({"409": {}}),
    "refusal gone": lambda d: get(d)["responses"].pop("404"),
    "optional request field": lambda d: asked(d)["properties"].update(more={"type": "string"}),
    "request field no longer needed": lambda d: asked(d).update(required=[]),
    "request value": lambda d: asked(d)["properties"]["kind"]["enum"].append("c"),
    "request any value": lambda d: asked(d)["properties"]["kind"].pop("enum"),
    "request type": lambda d: asked(d)["properties"]["name"].update(type=["string", "null"]),
    "request longer": lambda d: asked(d)["properties"]["name"].update(maxLength=300),
    "optional parameter": lambda d: get(d)["parameters"].append({"in": "query", "name": "x", "schema": {}}),
    "no signing in": lambda d: post(d).update(security=[]),
    "description": lambda d: thing(d).update(description="A thing."),
}


@pytest.mark.parametrize("name", BREAKS)
def test_breaking_change_is_found(name: str) -> None:
    new = copy.deepcopy(tiny())
    BREAKS[name](new)
    assert breaking_changes(tiny(), new), name


@pytest.mark.parametrize("name", ADDITIONS)
def test_addition_is_let_through(name: str) -> None:
    new = copy.deepcopy(tiny())
    ADDITIONS[name](new)
    assert breaking_changes(tiny(), new) == []


def test_schema_may_move_into_a_component() -> None:
    old, new = tiny(), tiny()
    new["components"]["schemas"]["Label"] = thing(new)["properties"]["label"]
    thing(new)["properties"]["label"] = {"$ref": "#/components/schemas/Label"}
    assert breaking_changes(old, new) == breaking_changes(new, old) == []


def test_contract_breaks_nothing_that_was_promised() -> None:
    earlier = earlier_contract()
    if earlier is None:
        pytest.skip("no earlier version of the contract is at hand (no git, or its first version)")
    now = json.loads(CONTRACT.read_text(encoding="utf-8"))
    assert breaking_changes(earlier, now) == []


def test_released_golden_payloads_are_never_changed() -> None:
    release = git("describe", "--tags", "--abbrev=0", "--match", "v*")
    if not release:
        pytest.skip("nothing was released yet, or no git")
    touched = git("diff", "--name-status", "--no-renames", release.strip(), "--", "mobile_contract/examples/payloads")
    assert [line for line in (touched or "").splitlines() if not line.startswith("A")] == []


def earlier_contract() -> Document | None:
    """The last release's contract; before the first release that of the last commit, of where this branch began, or of
    the commit before, whichever first differs from what is here."""
    release = git("describe", "--tags", "--abbrev=0", "--match", "v*")
    now = CONTRACT.read_text(encoding="utf-8")
    began = git("merge-base", "HEAD", "origin/main") or "HEAD"
    for revision in [release] if release else ["HEAD", began, "HEAD~1"]:
        text = git("show", f"{revision.strip()}:{IN_GIT}")
        if text and (release or text != now):
            found: Document = json.loads(text)
            return found
    return None


def git(*arguments: str) -> str | None:
    """What git says, None when it cannot: a tarball has no history."""
    try:
        done = subprocess.run(
            ["git", "-c", f"safe.directory={PROJECT}", *arguments], cwd=PROJECT, capture_output=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode() if done.returncode == 0 else None


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ("^(?:0|[1-9]h)$", "^(?:0|[1-9]h|[1-9]d)$", False),
        ("^(?:0|[1-9]h)$", "^(?:0|[1-9]d)$", True),
        ("^(?:0|[1-9]h)$", "^(?:0|[1-9]h|[1-9]d)", True),
        ("^(?:a(b)$", "^(?:a(b|c)$", True),
        (None, "^(?:0)$", True),
    ],
)
def test_pattern_with_one_more_alternative_is_no_break(old: str | None, new: str, breaks: bool) -> None:
    earlier, later = tiny(), tiny()
    if old is not None:
        asked(earlier)["properties"]["name"]["pattern"] = old
    asked(later)["properties"]["name"]["pattern"] = new
    assert bool(breaking_changes(earlier, later)) is breaks
