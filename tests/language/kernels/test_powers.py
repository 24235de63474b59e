"""Powers: exactness, every edge case, and the same meaning for a constant exponent."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from skewcheck.language.terms import column, literal
from skewcheck.language.types import FLOAT64
from tests.adversarial import FLOATS
from tests.both_engines import evaluate_terms
from tests.language.kernels.exact import exact_power, load_kernel, ulps

POWER = load_kernel(kernels.power)
HUGE, TINY = 1.7976931348623157e308, 5e-324

BASES = st.floats(min_value=TINY, allow_infinity=False) | st.floats(0.5, 2.0) | st.floats(0.999999, 1.000001)


@given(BASES, st.floats(-1.0, 1.0) | st.floats(-100, 100) | st.integers(-10, 10).map(float), st.booleans())
def test_is_within_one_unit_in_the_last_place(x: float, y: float, spread: bool) -> None:
    """Where `spread`, the exponent is stretched so that the result may lie anywhere in the range of a Float64."""
    if spread and x != 1:
        y = max(-1.0, min(1.0, y)) * 1076 / abs(math.log2(x) or math.inf)
    exact = exact_power(x, y)
    found = POWER(x, y)
    if found is None:
        assert exact > Fraction(HUGE) * (1 - Fraction(1, 2**53))
    else:
        assert ulps(found, exact) < 1


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0.0, 0.0, 1.0),
        (-0.0, 0.0, 1.0),
        (HUGE, 0.0, 1.0),
        (-1.5, -0.0, 1.0),
        (1.0, HUGE, 1.0),
        (1.0, -HUGE, 1.0),
        (-1.0, HUGE, 1.0),
        (-1.0, 2.0**53 - 1, -1.0),
        (-1.0, 2.0**53, 1.0),
        (0.0, TINY, 0.0),
        (0.0, HUGE, 0.0),
        (-0.0, 3.0, 0.0),
        (0.0, -TINY, None),
        (-0.0, -1.0, None),
        (-8.0, 1 / 3, None),
        (-2.0, 2.0, 4.0),
        (-2.0, 3.0, -8.0),
        (-2.0, -1.0, -0.5),
        (-2.0, 1024.0, None),
        (-2.0, 1025.0, None),
        (2.0, 1023.0, 2.0**1023),
        (2.0, 1024.0, None),
        (2.0, -1074.0, TINY),
        (2.0, -1075.0, 0.0),
        (2.0, -1076.0, 0.0),
        (2.0, HUGE, None),
        (2.0, -HUGE, 0.0),
        (0.5, HUGE, 0.0),
        (1 + 2.0**-52, HUGE, None),
        (1 - 2.0**-53, HUGE, 0.0),
        (HUGE, HUGE, None),
        (TINY, HUGE, 0.0),
        (TINY, -1.0, None),
        (HUGE, TINY, 1.0),
        (TINY, TINY, 1.0),
        (None, 0.0, None),
        (1.0, None, None),
    ],
)
def test_edges(x: float | None, y: float | None, expected: float | None) -> None:
    assert POWER(x, y) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_first_power_is_the_number_itself(x: float) -> None:
    assert POWER(x, 1.0) == x


@given(st.integers(-(2**26), 2**26), st.integers(0, 60), st.integers(-300, 300))
def test_is_exact_where_the_result_is_a_float(x: int, y: int, shift: int) -> None:
    exact = Fraction(x) ** y * Fraction(2) ** (shift * y)
    if abs(exact) <= Fraction(HUGE) and Fraction(float(exact)) == exact:
        assert POWER(math.ldexp(x, shift), float(y)) == float(exact)


def test_powers_of_ten_that_a_float_holds_are_exact() -> None:
    assert [POWER(10.0, float(power)) for power in range(23)] == [float(10**power) for power in range(23)]


def test_a_constant_exponent_means_what_the_same_column_means() -> None:
    x, y = column("x", FLOAT64), column("y", FLOAT64)
    exponents = (0.0, 0.5, 2.0, -3.0, 1e-300, -HUGE)
    terms = {f"to_{place}": kernels.power(x, literal(value)) for place, value in enumerate(exponents)}
    rows = [{"x": base, "y": value} for base in FLOATS for value in exponents]
    for row, found in zip(rows, evaluate_terms({**terms, "to_y": kernels.power(x, y)}, rows), strict=True):
        assert found[f"to_{exponents.index(row['y'])}"] == found["to_y"]
