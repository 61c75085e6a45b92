"""Time from boot anchors: the wall clock and the order of arrival change nothing."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_contract.sync.clock import Anchor, PhoneTime, effective_time, is_genuine, make_anchor
from mobile_contract.sync.outcomes import TimeQuality
from tests.contract.sync.sync_samples import INSTALL

KEY = b"a test key, not a secret"
OTHER_KEY = b"another key"
BOOTS = st.sampled_from(["b1", "b2", "b3"])
MS = st.integers(min_value=0, max_value=2**41)
Effective = Callable[[PhoneTime, Iterable[Anchor], bytes], tuple[int, TimeQuality]]

ANCHORS = st.builds(make_anchor, st.sampled_from([KEY, KEY, OTHER_KEY]), st.just(INSTALL), BOOTS, MS, MS)
TIMES = st.builds(PhoneTime, st.integers(-(2**53), 2**53), MS, BOOTS)


def first_anchor_counts(time: PhoneTime, anchors: Iterable[Anchor], key: bytes) -> tuple[int, TimeQuality]:
    """Seeded bug: the anchor that arrived first decides."""
    return effective_time(time, list(anchors)[:1], key)


def wall_clock_counts(time: PhoneTime, anchors: Iterable[Anchor], key: bytes) -> tuple[int, TimeQuality]:
    """Seeded bug: without an anchor of this boot the wall clock is believed."""
    found, quality = effective_time(time, anchors, key)
    return (found, quality) if quality is TimeQuality.ANCHORED else (time.wall_ms, quality)


def unchecked_mac(time: PhoneTime, anchors: Iterable[Anchor], key: bytes) -> tuple[int, TimeQuality]:
    """Seeded bug: anybody may make anchors."""
    signed = [make_anchor(key, a.install_id, a.boot_id, a.server_ms, a.elapsed_ms) for a in anchors]
    return effective_time(time, signed, key)


def check_order_free(effective: Effective) -> None:
    @given(TIMES, st.lists(ANCHORS, max_size=5), st.randoms(use_true_random=False))
    def body(time: PhoneTime, anchors: list[Anchor], rng: object) -> None:
        shuffled = anchors + anchors[:2]
        rng.shuffle(shuffled)  # type: ignore[attr-defined]
        assert effective(time, shuffled, KEY) == effective(time, anchors, KEY)

    body()


def check_wall_clock_is_irrelevant(effective: Effective) -> None:
    @given(TIMES, st.lists(ANCHORS, max_size=5), st.integers(-(10**12), 10**12))
    def body(time: PhoneTime, anchors: list[Anchor], error: int) -> None:
        wrong = time._replace(wall_ms=time.wall_ms + error)
        assert effective(wrong, anchors, KEY) == effective(time, anchors, KEY)

    body()


def check_forged_anchors_count_as_none(effective: Effective) -> None:
    @given(TIMES, st.lists(ANCHORS, max_size=5))
    def body(time: PhoneTime, anchors: list[Anchor]) -> None:
        genuine = [anchor for anchor in anchors if is_genuine(KEY, anchor)]
        assert effective(time, anchors, KEY) == effective(time, genuine, KEY)

    body()


CHECKS = [
    (check_order_free, first_anchor_counts),
    (check_wall_clock_is_irrelevant, wall_clock_counts),
    (check_forged_anchors_count_as_none, unchecked_mac),
]


@pytest.mark.parametrize(("check", "_twin"), CHECKS)
def test_effective_time_keeps_its_promise(check: Callable[[Effective], None], _twin: Effective) -> None:
    check(effective_time)


@pytest.mark.parametrize(("check", "twin"), CHECKS)
def test_effective_time_seeded_bug_is_caught(check: Callable[[Effective], None], twin: Effective) -> None:
    with pytest.raises(AssertionError):
        check(twin)


@given(st.integers(10**12, 2 * 10**12), MS, st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_effective_time_same_boot_is_exact_whatever_anchor(boot_ms: int, elapsed: int, reads: list[int]) -> None:
    anchors = [make_anchor(KEY, INSTALL, "b1", boot_ms + read, read) for read in reads]
    assert effective_time(PhoneTime(0, elapsed, "b1"), anchors, KEY) == (
        boot_ms + elapsed,
        TimeQuality.ANCHORED,
    )


def test_effective_time_other_boot_is_a_lower_bound() -> None:
    anchors = [make_anchor(KEY, INSTALL, "b1", 5000, 10), make_anchor(KEY, INSTALL, "b2", 4000, 10)]
    assert effective_time(PhoneTime(0, 99, "b9"), anchors, KEY) == (4000, TimeQuality.ESTIMATED)
    assert effective_time(PhoneTime(0, 99, "b1"), anchors, KEY) == (5089, TimeQuality.ANCHORED)
    assert effective_time(PhoneTime(0, 99, "b1"), [], KEY) == (0, TimeQuality.ESTIMATED)


def test_effective_time_absurd_readings_stay_within_the_wire() -> None:
    anchors = [make_anchor(KEY, INSTALL, "b1", 2**53 - 1, 0)]
    assert effective_time(PhoneTime(0, 2**53 - 1, "b1"), anchors, KEY)[0] == 2**53 - 1
    assert effective_time(PhoneTime(0, -(2**53) + 1, "b1"), anchors, KEY)[0] == 0


@pytest.mark.parametrize("change", ["install_id", "boot_id", "server_ms", "elapsed_ms", "mac"])
def test_is_genuine_any_changed_part_is_noticed(change: str) -> None:
    anchor = make_anchor(KEY, INSTALL, "b1", 1000, 10)
    assert is_genuine(KEY, anchor)
    assert Anchor.from_wire(INSTALL, anchor.wire()) == anchor
    parts = {"install_id": INSTALL, **anchor.wire()}
    parts[change] = parts[change] + 1 if isinstance(parts[change], int) else "\ud800" + str(parts[change])
    assert not is_genuine(KEY, Anchor(**parts))
