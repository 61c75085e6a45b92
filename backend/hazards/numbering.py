"""Ledger numbers ``{社区}-{form}-{year}-{seq}``: facts, given once and never reused."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend import clock
from backend.bulk import BulkInsert
from backend.hazards.models import LedgerCounter, LedgerNumber
from backend.identity.models import Community

_NUMBERS: Final = BulkInsert(
    LedgerNumber,
    ("hazard_id", "number", "form", "seq", "place_id", "chain", "locus"),
    constants=("community_id", "year"),
    conflict="",
)


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """A hazard without a number: its natural key, and when it was first registered."""

    hazard_id: UUID
    form: str
    place_id: UUID
    chain: str
    locus: str
    registered_ms: int


def give_numbers(session: Session, community_id: UUID, hazards: Iterable[Unnumbered]) -> dict[UUID, str]:
    """Give each hazard its number; returns them by hazard id. Locks the counters of the forms concerned.

    The year is that of entering the ledger: a phone without any clock may say 1970, and a later anchor something else.

    Which hazard gets which number depends on arrival: numbers are the one thing that may.
    """
    groups: dict[str, list[Unnumbered]] = {}
    for hazard in hazards:
        groups.setdefault(hazard.form, []).append(hazard)
    if not groups:
        return {}
    community = session.get_one(Community, community_id)
    year = clock.local_day(clock.now_ms(community.clock_offset_ms)).year
    numbers: dict[UUID, str] = {}
    rows = []
    for form, group in sorted(groups.items()):
        seq = _advance(session, community_id, form, year, len(group)) - len(group)
        for hazard in sorted(group, key=lambda h: (h.registered_ms, h.hazard_id)):
            seq += 1
            numbers[hazard.hazard_id] = f"{community.short_name}-{form}-{year}-{seq:04d}"
            number = numbers[hazard.hazard_id]
            rows.append((hazard.hazard_id, number, form, seq, hazard.place_id, hazard.chain, hazard.locus))
    _NUMBERS.run(session, tuple(zip(*rows, strict=True)), community_id=community_id, year=year)
    return numbers


def next_number(session: Session, community_id: UUID, series: str, at_ms: int) -> str:
    """The next number ``{社区}-{series}-{year}-{seq}`` of a series that is no form (``JB`` 交办单).

    Locks the series until the transaction ends, so that there is no gap; forms' codes are in lower case, a series' not.
    """
    year, seq = next_seq(session, community_id, series, at_ms)
    short_name = session.scalar(select(Community.short_name).where(Community.community_id == community_id))
    return f"{short_name}-{series}-{year}-{seq:04d}"


def next_seq(session: Session, community_id: UUID, series: str, at_ms: int) -> tuple[int, int]:
    """The year and the next number of a series in it, for papers that are numbered in a way of their own."""
    year = clock.local_day(at_ms).year
    return year, _advance(session, community_id, series, year, 1)


def _advance(session: Session, community_id: UUID, form: str, year: int, count: int) -> int:
    added = upsert(LedgerCounter).values(community_id=community_id, form=form, year=year, last_seq=count)
    moved = added.on_conflict_do_update(
        index_elements=[LedgerCounter.community_id, LedgerCounter.form, LedgerCounter.year],
        set_={"last_seq": LedgerCounter.last_seq + count},
    ).returning(LedgerCounter.last_seq)
    return session.execute(moved).scalar_one()
