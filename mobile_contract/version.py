"""Protocol and schema numbers a phone and the server compare.

`PROTOCOL` goes into the `X-Protocol` header; it changes only when an old phone could not go on,
which the contract's README forbids without a new path prefix. Schema versions number the payloads
(`schema_version` of a record, `schema_version` of a pull): fields are only ever added to them.
"""

from typing import Final

PROTOCOL: Final = 1

CURRENT_SCHEMA: Final = 2
"""Newest payload and feed shape this server writes and understands. 2: a step that lacks what it needs (evidence,
signature, photos, 五落实) does not apply; steps written in version 1 are not held to that."""

OLDEST_SCHEMA: Final = 1
"""Oldest payload shape still accepted. Never raised: accepted payloads are accepted for ever."""

MIN_SCHEMA: Final = 1
"""`min_schema` of a push answer: below it the app asks its user to update. It only nags."""
