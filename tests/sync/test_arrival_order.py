"""P2 at the door: whatever order records, copies and anchors arrive in, the archive and the registry end the same."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import backend.sync.resends as resends
from backend.db import new_id
from backend.inspections.models import Record, WaitingOn
from backend.places.models import Place
from backend.sync.taking import anchor_key
from mobile_contract.sync.clock import make_anchor
from tests.factories.identity import SECRET_KEY
from tests.factories.phones import Phone
from tests.sync.conftest import World

Sending = tuple[dict[str, Any], UUID]
SERVER_MS = 1_794_998_200_000


def anchor_of(install_id: UUID, boot_id: str, server_ms: int, elapsed_ms: int) -> dict[str, Any]:
    """An anchor as the server would sign it."""
    return make_anchor(anchor_key(SECRET_KEY), str(install_id), boot_id, server_ms, elapsed_ms).wire()


def make_sendings(world: World, phone: Phone, other: UUID) -> list[Sending]:
    """Records of one phone, some of which come again with other anchors, bad anchors, or from another installation."""
    own = phone.install_id
    early = anchor_of(own, "b1", SERVER_MS - 50_000, 990_000)
    late = anchor_of(own, "b1", SERVER_MS, 1_000_000)
    elsewhere = anchor_of(own, "b0", SERVER_MS - 9_000_000, 5_000)
    forged = {**late, "server_ms": 1}
    sendings: list[Sending] = []
    for home in world.tree.households[:4]:
        record = phone.visit(home)
        sendings += [({**record, "anchor": anchor}, own) for anchor in (late, early, elsewhere, forged, None)]
        sendings.append(({**record, "anchor": anchor_of(other, "b1", SERVER_MS - 70_000, 1_000_500)}, other))
    door = new_id()
    unit = world.tree.units[0]
    proposal = phone.proposal(door, unit, name="401室")
    renamed = phone.proposal(door, unit, name="402室", amends=proposal["id"])
    sendings += [({**record, "anchor": late}, own) for record in (proposal, renamed, phone.visit(door))]
    gone = new_id()
    found = phone.proposal(gone, unit, name="501室")
    sendings += [({**found, "anchor": late}, own), ({**phone.voiding(found), "anchor": early}, own)]
    return sendings


def outcome_of(world: World) -> tuple[Any, ...]:
    """Everything that must not depend on the order of arrival."""
    with world.db.transaction([world.community_id]) as session:
        records = session.execute(
            select(
                Record.id, Record.effective_ms, Record.time_quality, Record.install_id, Record.seq, Record.place_id
            ).order_by(Record.id)
        ).all()
        anchors = {row.id: sorted(map(str, row.anchors)) for row in session.execute(select(Record.id, Record.anchors))}
        places = session.execute(
            select(Place.id, Place.name, Place.withdrawn, Place.registered_ms).where(Place.origin == "field")
        ).all()
        waiting = session.execute(select(WaitingOn.record_id, WaitingOn.ref_type, WaitingOn.ref_id)).all()
        return (
            [tuple(row) for row in records],
            anchors,
            sorted(tuple(map(str, row)) for row in places),
            sorted(tuple(map(str, row)) for row in waiting),
        )


def check_order(make_world: Callable[..., World], seeds: Sequence[int]) -> None:
    """Send the same things to communities of their own in shuffled orders and batches; compare what each holds.

    Ids are unique per community, so the very same records go to each.
    """
    first = make_world()
    author = first.account()
    phone, other = first.phone(author), first.phone(author)
    sendings = make_sendings(first, phone, other.install_id)
    outcomes = []
    for seed in seeds:
        world = make_world()
        with_same_tree(world, first)
        rng = Random(seed)
        order = sendings + rng.choices(sendings, k=6)
        rng.shuffle(order)
        deliver(world, author, phone, other, order, rng)
        outcomes.append(outcome_of(world))
    assert all(outcome == outcomes[0] for outcome in outcomes[1:])


def with_same_tree(world: World, first: World) -> None:
    """The ids of ``first``'s places, registered in ``world`` too."""
    from backend.places.service import record_place_events
    from tests.factories.places import registered

    facts = [registered(first.tree.grids[0], "grid", "第1网格", world.community_id)]
    for building in first.tree.buildings:
        facts.append(registered(building, "building", "1栋", first.tree.grids[0]))
    for unit in first.tree.units:
        facts.append(registered(unit, "unit", "1单元", first.tree.building_of[unit]))
    for home in first.tree.households:
        unit = first.tree.units[first.tree.buildings.index(first.tree.building_of[home])]
        facts.append(registered(home, "household", "101室", unit))
    with world.db.transaction([world.community_id]) as session:
        record_place_events(session, world.community_id, facts)


def deliver(world: World, author: Any, phone: Phone, other: Phone, order: Sequence[Sending], rng: Random) -> None:
    """Push in batches of any size; each batch by one installation."""
    from tests.factories.identity import give_role

    give_role(world.db, author, world.community_id, "grid_worker")
    queue = list(order)
    while queue:
        size = rng.randint(1, 6)
        batch, queue = queue[:size], queue[size:]
        for install in {install for _, install in batch}:
            records = [record for record, by in batch if by == install]
            sender = phone if install == phone.install_id else other
            results = sender.push(*records, community_id=str(world.community_id))
            assert {result["status"] for result in results} <= {"stored", "duplicate"}, results


def test_push_any_order_of_arrival_gives_the_same_archive(make_world: Callable[..., World]) -> None:
    check_order(make_world, range(5))


def test_check_order_catches_the_anchor_that_came_first(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug: a resend's anchors are ignored."""

    def ignoring(taking: Any, row: Any, copies: Any) -> Any:
        values = {name: getattr(row, name) for name in ("anchors", "effective_ms", "time_quality", "install_id")}
        return {**values, "in_future": False}, False

    monkeypatch.setattr(resends, "_merged", ignoring)
    with pytest.raises(AssertionError):
        check_order(make_world, range(5))


def test_check_order_catches_corrections_heeded_only_after_their_root(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bug: a proposal makes its place from its own words, whatever corrections are here already."""
    import backend.inspections.proposals as proposals

    monkeypatch.setattr(
        proposals, "_corrected_roots", lambda intake, records: {r.root_id for r in records if r.root_id}
    )
    with pytest.raises(AssertionError):
        check_order(make_world, range(5))


def test_push_better_anchor_moves_the_record_and_compiles_it_anew(world: World) -> None:
    phone = world.phone()
    record = {**phone.visit(world.home), "anchor": None}
    assert phone.push(record)[0]["time_quality"] == "estimated"
    anchor = anchor_of(phone.install_id, "b1", SERVER_MS, 1_000_000)
    result = phone.push({**record, "anchor": anchor})[0]
    assert (result["status"], result["time_quality"]) == ("duplicate", "anchored")
    assert result["effective_at_ms"] == SERVER_MS + phone.elapsed_ms - 1_000_000
    from tests.sync.test_push import wanted_jobs

    assert wanted_jobs(world) == {str(world.home): 2}


def test_push_future_time_is_flagged_not_moved(world: World) -> None:
    phone = world.phone()
    future = anchor_of(phone.install_id, "b1", SERVER_MS + 10**12, 1_000_000)
    result = phone.push({**phone.visit(world.home), "anchor": future})[0]
    assert result["effective_at_ms"] > SERVER_MS + 10**11
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(Record.in_future)).all() == [True]
