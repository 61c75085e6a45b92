"""Fields of request schemas that mean in Python what the published JSON Schema says."""

import re
from typing import Any

from marshmallow import ValidationError, fields


def matching(pattern: str, **options: Any) -> fields.String:
    """A text that ``pattern`` matches as a whole.

    ``validate.Regexp`` would either let a trailing newline through (``$``) or publish what JavaScript reads otherwise
    (``\\Z``).
    """
    whole = re.compile(pattern)

    def check(text: str) -> None:
        if not whole.fullmatch(text):
            raise ValidationError(f"Must have the form {pattern}.")

    metadata = {"pattern": f"^(?:{pattern})$", **options.pop("metadata", {})}
    return fields.String(validate=check, metadata=metadata, **options)
