"""Datums: conversions against a published vector and their own inverses."""

from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.places.coordinates import gcj02_to_bd09, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02

LATITUDES = st.floats(18.0, 53.0)
LONGITUDES = st.floats(74.0, 135.0)
METRES_PER_DEGREE = 111_320.0


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two near points."""
    return hypot(a[0] - b[0], (a[1] - b[1]) * cos(radians(a[0]))) * METRES_PER_DEGREE


def test_wgs84_to_gcj02_published_vector_matches() -> None:
    shifted = wgs84_to_gcj02(25.79, 113.03)
    assert shifted == pytest.approx((25.787073, 113.035561), abs=1e-6)
    assert metres((25.79, 113.03), shifted) == pytest.approx(645, abs=5)


@given(lat=LATITUDES, lon=LONGITUDES)
def test_convert_gcj02_back_is_within_a_millimetre(lat: float, lon: float) -> None:
    assert metres((lat, lon), gcj02_to_wgs84(*wgs84_to_gcj02(lat, lon))) < 0.001


@given(lat=LATITUDES, lon=LONGITUDES)
def test_convert_bd09_back_is_within_a_millimetre(lat: float, lon: float) -> None:
    baidu = gcj02_to_bd09(*wgs84_to_gcj02(lat, lon))
    assert metres((lat, lon), to_wgs84(*baidu, "bd09")) < 0.001


def test_convert_wgs84_changes_nothing() -> None:
    assert to_wgs84(25.79, 113.03, "wgs84") == (25.79, 113.03)


def test_convert_unknown_datum_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown datum"):
        to_wgs84(25.79, 113.03, "")


def test_invert_without_iterating_errs_by_more_than_the_tolerance() -> None:
    """The seeded bug: one step of the inverse is what the tolerance above must catch."""
    shifted = wgs84_to_gcj02(25.79, 113.03)
    again = wgs84_to_gcj02(*shifted)
    once = (2 * shifted.lat - again.lat, 2 * shifted.lon - again.lon)
    assert metres((25.79, 113.03), once) > 0.1
