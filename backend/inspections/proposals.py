"""The record type ``place_proposal``: a door found in the field becomes a fact of the registry at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from backend.inspections.archive import ArchivedRecord, load_records
from backend.inspections.models import Record
from backend.inspections.record_kinds import (
    AcceptedRecord,
    FormLookup,
    Intake,
    Payload,
    RecordKind,
    Reference,
)
from backend.inspections.supervising import revisions_anywhere
from backend.places.events import PlaceFact
from backend.places.service import PlaceListeners, record_place_events
from mobile_contract.sync.ordering import effective_versions
from mobile_contract.sync.outcomes import Problem

TYPE: Final = "place_proposal"


def places_of(payload: Payload) -> Sequence[str]:
    """The place it proposes."""
    place = payload.get("place")
    return () if place is None else (place["id"].lower(),)


def references(payload: Payload) -> Sequence[Reference]:
    """Its parent; the place itself is what it makes known."""
    place = payload.get("place")
    return () if place is None else (Reference("place", place["parent_id"].lower()),)


def validate(payload: Payload, form_of: FormLookup) -> list[Problem]:
    """Nothing beyond the frame: whether the place fits under its parent is the registry's to fold."""
    return []


def proposal_kind(listeners: PlaceListeners) -> RecordKind:
    """The kind, telling ``listeners`` what changes. Who waits for a place is woken by the push itself, in its turn."""

    def on_stored(intake: Intake, records: Sequence[AcceptedRecord]) -> Sequence[Reference]:
        quiet = PlaceListeners(on_known=[], on_changed=listeners.on_changed)
        facts = proposal_facts(intake, records)
        changes = record_place_events(intake.session, intake.community_id, facts, quiet)
        return [Reference("place", str(place_id)) for place_id in changes.known]

    return RecordKind(TYPE, places_of, references, validate, on_stored, keeps_facts=True)


def proposal_facts(intake: Intake, records: Sequence[AcceptedRecord]) -> list[PlaceFact]:
    """One fact for each root among ``records``' families, as its corrections leave it.

    A correction whose root is not here yet makes no fact: it is heeded when the root arrives.
    """
    corrected = _corrected_roots(intake, records)
    facts = [
        _fact(record.id, record, record.payload["place"])
        for record in records
        if record.root_id is None and record.id not in corrected
    ]
    for root, content in _resolved(intake, corrected):
        if root.payload is None or root.payload.get("place") is None:
            continue
        place = dict(root.payload["place"])
        if content is None:
            place["withdrawn"] = True
        elif content.payload is not None:
            place = {**content.payload["place"], "id": place["id"]}
        facts.append(_fact(root.id, root, place))
    return facts


def _corrected_roots(intake: Intake, records: Sequence[AcceptedRecord]) -> set[UUID]:
    roots = {record.root_id for record in records if record.root_id is not None}
    asked = list({record.id for record in records} | roots)
    rows = intake.session.scalars(
        select(Record.root_id).where(
            Record.community_id == intake.community_id,
            Record.type == TYPE,
            Record.root_id == func.any(asked),
        )
    )
    return roots | {root_id for root_id in rows if root_id is not None}


def _resolved(intake: Intake, roots: set[UUID]) -> list[tuple[ArchivedRecord, ArchivedRecord | None]]:
    """Each root with the record whose body counts, or None when it was voided."""
    if not roots:
        return []
    corrections = intake.session.scalars(
        select(Record.id).where(Record.community_id == intake.community_id, Record.root_id == func.any(list(roots)))
    ).all()
    family = load_records(intake.session, intake.sealer, intake.community_id, {*roots, *corrections})
    by_id = {str(record.id): record for record in family}
    # Where a proposed door stands is what its corrections decide, so it cannot decide who may correct.
    versions = effective_versions(revisions_anywhere(family))
    return [
        (by_id[version.root_id], None if version.content_id is None else by_id[version.content_id])
        for version in versions.effective
        if by_id[version.root_id].type == TYPE
    ]


def _fact(root_id: UUID, record: AcceptedRecord | ArchivedRecord, place: Mapping[str, Any]) -> PlaceFact:
    data = {
        "kind": place["kind"],
        "name": place["name"],
        "address_raw": place.get("address_raw"),
        "location": place.get("location"),
    }
    if place.get("withdrawn"):
        data["withdrawn"] = True
    return PlaceFact(
        root_id,
        UUID(place["id"]),
        "proposed",
        record.effective_ms,
        UUID(place["parent_id"]),
        record.install_id,
        record.seq,
        record.author_id,
        {key: value for key, value in data.items() if value is not None},
    )
