"""Compiles places: facts in, projections, ledger numbers and feed rows out; only what changed is written.

A place's cost depends on that place's history alone. A compile may run any number of times, at any moment, by
several workers: an advisory lock per place orders it against steps taken at the console.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns.feed import tell_doors
from backend.campaigns.projecting import hold_campaigns
from backend.hazards.models import DatedFold
from backend.hazards.numbering import Unnumbered, give_numbers
from backend.http.context import Runtime
from backend.identity.models import Community
from backend.rectification import projection_tables as tables
from backend.rectification.families import with_survivors
from backend.rectification.projecting import Projection, Projector
from backend.sync.feed import Change, append_changes, area_scope

_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compile did: places looked at, hazards new, hazards changed (new ones included)."""

    places: int
    new_hazards: int
    changed_hazards: int


def compile_places(session: Session, runtime: Runtime, community_id: UUID, place_ids: Iterable[UUID | str]) -> Compiled:
    """Fold all facts of ``place_ids`` and bring their projections, numbers and feed rows up to date.

    A merged place brings its survivor along. Unknown places are passed over: their records wait, and are compiled when
    the place becomes known.
    """
    places = lock_places(session, community_id, {UUID(str(place_id)) for place_id in place_ids})
    projector = Projector.make(session, runtime, community_id)
    now_ms = clock.now_ms(clock_offset_ms(session, community_id))
    projection = projector.project(session, places, lambda _: now_ms)
    return store(session, community_id, projection)


def lock_places(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> list[UUID]:
    """Hold places against other compiles and steps until the transaction ends; in one order, so no deadlock.

    Returns what is held: the places, and those into which any of them were merged. Nothing else may be written.
    """
    hold_campaigns(session, community_id)
    held = with_survivors(session, community_id, place_ids)
    session.execute(_LOCK, {"keys": sorted({_lock_key(community_id, place_id) for place_id in held})})
    return held


def _lock_key(community_id: UUID, place_id: UUID) -> int:
    return (community_id.int ^ place_id.int) % 2**63


def clock_offset_ms(session: Session, community_id: UUID) -> int:
    """The simulated community's clock offset (0 for a real one)."""
    offset = session.scalar(select(Community.clock_offset_ms).where(Community.community_id == community_id))
    return offset or 0


def store(session: Session, community_id: UUID, projection: Projection) -> Compiled:
    """Write what differs from the stored projections; number new hazards; tell the feed."""
    places = list(projection.places)
    stored = {table.name: table.load(session, community_id, places) for table in tables.PLACE_TABLES}
    differences = {
        table.name: tables.differ(stored[table.name][0], projection.rows[table.name]) for table in tables.PLACE_TABLES
    }
    new = projection.hazards.keys() - projection.numbered
    changed = {key[0] for name in ("hazard", "rectification_task") for key in differences[name].keys}
    revisions = _next_revisions(stored["rectification_task"][1], changed)
    for key in revisions:
        if key not in differences["rectification_task"].missing:
            differences["rectification_task"].changed[key] = projection.rows["rectification_task"][key]
    uncompared = {"rectification_task": revisions, "dated_fold": projection.folded_as_of}
    for table in tables.PLACE_TABLES:
        if differences[table.name]:
            tables.write(session, table, community_id, differences[table.name], uncompared.get(table.name))
    _touch_dated(session, community_id, projection, differences["dated_fold"])
    here = {key[0] for key in (*stored["hazard"][0], *projection.rows["hazard"])}
    _store_transitions(session, community_id, projection, here - new)
    _tell_feed(session, community_id, projection, stored["hazard"][0], revisions)
    tell_doors(session, community_id, projection.told, {key[0] for key in differences["campaign_target"].keys})
    # Last, because it holds the counter of the form and year against all other compiles until the commit.
    _number(session, community_id, projection, new)
    return Compiled(len(places), len(new), len(changed))


def _number(session: Session, community_id: UUID, projection: Projection, new: Iterable[UUID]) -> None:
    """Give a number to every hazard that has none."""
    unnumbered = [
        Unnumbered(
            hazard_id=identity,
            form=(hazard := projection.hazards[identity]).form,
            place_id=projection.rows["hazard"][(identity,)][0],
            chain=hazard.chain,
            locus=hazard.locus,
            registered_ms=hazard.changes[0].effective_ms,
        )
        for identity in new
    ]
    give_numbers(session, community_id, unnumbered)


def _next_revisions(revisions: dict[tables.Key, tables.Values], changed: set[UUID]) -> dict[tables.Key, tables.Values]:
    return {(identity,): (revisions.get((identity,), (0,))[0] + 1,) for identity in changed}


def _touch_dated(session: Session, community_id: UUID, projection: Projection, difference: tables.Difference) -> None:
    """Note for which moment a dated place was folded, even when nothing else about it changed."""
    for key, (as_of,) in projection.folded_as_of.items():
        if key not in difference.missing and key not in difference.changed:
            held = session.get(DatedFold, (community_id, key[0]))
            if held is not None:
                held.folded_as_of = as_of
    session.flush()


def _store_transitions(session: Session, community_id: UUID, projection: Projection, known: set[UUID]) -> None:
    """Transitions hang on hazards, not places; only a hazard without a number cannot have any yet."""
    stored = tables.TRANSITION.load(session, community_id, list(known))[0]
    difference = tables.differ(stored, projection.rows["transition"])
    if difference:
        tables.write(session, tables.TRANSITION, community_id, difference)


def _tell_feed(
    session: Session,
    community_id: UUID,
    projection: Projection,
    stored_hazards: tables.Rows,
    revisions: dict[tables.Key, tables.Values],
) -> None:
    grid, merged = (tables.HAZARD.values.index(name) for name in ("grid_id", "duplicate_of"))
    changes = []
    for key, (rev,) in sorted(revisions.items()):
        scope = area_scope(projection.rows["hazard"][key][grid] or community_id)
        held = stored_hazards.get(key)
        before = area_scope(held[grid] or community_id) if held is not None else scope
        if before != scope:
            changes.append(Change(before, "task", str(key[0]), "del", rev))
        shown = key[0] in projection.hazards or projection.rows["hazard"][key][merged] is not None
        changes.append(Change(scope, "task", str(key[0]), "put" if shown else "del", rev))
    append_changes(session, community_id, changes)
