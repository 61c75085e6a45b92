"""Fields of request schemas that mean in Python what the published JSON Schema says."""

import re
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

#: Controls, line and paragraph separators, and what changes the direction or hides itself: nothing of a name.
_UNSEEN: Final = r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
#: One line with something to see on it.
LINE: Final = rf"[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*"
#: Any number of lines with something to see; no U+0000, which the database cannot keep.
PROSE: Final = r"[^\u0000]*[^\s\u0000][^\u0000]*"
#: Anything that the database can keep.
STORABLE: Final = r"[^\u0000]*"


def matching(pattern: str, *, longest: int | None = None, shortest: int = 1, **options: Any) -> fields.String:
    """A text that ``pattern`` matches as a whole, of ``shortest`` to ``longest`` characters when that is given.

    ``validate.Regexp`` would either let a trailing newline through (``$``) or publish what JavaScript reads otherwise
    (``\\Z``).
    """
    whole = re.compile(pattern)

    def check(text: str) -> None:
        if not whole.fullmatch(text):
            raise ValidationError(f"Must have the form {pattern}.")

    metadata = {"pattern": f"^(?:{pattern})$", **options.pop("metadata", {})}
    bounds = [] if longest is None else [validate.Length(shortest, longest)]
    return fields.String(validate=[*bounds, check], metadata=metadata, **options)


def line(longest: int, **options: Any) -> fields.String:
    """One line of text that shows something, of at most ``longest`` characters: a name, a heading."""
    return matching(LINE, longest=longest, **options)


def prose(longest: int, **options: Any) -> fields.String:
    """Text of any number of lines that says something."""
    return matching(PROSE, longest=longest, **options)


def storable(longest: int, **options: Any) -> fields.String:
    """Text that may be empty."""
    return matching(STORABLE, longest=longest, shortest=0, **options)


class TrueOrFalse(fields.Boolean):
    """JSON's true or false: no number, no text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def is_line(text: str) -> bool:
    """True for one line of text that shows something."""
    return re.fullmatch(LINE, text) is not None
