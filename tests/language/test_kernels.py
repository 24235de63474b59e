"""The portable kernels are as exact as a good libm."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from skewcheck.language.operators.time import CyclicCosine, CyclicSine
from skewcheck.language.terms import Term, column
from skewcheck.language.types import FLOAT64, INT64, TIMESTAMP
from tests.adversarial import FLOATS
from tests.both_engines import load_terms

X, T = column("x", FLOAT64), column("t", TIMESTAMP)


def compute(term: Term, argument: str) -> Callable[[Any], Any]:
    transform_row = load_terms({"result": term})["transform_row"]
    return lambda value: transform_row({argument: value})["result"]


LOG, LOG1P = compute(kernels.log(X), "x"), compute(kernels.log1p(X), "x")


def within_one_ulp(found: float | None, expected: float) -> bool:
    return found is not None and abs(found - expected) <= math.ulp(expected)


@given(st.floats(min_value=5e-324, allow_infinity=False))
def test_log_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert within_one_ulp(LOG(x), math.log(x))


@given(
    st.floats(min_value=-1.0, allow_infinity=False, exclude_min=True)
    | st.floats(-1e-3, 1e-3)
    | st.floats(-1.0, 4.0, exclude_min=True)
)
def test_log1p_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert within_one_ulp(LOG1P(x), math.log1p(x))


@pytest.mark.parametrize("x", [value for value in FLOATS if value is not None and math.isfinite(value)])
def test_logarithms_of_the_hard_values(x: float) -> None:
    assert within_one_ulp(LOG(x), math.log(x)) if x > 0 else LOG(x) is None
    assert within_one_ulp(LOG1P(x), math.log1p(x)) if x > -1 else LOG1P(x) is None


def test_log_of_every_power_of_two_is_within_one_unit_in_the_last_place() -> None:
    assert all(within_one_ulp(LOG(2.0**power), math.log(2.0**power)) for power in range(-1074, 1024))


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899863")


def exact_cosine(turns: Decimal) -> Decimal:
    """cos(2π turns) in sixty digits, by halving the angle until its series is short."""
    with localcontext() as context:
        context.prec = 80
        angle = 2 * PI * turns / 2**20
        square, total, term = angle * angle, Decimal(1), Decimal(1)
        for order in range(1, 30):
            term = -term * square / ((2 * order - 1) * 2 * order)
            total += term
        for _ in range(20):
            total = 2 * total * total - 1
        return total


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 12, 24, 60, 365, 366])
def test_the_cyclic_tables_are_correctly_rounded(period: int) -> None:
    tables = {cls: cls(period).expand(column("step", INT64)).parameter for cls in (CyclicSine, CyclicCosine)}
    for place in range(period):
        turns = Decimal(place) / period
        for cls, shifted in ((CyclicCosine, turns), (CyclicSine, turns - Decimal("0.25"))):
            exact = exact_cosine(shifted)
            found = tables[cls][place]
            assert abs(Decimal(found) - exact) <= Decimal(math.ulp(found)) / 2 + Decimal("1e-26")
