"""The distance of two points, near, far, opposite, at the poles and across the 180th meridian."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from tests.language.kernels.exact import exact_haversine, load_kernel

HAVERSINE = load_kernel(kernels.haversine)
HALF = math.pi * 6371.0088

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


def error_of(*degrees: float) -> float:
    found = HAVERSINE(*degrees)
    assert found is not None
    return abs(found - float(exact_haversine(*degrees)))


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_any_two_points(first: float, west: float, second: float, east: float) -> None:
    assert error_of(first, west, second, east) < 1e-11


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_near_points_keep_their_digits(first: float, west: float, up: float, right: float) -> None:
    assert error_of(first, west, first + up, west + right) < 1e-14


@given(st.floats(-89, 89), st.floats(-179, -1), st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_opposite_points_keep_their_digits(first: float, west: float, up: float, right: float) -> None:
    assert error_of(first, west, up - first, west + 180 + right) < 1e-11


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ((12.5, 3.25, 12.5, 3.25), 0.0),
        ((90.0, 0.0, 90.0, 120.0), 0.0),
        ((0.0, -180.0, 0.0, 180.0), 0.0),
        ((90.0, 17.0, -90.0, -3.0), HALF),
        ((0.0, 0.0, 0.0, 180.0), HALF),
        ((0.0, 0.0, 0.0, 90.0), HALF / 2),
        ((0.0, -90.0, 90.0, 0.0), HALF / 2),
    ],
)
def test_points_whose_distance_is_known(points: tuple[float, ...], expected: float) -> None:
    assert HAVERSINE(*points) == pytest.approx(expected, rel=1e-15, abs=1e-12)


@given(st.floats(1e-9, 1.0), st.floats(1e-9, 1.0))
def test_nothing_is_lost_across_the_last_meridian(left: float, right: float) -> None:
    assert error_of(0.0, 180.0 - left, 0.0, right - 180.0) < 1e-13


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_the_way_back_is_as_long(first: float, west: float, second: float, east: float) -> None:
    assert HAVERSINE(first, west, second, east) == HAVERSINE(second, east, first, west)


@pytest.mark.parametrize("place", range(4))
def test_is_missing_outside_the_globe(place: int) -> None:
    bound = (90.0, 180.0, 90.0, 180.0)[place]
    for sign in (1.0, -1.0):
        edge = [0.0] * 4
        edge[place] = sign * bound
        assert HAVERSINE(*edge) is not None
        edge[place] = math.nextafter(sign * bound, sign * math.inf)
        assert HAVERSINE(*edge) is None
    missing: list[float | None] = [0.0] * 4
    missing[place] = None
    assert HAVERSINE(*missing) is None
