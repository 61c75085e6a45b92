"""The opaque cursor of a scope: where a phone is in a snapshot, or in the changes after it."""

import base64
from typing import NamedTuple

import orjson

from mobile_contract.sync.clock import MAX_INTEGER


class Cursor(NamedTuple):
    """``pos``: the feed position reached (during a snapshot: where it began). ``entity``: index of the entity that
    the snapshot is in, or None when the snapshot is over; ``after``: the last id sent of it."""

    epoch: str
    schema_version: int
    scope_id: str
    pos: int
    entity: int | None = None
    after: str | None = None

    def text(self) -> str:
        """Opaque text for the wire."""
        return base64.urlsafe_b64encode(orjson.dumps(list(self))).decode().rstrip("=")

    @property
    def in_snapshot(self) -> bool:
        return self.entity is not None


def read_cursor(text: str) -> Cursor | None:
    """The cursor in ``text``; None for anything that this server did not write."""
    try:
        parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError:
        return None
    if not isinstance(parts, list) or len(parts) != len(Cursor._fields):
        return None
    cursor = Cursor(*parts)
    texts = isinstance(cursor.epoch, str) and isinstance(cursor.scope_id, str)
    numbers = _is_count(cursor.schema_version) and _is_count(cursor.pos)
    entity = cursor.entity is None or (_is_count(cursor.entity) and cursor.entity < 100)
    after = cursor.after is None or (isinstance(cursor.after, str) and "\x00" not in cursor.after)
    return cursor if texts and numbers and entity and after else None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER
