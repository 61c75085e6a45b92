"""marshmallow fields that accept exactly what the published JSON Schema accepts."""

import math
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from mobile_contract.sync.clock import MAX_INTEGER

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WireInt(fields.Integer):
    """An integer within ±(2^53−1). `3.0` is one (JSON Schema says so); `"3"`, `3.9`, `true` are not."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, float) and math.isfinite(value) and value.is_integer():
            value = int(value)
        if type(value) is not int or abs(value) > MAX_INTEGER:
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class WireUUID(fields.String):
    """A UUID in its 36-character form; loaded as lower-case text."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"format": "uuid", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _UUID.fullmatch(text):
            raise ValidationError("Not a UUID in 8-4-4-4-12 form.")
        return text.lower()


class Sha256Hex(fields.String):
    """A SHA-256 as 64 lower-case hexadecimal digits."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": "^[0-9a-f]{64}$", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _SHA256.fullmatch(text):
            raise ValidationError("Not 64 lower-case hexadecimal digits.")
        return text


def is_uuid(value: object) -> bool:
    """True for text in the 8-4-4-4-12 form, in either case."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def is_sha256(value: object) -> bool:
    """True for 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None
