"""Quantiles of the standard normal distribution."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from skewcheck.language import kernels
from tests.language.kernels.exact import load_kernel

INVERSE_NORMAL = load_kernel(kernels.inverse_normal)

INSIDE = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)
NEAR_ONE = st.integers(1, 1000).map(lambda count: 1 - count * 2.0**-53)


@given(INSIDE | st.floats(5e-324, 1e-9) | st.floats(1e-300, 1e-3) | NEAR_ONE)
def test_agrees_with_another_implementation(p: float) -> None:
    assert INVERSE_NORMAL(p) == pytest.approx(float(ndtri(p)), rel=2e-15)


@pytest.mark.parametrize("p", [0.075, 0.925, 0.5 - 0.425, math.exp(-25), 1 - math.exp(-25), 0.5 - 2.0**-54])
def test_agrees_with_the_standard_library_where_the_formula_changes(p: float) -> None:
    for value in (math.nextafter(p, 0), p, math.nextafter(p, 1)):
        assert INVERSE_NORMAL(value) == pytest.approx(NormalDist().inv_cdf(value), rel=2e-15)


@given(INSIDE)
def test_never_falls(p: float) -> None:
    above = math.nextafter(p, 1)
    if above < 1:
        assert INVERSE_NORMAL(p) <= INVERSE_NORMAL(above) + 1e-14 * abs(INVERSE_NORMAL(p))


def test_the_middle_is_zero_and_the_sides_mirror() -> None:
    assert INVERSE_NORMAL(0.5) == 0.0
    for power in range(1, 50):
        assert INVERSE_NORMAL(2.0**-power) == -INVERSE_NORMAL(1 - 2.0**-power)


def test_is_missing_outside_zero_to_one() -> None:
    assert [INVERSE_NORMAL(p) for p in (0.0, -0.0, 1.0, -0.1, 1.1, 1e300, None)] == [None] * 7
