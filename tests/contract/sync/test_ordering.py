"""Amendments, voids and the order key: the set decides, never the order of arrival."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile_contract.sync.ordering import (
    NIL_INSTALL,
    Revision,
    Versions,
    console_key,
    effective_versions,
    first_install,
    order_key,
)
from tests.contract.sync.sync_samples import make_id

Resolve = Callable[[Iterable[Revision]], Versions]
IDS = [make_id(number) for number in range(6)]
AUTHORS = [make_id(900), make_id(901)]


@st.composite
def tangles(draw: st.DrawFn) -> list[Revision]:
    """Up to six records that correct each other in any way, even in circles and themselves."""
    found = []
    for record_id in IDS[: draw(st.integers(1, 6))]:
        target = draw(st.none() | st.sampled_from([*IDS, make_id(77)]))
        voids = draw(st.booleans())
        install, seq = make_id(draw(st.integers(50, 51))), draw(st.integers(0, 2))
        found.append(
            Revision(
                key=order_key(draw(st.integers(0, 3)), install, seq, record_id),
                type=draw(st.sampled_from(["visit", "task_step"])),
                author_id=draw(st.sampled_from(AUTHORS)),
                amends=None if voids else target,
                voids=target if voids else None,
                reason=draw(st.sampled_from([None, " ", "门牌写错"])),
                may_supervise=draw(st.booleans()),
            )
        )
    return found


@st.composite
def rivals(draw: st.DrawFn) -> list[Revision]:
    """One root and several lawful corrections of it."""
    times = draw(st.lists(st.integers(0, 9), min_size=2, max_size=5, unique=True))
    return [
        _root(),
        *(
            _correction(number, time, **{draw(st.sampled_from(["amends", "voids"])): IDS[0]})
            for number, time in enumerate(times, start=1)
        ),
    ]


@st.composite
def chains(draw: st.DrawFn) -> list[Revision]:
    """A root, a correction of it, and a correction of that correction."""
    return [
        _root(),
        _correction(1, draw(st.integers(0, 9))),
        _correction(2, draw(st.integers(0, 9)), amends=IDS[1]),
    ]


def revisions() -> st.SearchStrategy[list[Revision]]:
    return tangles() | rivals() | chains()


def last_arrival_wins(records: Iterable[Revision]) -> Versions:
    """Seeded bug: among corrections, the one that arrived last counts."""
    given_order = list(records)
    renumbered = [
        replace(record, key=record.key._replace(effective_ms=place)) if record.target else record
        for place, record in enumerate(given_order)
    ]
    return effective_versions(renumbered)


def chains_followed(records: Iterable[Revision]) -> Versions:
    """Seeded bug: a correction of a correction is applied to the correction's root."""
    by_id = {record.key.id: record for record in records}

    def root_of(record: Revision) -> Revision:
        target = by_id.get(record.amends or "")
        return replace(record, amends=target.amends) if target is not None and target.amends else record

    return effective_versions(root_of(record) for record in by_id.values())


def check_order_free(resolve: Resolve) -> None:
    @given(revisions(), st.randoms(use_true_random=False))
    def body(records: list[Revision], rng: object) -> None:
        shuffled = records + records[:2]
        rng.shuffle(shuffled)  # type: ignore[attr-defined]
        assert resolve(shuffled) == resolve(records)

    body()


def check_only_roots_are_corrected(resolve: Resolve) -> None:
    @settings(report_multiple_bugs=False)
    @given(revisions())
    def body(records: list[Revision]) -> None:
        by_id = {record.key.id: record for record in records}
        versions = resolve(records)
        for effective in versions.effective:
            for correction in effective.corrections:
                assert by_id[correction].target == effective.root_id
        for record in records:
            target = by_id.get(record.target or "")
            if target is not None and target.target is not None:
                assert versions.refused.get(record.key.id) == "not_root"

    body()


CHECKS = [(check_order_free, last_arrival_wins), (check_only_roots_are_corrected, chains_followed)]


@pytest.mark.parametrize(("check", "_twin"), CHECKS)
def test_effective_versions_keeps_its_promise(check: Callable[[Resolve], None], _twin: Resolve) -> None:
    check(effective_versions)


@pytest.mark.parametrize(("check", "twin"), CHECKS)
def test_effective_versions_seeded_bug_is_caught(check: Callable[[Resolve], None], twin: Resolve) -> None:
    with pytest.raises(AssertionError):
        check(twin)


@given(revisions())
def test_effective_versions_every_record_is_accounted_for_once(records: list[Revision]) -> None:
    versions = effective_versions(records)
    named = [item for effective in versions.effective for item in (effective.root_id, *effective.corrections)]
    named += [*versions.refused, *versions.waiting]
    assert sorted(named) == sorted(record.key.id for record in records)
    assert [item.key for item in versions.effective] == sorted(item.key for item in versions.effective)


def _root(effective_ms: int = 10) -> Revision:
    return Revision(order_key(effective_ms, IDS[0], 1, IDS[0]), "visit", AUTHORS[0])


def _correction(number: int, effective_ms: int, **changes: object) -> Revision:
    plain = Revision(order_key(effective_ms, IDS[0], 1, IDS[number]), "visit", AUTHORS[0])
    return replace(plain, **(changes or {"amends": IDS[0]}))  # type: ignore[arg-type]


def test_effective_versions_amendment_takes_the_roots_place_in_the_order() -> None:
    [found] = effective_versions([_correction(1, 99), _root()]).effective
    assert found.key == _root().key
    assert found.content_id == IDS[1]


def test_effective_versions_greatest_own_key_wins_among_amendments_and_voids() -> None:
    records = [_root(), _correction(1, 20), _correction(2, 30, voids=IDS[0])]
    assert effective_versions(records).effective[0].content_id is None
    records.append(_correction(3, 40))
    assert effective_versions(records).effective[0].content_id == IDS[3]
    assert effective_versions(records).effective[0].corrections == (IDS[1], IDS[2], IDS[3])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"author_id": AUTHORS[1]}, "not_author"),
        ({"author_id": AUTHORS[1], "may_supervise": True}, "reason_missing"),
        ({"author_id": AUTHORS[1], "may_supervise": True, "reason": "  "}, "reason_missing"),
        ({"author_id": AUTHORS[1], "may_supervise": True, "reason": "写错"}, None),
        ({"type": "task_step"}, "type_differs"),
        ({}, None),
    ],
)
def test_effective_versions_author_or_supervisor_with_reason(changes: dict[str, object], reason: str | None) -> None:
    versions = effective_versions([_root(), _correction(1, 20, amends=IDS[0], **changes)])
    assert versions.refused.get(IDS[1]) == reason


def test_effective_versions_correction_without_root_waits() -> None:
    versions = effective_versions([_correction(1, 20)])
    assert versions.waiting == {IDS[1]: IDS[0]}
    assert versions.effective == ()


def test_order_key_compares_time_install_seq_id_and_console_comes_first_at_equal_time() -> None:
    keys = [
        order_key(5, make_id(1), 9, make_id(1)),
        order_key(5, make_id(2), 1, make_id(1)),
        order_key(5, make_id(2), 2, make_id(1)),
        order_key(5, make_id(2).upper(), 2, make_id(2)),
        order_key(6, make_id(1), 0, make_id(1)),
    ]
    assert keys == sorted(keys)
    console = console_key(5, make_id(9))
    assert console < keys[0]
    assert console.install_id == NIL_INSTALL
    assert first_install([make_id(2), make_id(1).upper()]) == make_id(1)
