"""Lines of CSV that a spreadsheet program opens as what they are."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

#: Told by this mark, spreadsheet programs read UTF-8.
BYTE_ORDER_MARK: Final = "\ufeff"
#: A cell that begins so is a formula to a spreadsheet program, whoever wrote it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_line(values: Iterable[Any]) -> str:
    """One line, None as an empty cell; text that would be run as a formula is kept from it by an apostrophe."""
    out = io.StringIO()
    csv.writer(out).writerow(["" if value is None else _harmless(value) for value in values])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
