"""The registry: facts come in, the places they touch are folded anew, and whoever listens is told what changed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.identity.audit import audit
from backend.identity.models import Community
from backend.places.errors import (
    FieldCodeInvalid,
    FieldCodeTaken,
    PlaceIsRoot,
    PlaceKindsDiffer,
    PlaceMerged,
    PlaceParentWrong,
)
from backend.places.events import PlaceFact
from backend.places.facts import lock_places, store_facts
from backend.places.field_codes import is_own_code, normal_code, roster_place_id
from backend.places.kinds import may_hold
from backend.places.models import Place
from backend.places.projection import PlaceChange, refold
from backend.places.queries import find_by_code, get_place


@dataclass(slots=True)
class PlaceListeners:
    """A part of the runtime. Higher layers register what must happen, in the transaction that changes places, when
    places become known (records waited for them) or change in any way (the new ones included)."""

    on_known: list[Callable[[Session, UUID, Sequence[UUID]], None]] = field(default_factory=list)
    on_changed: list[Callable[[Session, UUID, Sequence[PlaceChange]], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlaceChanges:
    """What a set of facts did."""

    changes: tuple[PlaceChange, ...] = ()

    @property
    def known(self) -> tuple[UUID, ...]:
        """Ids of the places that became known, those that had waited for a parent included."""
        return tuple(change.place_id for change in self.changes if change.is_new)


def record_place_events(
    session: Session,
    community_id: UUID,
    facts: Iterable[PlaceFact],
    listeners: PlaceListeners | None = None,
) -> PlaceChanges:
    """Store facts and fold what they touch: in any order, any number of times, the result is the same.

    A place whose parents are all unknown is not made yet; it is made, with all that waits below it, when one of them
    becomes known. Locks the community's tree until the transaction ends. The root (社区) is made with the first fact.
    """
    facts = list(facts)
    if not facts:
        return PlaceChanges()
    lock_places(session, community_id)
    fresh = store_facts(session, community_id, [*_root(session, community_id), *facts])
    changes = PlaceChanges(tuple(refold(session, community_id, fresh))) if fresh else PlaceChanges()
    if listeners and changes.known:
        for on_known in listeners.on_known:
            on_known(session, community_id, changes.known)
    if listeners and changes.changes:
        for on_changed in listeners.on_changed:
            on_changed(session, community_id, changes.changes)
    return changes


def _root(session: Session, community_id: UUID) -> list[PlaceFact]:
    """The fact that makes the community itself the root of its tree, unless it is there."""
    there = select(Place.id).where(Place.community_id == community_id, Place.id == community_id)
    if session.scalar(there):
        return []
    name = session.scalar(select(Community.name).where(Community.community_id == community_id))
    data = {"kind": "community", "name": name or "社区"}
    return [PlaceFact(uuid5(community_id, "root"), community_id, "registered", 0, data=data)]


def proposal_event(
    record_id: UUID,
    place: dict[str, Any],
    *,
    effective_ms: int,
    install_id: UUID,
    seq: int,
    author_id: UUID,
    withdrawn: bool = False,
) -> PlaceFact:
    """The fact of a ``place_proposal`` record; ``place`` is its body as on the wire.

    A corrected proposal is the same fact again (the root's ``record_id`` and key) with the body that won, or with
    ``withdrawn`` and the root's own body when a void won; it replaces what was stored.
    """
    data = {name: place.get(name) for name in ("kind", "name", "address_raw", "location")}
    if withdrawn:
        data["withdrawn"] = True
    return PlaceFact(
        id=record_id,
        place_id=UUID(place["id"]),
        kind="proposed",
        effective_ms=effective_ms,
        target_id=UUID(place["parent_id"]),
        install_id=install_id,
        seq=seq,
        actor_id=author_id,
        data={name: value for name, value in data.items() if value is not None},
    )


@dataclass(frozen=True, slots=True)
class Office:
    """Who at the office changes the registry of which community, and when; ``scope`` limits what they reach."""

    session: Session
    community_id: UUID
    actor_id: UUID
    now_ms: int
    scope: tuple[str, ...] = ()
    listeners: PlaceListeners | None = None

    def record(self, action: str, fact: PlaceFact, **details: Any) -> None:
        """Store one fact and write it into the audit trail."""
        record_place_events(self.session, self.community_id, [fact], self.listeners)
        audit(
            self.session,
            self.community_id,
            action,
            f"place:{fact.place_id}",
            at_ms=self.now_ms,
            account_id=self.actor_id,
            **details,
        )


def register_place(
    office: Office,
    *,
    kind: str,
    parent_id: UUID,
    name: str,
    field_code: str | None = None,
    address_raw: str | None = None,
    location: dict[str, Any] | None = None,
) -> UUID:
    """Register one place; returns its id. PlaceNotFound, PlaceParentWrong, FieldCodeInvalid or FieldCodeTaken."""
    lock_places(office.session, office.community_id)
    parent = get_place(office.session, office.community_id, parent_id, office.scope)
    _check_holds(parent, kind)
    place_id = new_id()
    if field_code:
        field_code = normal_code(field_code)
        if not is_own_code(field_code):
            raise FieldCodeInvalid(field_code=field_code)
        place_id = roster_place_id(office.community_id, field_code)
        taken = find_by_code(office.session, office.community_id, field_code)
        if taken is not None:
            raise FieldCodeTaken(field_code=field_code)
    data = {
        "kind": kind,
        "name": name,
        "field_code": field_code,
        "address_raw": address_raw,
        "location": location,
    }
    said = {key: value for key, value in data.items() if value is not None}
    fact = _office_fact(office, "registered", place_id, parent_id, said)
    office.record("place_registered", fact)
    return place_id


def move_place(office: Office, place_id: UUID, parent_id: UUID) -> None:
    """Put a place, with all below it, under another parent.

    PlaceNotFound, PlaceIsRoot, PlaceMerged or PlaceParentWrong.
    """
    lock_places(office.session, office.community_id)
    place = get_place(office.session, office.community_id, place_id, office.scope)
    if place.parent_id is None:
        raise PlaceIsRoot
    parent = get_place(office.session, office.community_id, parent_id, office.scope)
    _check_holds(parent, place.kind)
    if place.parent_id != parent_id:
        office.record("place_moved", _office_fact(office, "moved", place_id, parent_id), parent_id=str(parent_id))


def merge_place(office: Office, place_id: UUID, into_id: UUID) -> None:
    """Say that a place is another one of the same kind: it stays readable and points at the survivor, which takes
    over what stands below it. PlaceNotFound, PlaceIsRoot, PlaceMerged or PlaceKindsDiffer."""
    lock_places(office.session, office.community_id)
    place = get_place(office.session, office.community_id, place_id, office.scope)
    into = get_place(office.session, office.community_id, into_id, office.scope)
    if place.parent_id is None:
        raise PlaceIsRoot
    if place.merged_into is not None or into.merged_into is not None:
        raise PlaceMerged(merged_into=str(place.merged_into or into.merged_into))
    if place.kind != into.kind or place_id == into_id:
        raise PlaceKindsDiffer
    office.record("place_merged", _office_fact(office, "merged", place_id, into_id), into_id=str(into_id))


def _check_holds(parent: Place, kind: str) -> None:
    if parent.merged_into is not None:
        raise PlaceMerged(merged_into=str(parent.merged_into))
    if not may_hold(parent.kind, kind):
        raise PlaceParentWrong(kind=kind, parent_kind=parent.kind)


def _office_fact(
    office: Office, kind: str, place_id: UUID, target_id: UUID, data: dict[str, Any] | None = None
) -> PlaceFact:
    return PlaceFact(new_id(), place_id, kind, office.now_ms, target_id, actor_id=office.actor_id, data=data or {})
