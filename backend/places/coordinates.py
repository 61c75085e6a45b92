"""Coordinates: WGS-84 is what is stored; GCJ-02 and BD-09 are converted when, and only when, they are named.

The shift of GCJ-02 is the widely published, unofficial formula; its inverse is iterated, since applying the shift
backwards once errs by one or two metres.
"""

from math import atan2, cos, hypot, pi, sin, sqrt
from typing import Final, NamedTuple

DATUMS: Final = ("wgs84", "gcj02", "bd09")
_AXIS: Final = 6378245.0
_ECCENTRICITY_2: Final = 0.00669342162296594323
_BD: Final = pi * 3000.0 / 180.0
_ITERATIONS: Final = 30
_ENOUGH: Final = 1e-10
"""Degrees; a hundredth of a millimetre."""


class Point(NamedTuple):
    """Degrees, latitude first."""

    lat: float
    lon: float


def to_wgs84(lat: float, lon: float, datum: str) -> Point:
    """A point given in ``datum`` (wgs84, gcj02, bd09) as WGS-84. ValueError for any other datum: never guessed."""
    if datum == "wgs84":
        return Point(lat, lon)
    if datum == "gcj02":
        return gcj02_to_wgs84(lat, lon)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon))
    raise ValueError(f"unknown datum {datum!r}")


def in_china(lat: float, lon: float) -> bool:
    """Within the rectangle in which GCJ-02 is shifted."""
    return 0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347


def wgs84_to_gcj02(lat: float, lon: float) -> Point:
    """The published shift; outside China nothing is shifted."""
    if not in_china(lat, lon):
        return Point(lat, lon)
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    wave = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    d_lat += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    d_lat += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    d_lon += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    d_lon += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    rad = lat / 180.0 * pi
    magic = 1.0 - _ECCENTRICITY_2 * sin(rad) ** 2
    lat_metres = _AXIS * (1.0 - _ECCENTRICITY_2) / (magic * sqrt(magic)) * pi / 180.0
    lon_metres = _AXIS / sqrt(magic) * cos(rad) * pi / 180.0
    return Point(lat + d_lat / lat_metres, lon + d_lon / lon_metres)


def gcj02_to_wgs84(lat: float, lon: float) -> Point:
    """The point whose shift is ``(lat, lon)``, by fixed-point iteration."""
    guess = Point(lat, lon)
    for _ in range(_ITERATIONS):
        shifted = wgs84_to_gcj02(*guess)
        step = Point(lat - shifted.lat, lon - shifted.lon)
        guess = Point(guess.lat + step.lat, guess.lon + step.lon)
        if max(abs(step.lat), abs(step.lon)) < _ENOUGH:
            break
    return guess


def gcj02_to_bd09(lat: float, lon: float) -> Point:
    """Baidu's second shift."""
    radius = hypot(lon, lat) + 0.00002 * sin(lat * _BD)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BD)
    return Point(radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065)


def bd09_to_gcj02(lat: float, lon: float) -> Point:
    """The inverse of :func:`gcj02_to_bd09`, by the same iteration."""
    guess = Point(lat - 0.006, lon - 0.0065)
    for _ in range(_ITERATIONS):
        shifted = gcj02_to_bd09(*guess)
        step = Point(lat - shifted.lat, lon - shifted.lon)
        guess = Point(guess.lat + step.lat, guess.lon + step.lon)
        if max(abs(step.lat), abs(step.lon)) < _ENOUGH:
            break
    return guess
