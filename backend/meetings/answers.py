"""What was answered at doors, for the figures that hang on answers: read from the sealed archive, nothing kept.

Answers about health and need are told to no table: a projection of them would be a list of who is ill and who is poor.
So the records of a period are opened while a paper is made, and only the fields that figures ask for are held.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import CompoundSelect, and_, cast, func, select, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Text

from backend.identity.keys import Sealer
from backend.inspections.archive import load_records
from backend.inspections.models import Record, Visit
from backend.places.models import Place
from mobile_contract.sync.ordering import OrderKey, order_key

#: The fields that figures ask for, by form. Nothing else of an opened record is held.
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "anti_theft_window": ("opening", "retrofit_on"),
    "community_event": ("kind", "held_on", "units", "people"),
    "elderly_vaccination": ("person", "status"),
    "gas_retrofit": (),
    "helper_assignment": ("person", "assigned_on", "ended_on"),
    "low_income_review": ("case_ref", "actual"),
    "resident_request": ("result", "replied_on"),
    "self_built_house": ("appraisal", "grade", "report_on"),
    "smoke_alarm_install": ("installed_on",),
}
BATCH: Final = 500
FOREVER_MS: Final = 2**53


@dataclass(frozen=True, slots=True)
class Block:
    """What one block of a visit in force answered. ``place_id`` is the place's survivor, ``n`` the block's ordinal;
    ``said_ms``: when the record that counts was written, the visit's own or its correction's."""

    key: OrderKey
    said_ms: int
    visit_id: UUID
    n: int
    form: str
    place_id: UUID
    kind: str
    building_id: UUID | None
    answers: Mapping[str, Any]

    @property
    def at_ms(self) -> int:
        return self.key.effective_ms


class _Door(NamedTuple):
    id: UUID
    kind: str
    building_id: UUID | None
    withdrawn: bool


class Answers:
    """The blocks of one community's visits, in the running transaction's snapshot, in order-key order.

    What was read is kept as long as this object is, for the periods that one paper compares.
    """

    def __init__(self, session: Session, sealer: Sealer, community_id: UUID) -> None:
        self._session, self._sealer, self._community_id = session, sealer, community_id
        self._since_ms = FOREVER_MS
        self._known: set[UUID] = set()
        self._blocks: list[Block] = []

    def of(self, form: str, since_ms: int, until_ms: int | None = None) -> list[Block]:
        """The blocks of ``form`` that were filled, or corrected, since ``since_ms``; of those, filled before
        ``until_ms``."""
        if since_ms < self._since_ms:
            self._blocks = sorted((*self._blocks, *self._read(since_ms)), key=lambda block: (block.key, block.n))
            self._since_ms = since_ms
        last = len(self._blocks)
        if until_ms is not None:
            last = bisect_left(self._blocks, until_ms, key=lambda block: block.at_ms)
        return [b for b in self._blocks[:last] if b.form == form and max(b.at_ms, b.said_ms) >= since_ms]

    def pseudonym(self, value: object) -> UUID:
        """The same for equal values of this community, and telling nothing about them."""
        return UUID(self._sealer.keyed_hash(f"figure|{str(value).lower()}")[:32])

    def _read(self, since_ms: int) -> Iterator[Block]:
        """The blocks of visits made or corrected between ``since_ms`` and what was read before."""
        session, community_id = self._session, self._community_id
        found = session.execute(_visits(community_id, since_ms, self._since_ms)).all()
        visits = [row for row in found if row.id not in self._known]
        self._known |= {row.id for row in visits}
        for start in range(0, len(visits), BATCH):
            of_record = {row.record_id: row for row in visits[start : start + BATCH]}
            records = load_records(session, self._sealer, community_id, of_record)
            bodies = [(of_record[r.id], r.effective_ms, (r.payload or {}).get("visit") or {}) for r in records]
            yield from self._blocks_of(bodies)

    def _blocks_of(self, bodies: Sequence[tuple[Any, int, Mapping[str, Any]]]) -> Iterator[Block]:
        named = {UUID(block["place_id"]) for *_, body in bodies for block in body.get("blocks") or ()}
        doors = self._doors(named)
        for row, said_ms, body in bodies:
            key = order_key(row.effective_ms, row.install_id, row.seq, row.id)
            for n, block in enumerate(body.get("blocks") or ()):
                form, door = block["form"], doors.get(UUID(block["place_id"]))
                # The visit's own forms leave out what may not be filled for that kind of place.
                if form not in ASKED or form not in row.forms or door is None or door.withdrawn:
                    continue
                said = block.get("answers") or {}
                held = {name: said[name] for name in ASKED[form] if said.get(name) is not None}
                yield Block(key, said_ms, row.id, n, form, door.id, door.kind, door.building_id, held)

    def _doors(self, place_ids: set[UUID]) -> dict[UUID, _Door]:
        """Places by id; of a merged one, the one that stays."""
        found = self._places(place_ids)
        stay = self._places({row.merged_into for row in found.values() if row.merged_into is not None})
        doors = {}
        for place_id, row in found.items():
            one = row if row.merged_into is None else stay[row.merged_into]
            doors[place_id] = _Door(one.id, one.kind, one.building_id, one.withdrawn)
        return doors

    def _places(self, place_ids: set[UUID]) -> dict[UUID, Any]:
        p = Place
        rows = self._session.execute(
            select(p.id, p.kind, p.building_id, p.merged_into, p.withdrawn).where(
                p.community_id == self._community_id, p.id == func.any(list(place_ids))
            )
        )
        return {row.id: row for row in rows}


def _visits(community_id: UUID, since_ms: int, until_ms: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Visits made in that time, and others that were corrected in it, with the forms that figures ask about."""
    v, root, later = Visit, Record, aliased(Record)
    columns = (v.id, v.record_id, v.effective_ms, v.forms, root.install_id, root.seq)
    found = (
        select(*columns)
        .join(root, and_(root.community_id == v.community_id, root.id == v.id))
        .where(v.community_id == community_id, v.outcome == "done", v.forms.overlap(cast(list(ASKED), ARRAY(Text))))
    )
    corrected = found.join(later, and_(later.community_id == v.community_id, later.root_id == v.id))
    return union(
        found.where(v.effective_ms >= since_ms, v.effective_ms < until_ms),
        corrected.where(later.effective_ms >= since_ms, later.effective_ms < until_ms),
    )
