"""Taking persons out of what is held: the keys of the sealed rows are destroyed, what is left is sealed anew.

A record keeps its id, its hash and its answers without persons, so that a resend is a duplicate and no hazard changes;
``everything`` erases a record with its answers, and hazards that rested on it alone become void. Bytes in quarantine
are erased whole. Backups hold the old keys until they expire.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.inspections.archive import places_of_families
from backend.inspections.models import RecordKey
from backend.inspections.waiting import COMPILE
from backend.jobs import ledger
from backend.privacy.mentions import forms_of, note_mentions
from backend.privacy.personal import without_persons
from backend.privacy.sources import (
    NOTICE,
    ORDER,
    QUARANTINE,
    RECORD,
    SERVICE,
    SOURCES,
    STEP,
    OpenRow,
    Source,
    open_rows,
    reseal,
)
from backend.rectification.models import IssuedOrder
from backend.sync.erasure import copies_of, erase_copies, erase_record

#: On what ground something is erased; a code, so that the trail names nobody.
GROUNDS: Final = ("request", "retention", "withdrawn", "unlawful", "purpose_over")
PERSONS, EVERYTHING = "persons", "everything"


class Eraser:
    """Erases rows of one community in one transaction, for one ground."""

    def __init__(
        self,
        session: Session,
        runtime: Runtime,
        community_id: UUID,
        *,
        ground: str,
        reference: str | None = None,
        account_id: UUID | None = None,
        at_ms: int,
    ) -> None:
        self._session, self._community = session, community_id
        self._sealer = runtime.part(Keyring).sealer(session, community_id)
        self._form_of = forms_of(session, runtime)
        self._said = {"ground": ground, "reference": reference}
        self._account_id, self._at_ms = account_id, at_ms

    def erase(
        self, source: Source, ids: Collection[UUID], words: tuple[str, ...] = (), extent: str = PERSONS
    ) -> set[UUID]:
        """Erase rows; the ids of those that were there. ``words`` are taken out of prose as well."""
        rows = open_rows(self._session, self._sealer, self._community, source, ids, lock=True)
        for row in rows:
            self._erase(source, row, words, extent)
        done = {row.id for row in rows}
        if done:
            note_mentions(self._session, self._sealer, self._community, source, done, self._form_of)
        return done

    def _erase(self, source: Source, row: OpenRow, words: tuple[str, ...], extent: str) -> None:
        if source is QUARANTINE:
            erase_copies(self._session, self._community, [row.id])
        elif source is RECORD and extent == EVERYTHING:
            erase_record(
                self._session, self._community, row.id, self._account_id, self._said["ground"] or "", at_ms=self._at_ms
            )
        elif source is ORDER and extent == EVERYTHING:
            self._empty_order(row.id)
        elif source in (NOTICE, SERVICE):  # what was issued or served never changes: it can only be lost as a whole
            self._destroy_key(row.id)
        else:
            body = without_persons(row.body, self._form_of, words)
            reseal(self._session, self._sealer, self._community, source, row.id, body)
            if source is RECORD:
                erase_copies(self._session, self._community, copies_of(self._session, self._community, row.id))
        self._note(source, row, extent)
        self._compile(source, row)

    def _empty_order(self, order_id: UUID) -> None:
        self._destroy_key(order_id)
        self._session.execute(
            update(IssuedOrder)
            .where(IssuedOrder.community_id == self._community, IssuedOrder.id == order_id)
            .values(snapshot=b"")
        )

    def _destroy_key(self, row_id: UUID) -> None:
        self._session.execute(
            delete(RecordKey).where(RecordKey.community_id == self._community, RecordKey.record_id == row_id)
        )

    def _note(self, source: Source, row: OpenRow, extent: str) -> None:
        audit(
            self._session,
            self._community,
            "person_erased",
            f"{source.name}:{row.id}",
            account_id=self._account_id,
            at_ms=self._at_ms,
            extent=extent,
            **self._said,
        )

    def _compile(self, source: Source, row: OpenRow) -> None:
        """What was said of persons reaches tasks and phones: fold the places anew."""
        places: set[UUID] = set()
        if source is RECORD:
            places = places_of_families(self._session, self._community, {row.id})
        elif source is STEP and row.place_id is not None:
            places = {row.place_id}
        ledger.want(self._session, COMPILE, self._community, map(str, places))


def erase_named(
    eraser: Eraser, items: Iterable[dict[str, Any]], words: tuple[str, ...], extent: str
) -> list[tuple[str, UUID]]:
    """Erase the ``{source, id}`` of ``items``; those that were there."""
    wanted: dict[str, set[UUID]] = {}
    for item in items:
        wanted.setdefault(item["source"], set()).add(item["id"])
    done: list[tuple[str, UUID]] = []
    for name in sorted(wanted):
        done += [(name, row_id) for row_id in sorted(eraser.erase(SOURCES[name], wanted[name], words, extent))]
    return done
