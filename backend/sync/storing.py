"""Storing judged records: one statement for the batch, halved with savepoints when a record is poison to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.inspections.archive import read_back, store_keys, store_places, store_records, unstore_records
from backend.inspections.record_kinds import RecordKind, Reference
from backend.sync.judging import Judged
from backend.sync.taking import Taking

#: SQLSTATE classes that blame the data: data exception, integrity constraint violation.
DATA_FAULTS: Final = ("22", "23")


@dataclass(slots=True)
class Stored:
    """What became of judged records.

    ``new`` and ``again``: in the archive, by this taking-in or before; ``reused``: the id names other bytes;
    ``poison``: the database or the kind refused it; ``unkept``: not there although nothing failed, never acknowledged.
    """

    new: list[Judged] = field(default_factory=list)
    again: list[Judged] = field(default_factory=list)
    reused: list[Judged] = field(default_factory=list)
    poison: list[Judged] = field(default_factory=list)
    unkept: list[Judged] = field(default_factory=list)


def store(taking: Taking, records: Sequence[Judged]) -> Stored:
    """Archive records (sorted by id), each id once. What is told to the phone is what was read back."""
    stored = Stored()
    session, community_id = taking.session, taking.community_id
    first: dict[UUID, Judged] = {}
    copies = [record for record in records if first.setdefault(record.row.id, record) is not record]
    batch = list(first.values())
    stored.poison = halving(
        session,
        batch,
        lambda part: store_records(
            session,
            community_id,
            taking.push_id,
            taking.install_id,
            [record.row for record in part],
            taking.repaired_from,
        ),
    )
    _read_back(taking, batch, copies, stored)
    store_keys(session, community_id, [record.key for record in stored.new])
    store_places(
        session,
        community_id,
        [(r.row.id, UUID(place)) for r in stored.new if len(r.places) > 1 for place in r.places[1:]],
    )
    return stored


def _read_back(taking: Taking, batch: Sequence[Judged], copies: Sequence[Judged], stored: Stored) -> None:
    """Sort records by what the archive really holds. ``copies`` are further records of the push with the same id."""
    differing = read_back(taking.session, taking.community_id, taking.push_id, [r.row for r in batch])
    poison = {(record.row.id, record.row.sha256) for record in stored.poison}
    own = {record.row.id: record.row.sha256 for record in batch if record.row.id not in differing}
    for record in batch:
        if record.row.id in own:
            stored.new.append(record)
        else:
            _sort_differing(record, differing[record.row.id].sha256, poison, stored)
    for record in copies:
        held = own.get(record.row.id) or differing[record.row.id].sha256
        _sort_differing(record, held, poison, stored)


def _sort_differing(record: Judged, held: bytes | None, poison: set[tuple[UUID, bytes]], stored: Stored) -> None:
    if held == record.row.sha256:
        stored.again.append(record)
    elif held is not None:
        stored.reused.append(record)
    elif (record.row.id, record.row.sha256) not in poison:
        stored.unkept.append(record)
    elif record not in stored.poison:
        stored.poison.append(record)


def keep_facts(taking: Taking, stored: Stored) -> list[Reference]:
    """Let the kinds of the new records keep their facts; returns what these made known.

    A record whose facts cannot be kept is taken out of the archive again and becomes poison.
    """
    known: list[Reference] = []
    new = sorted((r for r in stored.new if r.kind.keeps_facts), key=lambda r: r.kind.type)
    for _, group in groupby(new, key=lambda r: r.kind.type):
        records = list(group)
        kind = records[0].kind

        poison = halving(taking.session, records, partial(_write_facts, taking, kind, known))
        if poison:
            unstore_records(taking.session, taking.community_id, [record.row.id for record in poison])
            stored.poison += poison
            stored.new = [record for record in stored.new if record not in poison]
    return known


def _write_facts(taking: Taking, kind: RecordKind, known: list[Reference], records: Sequence[Judged]) -> None:
    known.extend(kind.on_stored(taking.intake(), [record.accepted(taking.install_id) for record in records]) or ())


def halving(session: Session, records: Sequence[Judged], write: Callable[[Sequence[Judged]], None]) -> list[Judged]:
    """Do ``write`` for all records but those it cannot be done for; returns these.

    Faults that do not blame the data (lost connection, deadlock, cancelled) are raised: the phone sends again.
    """
    if not records:
        return []
    try:
        with session.begin_nested():
            write(records)
        return []
    except Exception as error:
        if not _blames_data(error):
            raise
        if len(records) == 1:
            structlog.get_logger().warning(
                "record_is_poison", record_id=str(records[0].row.id), error=type(error).__name__
            )
            return list(records)
    half = len(records) // 2
    return [*halving(session, records[:half], write), *halving(session, records[half:], write)]


def _blames_data(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    # Without a state the driver itself refused a value (a lone surrogate, U+0000) or lost the connection.
    return state[:2] in DATA_FAULTS if state else not error.connection_invalidated and _is_encoding(error)


def _is_encoding(error: DBAPIError) -> bool:
    name = type(error.orig).__name__
    return name in ("DataError", "UnicodeEncodeError", "ProgrammingError")
