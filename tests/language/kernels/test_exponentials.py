"""Exponentials are as exact as they say, and know where they overflow and underflow."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from tests.language.kernels.exact import exact_exp, exact_expm1, exact_sigmoid, exact_tanh, load_kernel, ulps

EXP, EXPM1, SIGMOID, TANH = (load_kernel(k) for k in (kernels.exp, kernels.expm1, kernels.sigmoid, kernels.tanh))
LARGEST = 709.782712893384

NEAR_ZERO = st.floats(-1.0, 1.0) | st.floats(-1e-6, 1e-6) | st.floats(-3.0, 3.0)


@given(st.floats(-746.0, LARGEST) | NEAR_ZERO)
def test_exp_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(EXP(x), exact_exp(x)) < 1


@given(st.floats(-60.0, LARGEST) | NEAR_ZERO)
def test_expm1_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(EXPM1(x), exact_expm1(x)) < 1


@given(st.floats(-746.0, 60.0) | NEAR_ZERO)
def test_sigmoid_is_within_two_and_a_half_units_in_the_last_place(x: float) -> None:
    assert ulps(SIGMOID(x), exact_sigmoid(x)) < 2.5


@given(st.floats(-30.0, 30.0) | NEAR_ZERO)
def test_tanh_is_within_two_and_a_half_units_in_the_last_place(x: float) -> None:
    assert ulps(TANH(x), exact_tanh(x)) < 2.5
    assert TANH(-x) == -TANH(x)


# Arguments at which a step of the algorithm changes: multiples of log(2) and the halves between them.
@pytest.mark.parametrize("half", [*range(-120, 120), 2046, 2047, 2048, -2043, -2044, -2045, -2100, -2148, -2149, -2150])
def test_nothing_breaks_where_the_power_of_two_changes(half: int) -> None:
    middle = half * math.log(2) / 2
    for x in (math.nextafter(middle, -math.inf), middle, math.nextafter(middle, math.inf)):
        if x <= LARGEST:
            assert ulps(EXP(x), exact_exp(x)) < 1
            assert ulps(EXPM1(x), exact_expm1(x)) < 1


@pytest.mark.parametrize("kernel", [EXP, EXPM1])
def test_is_missing_from_the_first_number_that_overflows(kernel: Any) -> None:
    assert kernel(LARGEST) == pytest.approx(1.797693134862273e308, rel=1e-15)
    assert kernel(math.nextafter(LARGEST, math.inf)) is None
    assert kernel(1.7976931348623157e308) is None


def test_exp_underflows_through_the_subnormal_numbers() -> None:
    assert [EXP(x) for x in (0.0, -0.0, 5e-324, -745.13, -745.14, -1e308)] == [1.0, 1.0, 1.0, 5e-324, 0.0, 0.0]


def test_limits_are_reached_and_small_numbers_kept() -> None:
    assert [EXPM1(x) for x in (0.0, 5e-324, -5e-324, 1e-300, -38.0, -1e308)] == [0.0, 5e-324, -5e-324, 1e-300, -1, -1]
    assert [SIGMOID(x) for x in (0.0, 37.0, 1e308, -745.14, -1e308)] == [0.5, 1.0, 1.0, 0.0, 0.0]
    assert [TANH(x) for x in (0.0, 5e-324, -1e-300, 22.1, -1e308)] == [0.0, 5e-324, -1e-300, 1.0, -1.0]
