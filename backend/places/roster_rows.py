"""Rows of a roster as places: what each cell must be, one row at a time."""

import math
from dataclasses import dataclass
from typing import Any, Final

from backend.http.fields import is_line
from backend.places.coordinates import in_china, to_wgs84
from backend.places.field_codes import is_own_code, normal_code
from backend.places.roster_columns import datum_of, kind_of
from backend.places.roster_file import FileRow
from backend.places.roster_report import RowError

LONGEST: Final = {"name": 200, "address": 1000}


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A row whose cells can be read. ``code`` and ``parent`` are normalised and may be empty; so may ``kind``,
    when the cell was wrong."""

    number: int
    kind: str
    name: str
    code: str
    parent: str
    address: str | None
    location: dict[str, Any] | None


def check_row(row: FileRow, errors: list[RowError]) -> RosterRow:
    """The row as a place; what is wrong with its cells goes to ``errors``."""
    cell = row.cells.get
    for column in row.dates:
        errors.append(RowError(row.number, column, "row_cell_is_date"))
    for column, longest in LONGEST.items():
        _check_text(row, column, longest, errors)
    if not cell("name"):
        errors.append(RowError(row.number, "name", "row_name_missing"))
    return RosterRow(
        number=row.number,
        kind=_kind(row, errors),
        name=cell("name", ""),
        code=_code(row, errors),
        parent=normal_code(cell("parent", "")),
        address=cell("address") or None,
        location=_location(row, errors),
    )


def _check_text(row: FileRow, column: str, longest: int, errors: list[RowError]) -> None:
    text = row.cells.get(column, "")
    if len(text) > longest:
        errors.append(RowError(row.number, column, "row_too_long", {"longest": longest}))
    if text and not is_line(text):
        errors.append(RowError(row.number, column, "row_text_bad"))


def _kind(row: FileRow, errors: list[RowError]) -> str:
    text = row.cells.get("kind", "")
    kind = kind_of(text)
    if not text:
        errors.append(RowError(row.number, "kind", "row_kind_missing"))
    elif kind is None:
        errors.append(RowError(row.number, "kind", "row_kind_unknown", {"value": text[:40]}))
    elif kind == "community":
        errors.append(RowError(row.number, "kind", "row_kind_root"))
    return "" if kind in (None, "community") else str(kind)


def _code(row: FileRow, errors: list[RowError]) -> str:
    code = normal_code(row.cells.get("code", ""))
    if code and not is_own_code(code):
        errors.append(RowError(row.number, "code", "row_code_invalid", {"value": code[:60]}))
    return code


def _location(row: FileRow, errors: list[RowError]) -> dict[str, Any] | None:
    """The location as facts have it, in the datum that was named."""
    cell, before = row.cells.get, len(errors)
    if not cell("lat") and not cell("lon"):
        if cell("accuracy") or cell("datum"):
            errors.append(RowError(row.number, "lat", "row_location_half"))
        return None
    if not cell("lat") or not cell("lon"):
        errors.append(RowError(row.number, "lon" if cell("lat") else "lat", "row_location_half"))
    numbers = {column: _number(row, column, errors) for column in ("lat", "lon", "accuracy")}
    datum = datum_of(cell("datum", ""))
    if not cell("datum"):
        errors.append(RowError(row.number, "datum", "row_datum_missing"))
    elif datum is None:
        errors.append(RowError(row.number, "datum", "row_datum_unknown", {"value": cell("datum", "")[:40]}))
    lat, lon = numbers["lat"], numbers["lon"]
    if len(errors) > before or lat is None or lon is None or datum is None:
        return None
    if not in_china(*to_wgs84(lat, lon, datum)):
        errors.append(RowError(row.number, "lat", "row_location_abroad"))
    return {"lat": lat, "lon": lon, "accuracy_m": numbers["accuracy"], "datum": datum}


def _number(row: FileRow, column: str, errors: list[RowError]) -> float | None:
    text = row.cells.get(column)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > 1_000_000 or (column == "accuracy" and number < 0):
        errors.append(RowError(row.number, column, "row_number_bad", {"value": text[:40]}))
        return None
    return number
