"""Roster files: XLSX and CSV into rows of text. Knows spreadsheets, not places."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook

from backend.places.errors import RosterColumnMissing, RosterTooLong, RosterUnreadable
from backend.places.roster_columns import COLUMNS, column_of

MAX_ROWS: Final = 100_000
MAX_UNPACKED: Final = 256 * 1024 * 1024
#: Where a row or cell says it stands, and how that may be written.
_STANDS = re.compile(rb"""(?<![\w:.-])r\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(rb"([A-Za-z]{0,3})([0-9]{1,9})")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row that is not blank: its number as the spreadsheet counts, and text by column key.

    ``dates`` are the columns in which the spreadsheet turned what was typed (``3-2``) into a date.
    """

    number: int
    cells: dict[str, str]
    dates: tuple[str, ...] = ()


def read_roster(content: bytes) -> list[FileRow]:
    """The rows of an XLSX, XLS or CSV file (told by its first bytes, never by its name).

    RosterUnreadable, RosterColumnMissing or RosterTooLong.
    """
    return list(_rows(read_table(content)))


def read_table(content: bytes) -> Sequence[Sequence[Any]]:
    """The cells of the first sheet of an XLSX, XLS or CSV file, headings and all; RosterUnreadable or RosterTooLong."""
    return _sheet(content) if content.startswith((_ZIP, _OLE)) else _csv(content)


def _sheet(content: bytes) -> Sequence[Sequence[Any]]:
    if content.startswith(_ZIP):
        _refuse_bomb(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=MAX_ROWS + 2)
    except (CalamineError, ValueError, OSError, IndexError) as error:
        raise RosterUnreadable from error


def _refuse_bomb(content: bytes) -> None:
    """Refuse what unpacks to too much, and a lone cell far out, for which the reader would fill a whole rectangle."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise RosterUnreadable
            for entry in entries:
                # A workbook may name any of its parts as a sheet.
                if entry.filename.lower().endswith((".xml", ".rels")) or "worksheet" in entry.filename.lower():
                    _refuse_far_cells(archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError) as error:
        raise RosterUnreadable from error


def _refuse_far_cells(part: bytes) -> None:
    if part.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")):
        raise RosterUnreadable  # UTF-16: no spreadsheet program writes it, and nothing in it can be seen here
    if b"sheetData" not in part:
        return
    for quoted in _STANDS.findall(part):
        reference = _REFERENCE.fullmatch(quoted[0] or quoted[1])
        if reference is None:
            raise RosterUnreadable
        column, row = reference[1].upper(), reference[2]
        if (len(column), column) > (2, b"AZ"):
            raise RosterUnreadable
        if int(row) > MAX_ROWS + 1:
            raise RosterTooLong(max_rows=MAX_ROWS)


def _csv(content: bytes) -> list[list[str]]:
    """UTF-8 with or without mark, UTF-16 with mark, else GB 18030; comma, tab or semicolon."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    codings = ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    for coding in codings:
        try:
            text = content.decode(coding)
        except UnicodeDecodeError:
            continue
        first = text.partition("\n")[0]
        delimiter = max(",\t;", key=first.count)
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            return list(islice(reader, MAX_ROWS + 2))
        except csv.Error as error:
            raise RosterUnreadable from error
    raise RosterUnreadable


def _rows(table: Sequence[Sequence[Any]]) -> Iterator[FileRow]:
    if not table:
        raise RosterUnreadable
    places = {column_of(str(heading)): at for at, heading in reversed(list(enumerate(table[0])))}
    missing = [column.heading for column in COLUMNS if column.needed and column.key not in places]
    if missing:
        raise RosterColumnMissing(columns="、".join(missing))
    if len(table) > MAX_ROWS + 1:
        raise RosterTooLong(max_rows=MAX_ROWS)
    places.pop(None, None)
    for number, line in enumerate(table[1:], start=2):
        values = {str(key): line[at] for key, at in places.items() if at < len(line)}
        cells = {key: _text(value) for key, value in values.items()}
        if any(cells.values()):
            dates = tuple(k for k, v in values.items() if isinstance(v, date | datetime | time | timedelta))
            yield FileRow(number, cells, dates)


def _text(value: Any) -> str:
    """A cell as text: whole numbers without a point, runs of blanks as one."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
