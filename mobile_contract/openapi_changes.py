"""What would break a client between two versions of `openapi.json`.

Requests may only grow wider, answers may only grow richer: a server of the new version must understand a client of the
old one, and give it everything it was promised. Readers ignore unknown fields and unknown enum values (the contract's
promise), so both may be added to answers. `python -m mobile_contract.openapi_changes OLD NEW` prints the breaks.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

Document = dict[str, Any]
METHODS: Final = ("get", "put", "post", "delete", "patch")
#: Keyword → +1 when a greater value refuses more, −1 when a smaller one does.
BOUNDS: Final = {"minimum": 1, "minLength": 1, "minItems": 1, "maximum": -1, "maxLength": -1, "maxItems": -1}
ALL_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def breaking_changes(old: Document, new: Document) -> list[str]:
    """One sentence a break, `METHOD /path: …`; empty when every client of `old` can live with `new`."""
    return sorted(set(_Comparison(old, new).breaks()))


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new

    def breaks(self) -> Iterator[str]:
        for path, old_item in self.old["paths"].items():
            new_item = self.new["paths"].get(path)
            if new_item is None:
                yield f"{path}: path removed"
                continue
            for method in (m for m in METHODS if m in old_item):
                found = self.operation(old_item, new_item, method) if method in new_item else ["method removed"]
                yield from (f"{method.upper()} {path}: {what}" for what in found)

    def operation(self, old_item: Document, new_item: Document, method: str) -> Iterator[str]:
        old, new = old_item[method], new_item[method]
        yield from self.parameters(
            [*old_item.get("parameters", []), *old.get("parameters", [])],
            [*new_item.get("parameters", []), *new.get("parameters", [])],
        )
        if new.get("security") and not old.get("security"):
            yield "signing in is needed now"
        old_body, new_body = old.get("requestBody", {}), new.get("requestBody", {})
        if new_body.get("required") and not old_body.get("required"):
            yield "a body is needed now"
        yield from self.contents(old_body, new_body, "request", asked=True)
        for status, answer in old["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in new["responses"]:
                yield f"answer {status} removed"
                continue
            old_answer, new_answer = _resolved(self.old, answer), _resolved(self.new, new["responses"][status])
            for header in old_answer.get("headers", {}).keys() - new_answer.get("headers", {}).keys():
                yield f"answer {status}: header {header} removed"
            yield from self.contents(old_answer, new_answer, f"answer {status}", asked=False)

    def parameters(self, old: list[Document], new: list[Document]) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in (_resolved(self.old, p) for p in old)}
        after = {(p["in"], p["name"]): p for p in (_resolved(self.new, p) for p in new)}
        for where, name in before.keys() - after.keys():
            yield f"{where} parameter {name} removed"
        for (where, name), parameter in after.items():
            known = before.get((where, name))
            if parameter.get("required") and not (known or {}).get("required"):
                yield f"{where} parameter {name} is needed now"
            if known is not None:
                what = f"{where} parameter {name}"
                yield from self.schemas(known.get("schema", {}), parameter.get("schema", {}), what, True)

    def contents(self, old: Document, new: Document, where: str, asked: bool) -> Iterator[str]:
        for media, content in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield f"{where}: {media} removed"
            else:
                yield from self.schemas(
                    content.get("schema", {}), new["content"][media].get("schema", {}), where, asked
                )

    def schemas(
        self, old: Any, new: Any, where: str, asked: bool, seen: frozenset[tuple[int, int]] = frozenset()
    ) -> Iterator[str]:
        """Breaks between two schemas of a request (`asked`) or of an answer."""
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        if (id(old), id(new)) in seen or not isinstance(old, dict) or not isinstance(new, dict):
            return
        seen |= {(id(old), id(new))}
        old_choices, new_choices = _choices(old), _choices(new)
        if len(old_choices) > 1 or len(new_choices) > 1:
            kept, offered = (old_choices, new_choices) if asked else (new_choices, old_choices)
            for kind in kept:
                pairs = ((kind, other) if asked else (other, kind) for other in offered)
                if all(any(self.schemas(*pair, where, asked, seen)) for pair in pairs):
                    yield f"{where}: a kind of value {'no longer accepted' if asked else 'that was not promised'}"
            return
        yield from (self.asked if asked else self.answered)(old, new, where)
        yield from self.members(old, new, where, asked, seen)

    def asked(self, old: Document, new: Document, where: str) -> Iterator[str]:
        if not _types(old) <= _types(new):
            yield f"{where}: type narrowed from {sorted(_types(old))} to {sorted(_types(new))}"
        if "enum" in new and ("enum" not in old or any(value not in new["enum"] for value in old["enum"])):
            yield f"{where}: values removed, {old.get('enum', 'any')} to {new['enum']}"
        for word, sign in BOUNDS.items():
            if word in new and (word not in old or sign * new[word] > sign * old[word]):
                yield f"{where}: {word} narrowed from {old.get(word, 'none')} to {new[word]}"
        for word in ("pattern", "format"):
            if word in new and not _allows(new[word], old.get(word)):
                yield f"{where}: {word} is {new[word]} now"
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{where}: unknown fields are refused now"
        for name in set(new.get("required", [])) - set(old.get("required", [])):
            yield f"{where}/{name}: field is needed now"

    def answered(self, old: Document, new: Document, where: str) -> Iterator[str]:
        if not _types(new) <= _types(old):
            yield f"{where}: type widened from {sorted(_types(old))} to {sorted(_types(new))}"
        if "format" in old and new.get("format") != old["format"]:
            yield f"{where}: format was {old['format']}"
        for name in set(old.get("required", [])) - set(new.get("required", [])):
            if name in new.get("properties", {}):
                yield f"{where}/{name}: field may be absent now"

    def members(
        self, old: Document, new: Document, where: str, asked: bool, seen: frozenset[tuple[int, int]]
    ) -> Iterator[str]:
        for name, schema in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}/{name}: field removed"
            else:
                yield from self.schemas(schema, new["properties"][name], f"{where}/{name}", asked, seen)
        for word, at in (("items", "[]"), ("additionalProperties", "/*")):
            if isinstance(old.get(word), dict):
                yield from self.schemas(old[word], new.get(word, {}), f"{where}{at}", asked, seen)


def _resolved(document: Document, part: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        target: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def _choices(schema: Document) -> list[Any]:
    return list(schema.get("anyOf") or schema.get("oneOf") or [schema])


def _allows(new: str, old: str | None) -> bool:
    """The same word; or a pattern of whole alternatives (`^(?:a|b)$`) that has further ones at its end."""
    return old is not None and (new == old or (_is_whole(old) and new.startswith(old[:-2] + "|") and _is_whole(new)))


def _is_whole(pattern: str) -> bool:
    """`^(?:…)$` with no other group inside that could end before the end."""
    inside = pattern[4:-2]
    return pattern.startswith("^(?:") and pattern.endswith(")$") and "(" not in inside and ")" not in inside


def _types(schema: Document) -> frozenset[str]:
    named = schema.get("type", ALL_TYPES)
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def main() -> int:
    """0 when nothing breaks."""
    old, new = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    breaks = breaking_changes(old, new)
    print("\n".join(breaks) or "nothing breaks")
    return 1 if breaks else 0


if __name__ == "__main__":
    sys.exit(main())
