"""Roster import: a file against the registry. All rows or none, and the same file twice changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.identity.audit import audit
from backend.places.events import PlaceFact
from backend.places.facts import lock_places
from backend.places.field_codes import roster_place_id, unnamed_place_id
from backend.places.kinds import KIND_LABELS, may_hold
from backend.places.models import Place
from backend.places.projection import whereabouts
from backend.places.roster_file import read_roster
from backend.places.roster_report import RosterReport, RowError
from backend.places.roster_rows import RosterRow, check_row
from backend.places.service import PlaceListeners, record_place_events

__all__ = ["RosterReport", "import_roster"]


def import_roster(
    session: Session,
    community_id: UUID,
    file_bytes: bytes,
    filename: str | None,
    actor_id: UUID | None,
    now_ms: int,
    dry_run: bool,
    listeners: PlaceListeners | None = None,
) -> RosterReport:
    """Check a roster (XLSX, XLS, CSV) and, unless ``dry_run`` or a row is bad, take it in as facts at ``now_ms``.

    Raises RosterUnreadable (or a kind of it) when there are no rows to speak of. ``filename`` goes to the audit trail;
    ``actor_id`` None is the command line.
    """
    rows = read_roster(file_bytes)
    if not dry_run:
        lock_places(session, community_id)
    report = RosterReport(rows=len(rows))
    checked = [check_row(row, report.errors) for row in rows]
    registry = Registry.load(session, community_id)
    planned = _plan(registry, checked, report)
    facts = [
        fact for row, place_id, parent_id in planned for fact in _facts(registry, row, place_id, parent_id, report)
    ]
    if report.errors or dry_run:
        return report
    stamped = (_stamped(fact, actor_id, now_ms) for fact in facts)
    record_place_events(session, community_id, stamped, listeners)
    report.imported = True
    counts = {"rows": report.rows, "added": report.added, "changed": report.changed, "moved": report.moved}
    audit(
        session,
        community_id,
        "roster_imported",
        f"community:{community_id}",
        account_id=actor_id,
        at_ms=now_ms,
        filename=(filename or "")[:200],
        **counts,
    )
    return report


@dataclass(slots=True)
class Registry:
    """The registered places that rows are compared with."""

    community_id: UUID
    by_id: dict[UUID, Any]
    by_code: dict[str, Any]
    by_name: dict[tuple[UUID | None, str, str], Any]

    @classmethod
    def load(cls, session: Session, community_id: UUID) -> "Registry":
        """All places of the community: one query."""
        found = session.execute(
            select(
                Place.id,
                Place.kind,
                Place.parent_id,
                Place.name,
                Place.field_code,
                Place.address_raw,
                Place.latitude,
                Place.longitude,
                Place.accuracy_m,
                Place.datum,
                Place.merged_into,
            )
            .where(Place.community_id == community_id)
            .order_by(Place.id.desc())
        ).all()
        return cls(
            community_id,
            {p.id: p for p in found},
            {p.field_code: p for p in found},
            {(p.parent_id, p.kind, p.name): p for p in found if p.merged_into is None},
        )

    def id_of_code(self, code: str) -> UUID:
        """The id of the place with a code, registered or not."""
        known = self.by_code.get(code)
        return known.id if known else roster_place_id(self.community_id, code)

    def survivor(self, place_id: UUID) -> UUID:
        """The place that took over ``place_id``, or itself."""
        known = self.by_id.get(place_id)
        return known.merged_into or place_id if known else place_id


Planned = tuple[RosterRow, UUID, UUID]


def _plan(registry: Registry, rows: list[RosterRow], report: RosterReport) -> list[Planned]:
    """Each row with its place's id and its parent's; what is wrong between rows goes to the report."""
    in_file: dict[str, RosterRow] = {}
    for row in rows:
        if row.code and (first := in_file.setdefault(row.code, row)) is not row:
            details = {"value": row.code, "other": first.number}
            report.errors.append(RowError(row.number, "code", "row_code_twice", details))
    planned = []
    seen: dict[tuple[UUID, str, str], RosterRow] = {}
    for row in sorted(rows, key=lambda row: not row.code):
        parent_id = _parent(registry, row, in_file, report)
        if parent_id is None or not row.kind or not row.name:
            continue
        first = seen.setdefault((parent_id, row.kind, row.name), row)
        if first is not row and not row.code:
            report.errors.append(RowError(row.number, "name", "row_twice", {"other": first.number}))
        planned.append((row, _place_id(registry, row, parent_id), parent_id))
    return planned


def _parent(registry: Registry, row: RosterRow, in_file: dict[str, RosterRow], report: RosterReport) -> UUID | None:
    if not row.parent:
        if row.kind == "grid":
            return registry.community_id
        report.errors.append(RowError(row.number, "parent", "row_parent_missing"))
        return None
    known, listed = registry.by_code.get(row.parent), in_file.get(row.parent)
    if known is None and listed is None:
        report.errors.append(RowError(row.number, "parent", "row_parent_unknown", {"value": row.parent[:60]}))
        return None
    parent_kind = str(known.kind) if known else listed.kind if listed else ""
    if parent_kind and row.kind and not may_hold(parent_kind, row.kind):
        details = {
            "value": row.parent,
            "parent_kind": KIND_LABELS[parent_kind][0],
            "kind": KIND_LABELS[row.kind][0],
        }
        report.errors.append(RowError(row.number, "parent", "row_parent_wrong", details))
        return None
    return registry.survivor(registry.id_of_code(row.parent))


def _place_id(registry: Registry, row: RosterRow, parent_id: UUID) -> UUID:
    if row.code:
        return registry.id_of_code(row.code)
    known = registry.by_name.get((parent_id, row.kind, row.name))
    return known.id if known else unnamed_place_id(registry.community_id, parent_id, row.kind, row.name)


def _facts(
    registry: Registry, row: RosterRow, place_id: UUID, parent_id: UUID, report: RosterReport
) -> Iterable[PlaceFact]:
    """The facts that make the registry say what the row says; none when it says so already."""
    known = registry.by_id.get(place_id)
    said = {"name": row.name, "address_raw": row.address, "location": row.location}
    if known is None:
        report.added += 1
        said |= {"kind": row.kind, "field_code": row.code or None}
        yield PlaceFact(place_id, place_id, "registered", 0, parent_id, data=_without_blanks(said))
        return
    if known.kind != row.kind:
        details = {"value": row.code or row.name, "kind": KIND_LABELS[known.kind][0]}
        report.errors.append(RowError(row.number, "kind", "row_kind_changed", details))
        return
    edit = {} if known.merged_into else _without_blanks(said | _unchanged(known, row))
    is_moved = not known.merged_into and known.parent_id != parent_id
    report.changed += bool(edit)
    report.moved += is_moved
    report.unchanged += not edit and not is_moved
    if edit:
        yield PlaceFact(place_id, place_id, "registered", 0, data=edit)
    if is_moved:
        yield PlaceFact(place_id, place_id, "moved", 0, parent_id)


def _unchanged(known: Any, row: RosterRow) -> dict[str, Any]:
    """Blanks for what the registry says already; a blank cell says nothing."""
    same: dict[str, Any] = {}
    if known.name == row.name:
        same["name"] = None
    if known.address_raw == row.address:
        same["address_raw"] = None
    if row.location and all(getattr(known, n) == value for n, value in whereabouts(row.location).items()):
        same["location"] = None
    return same


def _without_blanks(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}


def _stamped(fact: PlaceFact, actor_id: UUID | None, now_ms: int) -> PlaceFact:
    """A planned fact with an id, a time and an author."""
    return PlaceFact(new_id(), fact.place_id, fact.kind, now_ms, fact.target_id, actor_id=actor_id, data=fact.data)
