"""A record that came again: only what stands outside the hash may differ, and it is kept as a set.

All valid anchors are kept and the smallest time counts; of several installations the smallest id counts. So the record
gets the same place in the order whichever copy came first.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from backend.inspections.archive import places_of_families
from backend.inspections.models import Record
from backend.sync.judging import Judged
from backend.sync.taking import Taking, kept_anchor
from mobile_contract.sync.clock import Anchor, effective_of
from mobile_contract.sync.ordering import first_install
from mobile_contract.sync.outcomes import TimeQuality
from mobile_contract.sync.payload import phone_time


class Standing(NamedTuple):
    """How a record stands after its copies were considered. ``erased``: lawfully, so nothing is asked for it."""

    effective_ms: int
    quality: TimeQuality
    erased: bool


def consider(taking: Taking, copies: Sequence[Judged]) -> tuple[dict[UUID, Standing], set[UUID]]:
    """Merge copies into their records. Returns how these stand, and the places whose compile must run anew."""
    if not copies:
        return {}, set()
    rows = taking.session.execute(
        select(
            Record.id,
            Record.install_id,
            Record.anchors,
            Record.effective_ms,
            Record.time_quality,
            Record.erased_at,
        )
        .where(
            Record.community_id == taking.community_id,
            Record.id == func.any(sorted({copy.row.id for copy in copies})),
        )
        .order_by(Record.id)
        .with_for_update()
    ).all()
    by_id: dict[UUID, list[Judged]] = {}
    for copy in copies:
        by_id.setdefault(copy.row.id, []).append(copy)
    standing: dict[UUID, Standing] = {}
    changed: list[dict[str, Any]] = []
    retimed: list[tuple[Judged, UUID]] = []
    for row in rows:
        values, moved = _merged(taking, row, by_id[row.id])
        standing[row.id] = Standing(
            values["effective_ms"], TimeQuality(values["time_quality"]), row.erased_at is not None
        )
        if values["anchors"] != row.anchors or moved:
            changed.append({"record": row.id, **values})
        if moved:
            copy = by_id[row.id][0]
            timed = copy.row._replace(effective_ms=values["effective_ms"])
            retimed.append((copy._replace(row=timed), values["install_id"]))
    return standing, _write(taking, changed, retimed)


def _merged(taking: Taking, row: Any, copies: Sequence[Judged]) -> tuple[dict[str, Any], bool]:
    """The record's new values, and whether its place in the order changed."""
    known = [Anchor.from_wire(anchor["install_id"], anchor) for anchor in row.anchors]
    anchors = dict.fromkeys([*known, *(a for copy in copies for a in taking.genuine(copy.good.anchor)[0])])
    time = phone_time(copies[0].good.data)
    effective_ms, quality = effective_of(time, tuple(anchors))
    install_id = UUID(first_install([row.install_id, taking.install_id]))
    values = {
        "anchors": [kept_anchor(anchor) for anchor in anchors],
        "effective_ms": effective_ms,
        "time_quality": quality.value,
        "install_id": install_id,
        "in_future": effective_ms > taking.now_ms,
    }
    return values, (effective_ms, install_id) != (row.effective_ms, row.install_id)


def _write(taking: Taking, changed: list[dict[str, Any]], retimed: list[tuple[Judged, UUID]]) -> set[UUID]:
    if not changed:
        return set()
    names = ("anchors", "effective_ms", "install_id", "time_quality", "in_future")
    taking.session.connection().execute(
        update(Record)
        .where(Record.community_id == taking.community_id, Record.id == bindparam("record"))
        .values({name: bindparam(name) for name in names}),
        changed,
    )
    for kind in {copy.kind.type: copy.kind for copy, _ in retimed if copy.kind.keeps_facts}.values():
        accepted = [copy.accepted(install) for copy, install in retimed if copy.kind.type == kind.type]
        kind.on_stored(taking.intake(), accepted)
    return places_of_families(taking.session, taking.community_id, {copy.row.id for copy, _ in retimed})
