"""Keyset paging: a page carries an opaque cursor made of the last row's sort key."""

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from marshmallow import Schema, fields, validate

from backend.errors import DomainError


class BadCursor(DomainError):
    status = 400


class PageQuery(Schema):
    """``limit`` rows (1–500, default 50) after ``cursor``."""

    limit = fields.Int(load_default=50, validate=validate.Range(1, 500))
    cursor = fields.Str(load_default=None, allow_none=True)


def encode_cursor(key: Sequence[Any]) -> str:
    """An opaque cursor of a row's sort key (JSON values, UUIDs as text)."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key), default=str)).decode().rstrip("=")


def decode_cursor(cursor: str | None, length: int) -> list[Any] | None:
    """The sort key in ``cursor``, or None for the first page; BadCursor unless it has ``length`` parts."""
    if not cursor:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise BadCursor from error
    if not isinstance(key, list) or len(key) != length:
        raise BadCursor
    return key


def page_schema(item: type[Schema]) -> type[Schema]:
    """The schema of a page of ``item``: ``{"items": […], "next_cursor": …}``."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.Str(required=True, allow_none=True),
        },
        name=item.__name__.removesuffix("Schema") + "Page",
    )


def page(rows: Sequence[Any], limit: int, key: Any) -> dict[str, Any]:
    """A page out of up to ``limit + 1`` rows; ``key(row)`` is the sort key of a row."""
    items = list(rows[:limit])
    return {"items": items, "next_cursor": encode_cursor(key(items[-1])) if len(rows) > limit else None}
