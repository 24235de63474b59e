"""Logarithms are as exact as a good libm's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from tests.adversarial import FLOATS
from tests.language.kernels.exact import exact_log, exact_log1p, exact_log2, exact_log10, load_kernel, ulps

LOG, LOG1P, LOG2, LOG10 = (load_kernel(k) for k in (kernels.log, kernels.log1p, kernels.log2, kernels.log10))

POSITIVE = st.floats(min_value=5e-324, allow_infinity=False) | st.floats(0.25, 4.0) | st.floats(0.999, 1.001)


@given(POSITIVE)
def test_logarithms_are_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(LOG(x), exact_log(x)) < 1
    assert ulps(LOG2(x), exact_log2(x)) < 1
    assert ulps(LOG10(x), exact_log10(x)) < 1


@given(
    st.floats(min_value=-1.0, allow_infinity=False, exclude_min=True)
    | st.floats(-1e-3, 1e-3)
    | st.floats(-1.0, 4.0, exclude_min=True)
)
def test_log1p_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert ulps(LOG1P(x), exact_log1p(x)) < 1


@pytest.mark.parametrize("x", [value for value in FLOATS if value is not None and math.isfinite(value)])
def test_logarithms_of_the_hard_values(x: float) -> None:
    for kernel, exact in ((LOG, exact_log), (LOG2, exact_log2), (LOG10, exact_log10)):
        assert ulps(kernel(x), exact(x)) < 1 if x > 0 else kernel(x) is None
    assert ulps(LOG1P(x), exact_log1p(x)) < 1 if x > -1 else LOG1P(x) is None


def test_powers_of_two_have_whole_logarithms_to_base_two() -> None:
    assert [LOG2(2.0**power) for power in range(-1074, 1024)] == list(range(-1074, 1024))


def test_powers_of_ten_have_whole_logarithms_to_base_ten() -> None:
    assert [LOG10(float(f"1e{power}")) for power in range(-307, 309)] == list(range(-307, 309))


def test_log_of_every_power_of_two_is_within_one_unit_in_the_last_place() -> None:
    assert all(abs(LOG(2.0**k) - math.log(2.0**k)) <= math.ulp(math.log(2.0**k)) for k in range(-1074, 1024))
