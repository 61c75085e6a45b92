"""Who may correct the records of others: whoever held a role over the corrected record's place that may.

A record's place may become known, or move, after the record came; so this is judged at every fold and never kept.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from backend.identity.frozen_scopes import holding, roles_at, scope_places
from backend.inspections.archive import ArchivedRecord, revision_of
from backend.places.queries import stood_under
from mobile_contract.sync.ordering import Revision

CORRECT_OTHERS: Final = "record.correct"


def revisions(session: Session, community_id: UUID, records: Iterable[ArchivedRecord]) -> list[Revision]:
    """Records as far as amending is concerned; roots must be among them (a correction of one that is not waits)."""
    records = list(records)
    by_id = {record.id: record for record in records}
    judged = {
        record.id: (holding(record.actor_scopes, CORRECT_OTHERS), root.place_id)
        for record in records
        if record.root_id is not None
        and (root := by_id.get(record.root_id)) is not None
        and root.author_id != record.author_id
    }
    asked = {place for scopes, place in judged.values() if place is not None and scope_places(scopes)}
    above = stood_under(session, community_id, asked)
    may = {
        record_id
        for record_id, (scopes, place) in judged.items()
        if roles_at(scopes, () if place is None else above.get(place, {place}))
    }
    return [revision_of(record, may_supervise=record.id in may) for record in records]


def revisions_anywhere(records: Sequence[ArchivedRecord]) -> list[Revision]:
    """The same for records whose place is the very thing that is being decided: a role over any place will do."""
    return [revision_of(r, may_supervise=bool(holding(r.actor_scopes, CORRECT_OTHERS))) for r in records]
