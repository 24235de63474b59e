"""Sine, cosine and arctangent: exactness in every quarter, far out, and near the zeros."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from skewcheck.language.terms import column, walk
from skewcheck.language.types import FLOAT64
from tests.language.kernels.exact import exact_arctangent2, exact_cosine, exact_sine, load_kernel, ulps

SIN, COS, ATAN2 = (load_kernel(kernel) for kernel in (kernels.sin, kernels.cos, kernels.atan2))
BOUND = 2.0**30
HARDEST = 45.553093477052
"""Of all floats up to 2^30 the nearest to a multiple of pi / 2, found by continued fractions."""

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.floats(-BOUND, BOUND) | st.floats(-10.0, 10.0) | st.floats(-1e-5, 1e-5))
def test_sine_and_cosine_are_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(SIN(x), exact_sine(x)) < 1
    assert ulps(COS(x), exact_cosine(x)) < 1


@given(st.integers(-683_565_275, 683_565_275) | st.integers(-100, 100), st.integers(-2, 2))
def test_they_are_so_beside_every_multiple_of_a_quarter_turn(quarters: int, step: int) -> None:
    x = quarters * (math.pi / 2)
    x += step * math.ulp(x)
    assert ulps(SIN(x), exact_sine(x)) < 1
    assert ulps(COS(x), exact_cosine(x)) < 1


def test_the_float_nearest_to_a_multiple_of_a_quarter_turn() -> None:
    assert 0 < abs(COS(HARDEST) or 0) < 2.0**-60
    assert ulps(COS(HARDEST), exact_cosine(HARDEST)) < 1
    assert ulps(SIN(HARDEST), exact_sine(HARDEST)) < 1


def test_sine_and_cosine_end_at_two_to_the_thirtieth() -> None:
    beyond = math.nextafter(BOUND, math.inf)
    for kernel, exact in ((SIN, exact_sine), (COS, exact_cosine)):
        assert ulps(kernel(BOUND), exact(BOUND)) < 1
        assert ulps(kernel(-BOUND), exact(-BOUND)) < 1
        assert [kernel(x) for x in (beyond, -beyond, 1e300, None)] == [None] * 4


def test_sine_and_cosine_of_zero_and_of_tiny_angles() -> None:
    assert [SIN(x) for x in (0.0, -0.0, 5e-324, -1e-300)] == [0.0, 0.0, 5e-324, -1e-300]
    assert [COS(x) for x in (0.0, -0.0, 5e-324, -1e-300)] == [1.0] * 4


def test_sine_and_cosine_of_one_angle_reduce_it_once() -> None:
    x = column("x", FLOAT64)
    alone, both = len(walk(kernels.sin(x))), len(walk(kernels.sin(x), kernels.cos(x)))
    assert both - alone < 15


@given(FINITE | st.floats(-1.0, 1.0), FINITE | st.floats(-1.0, 1.0))
def test_the_angle_of_a_point_is_within_one_and_a_half_units_in_the_last_place(y: float, x: float) -> None:
    assert ulps(ATAN2(y, x), exact_arctangent2(y, x)) < 1.5


@given(st.floats(0.3, 3.0), st.sampled_from([1.0, -1.0]), st.sampled_from([1.0, -1.0]))
def test_the_angle_is_so_in_every_octant(quotient: float, up: float, right: float) -> None:
    for y, x in ((quotient, 1.0), (1.0, quotient), (quotient * 3, 3.0)):
        assert ulps(ATAN2(up * y, right * x), exact_arctangent2(up * y, right * x)) < 1.5


@pytest.mark.parametrize("quotient", [7 / 16, 11 / 16, 1.0, 16 / 11, 16 / 7])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_the_angle_is_so_where_the_algorithm_changes(quotient: float, step: int) -> None:
    y = quotient + step * math.ulp(quotient)
    for x in (1.0, -1.0):
        assert ulps(ATAN2(y, x), exact_arctangent2(y, x)) < 1.5


@pytest.mark.parametrize(
    ("y", "x", "expected"),
    [
        (0.0, 0.0, 0.0),
        (-0.0, -0.0, 0.0),
        (0.0, -0.0, 0.0),
        (0.0, 5.0, 0.0),
        (0.0, -5.0, math.pi),
        (-0.0, -5.0, math.pi),
        (5e-324, -1e308, math.pi),
        (-5e-324, -1e308, -math.pi),
        (5e-324, 5e-324, math.pi / 4),
        (1e308, 1e308, math.pi / 4),
        (1e308, -1e308, 3 * math.pi / 4),
        (2.0, 0.0, math.pi / 2),
        (-1e308, 5e-324, -math.pi / 2),
        (5e-324, 1e308, 0.0),
        (None, 1.0, None),
        (1.0, None, None),
    ],
)
def test_edges_of_the_angle(y: float | None, x: float | None, expected: float | None) -> None:
    assert ATAN2(y, x) == expected
