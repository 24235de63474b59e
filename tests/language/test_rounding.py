"""Rounding: where a half goes, numbers too large to have decimals, and what fits an Int64."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.types import FLOAT64, INT64
from tests.adversarial import FLOATS, INTEGERS
from tests.both_engines import apply, column

HUGE, TINY = 1.7976931348623157e308, 5e-324
LONG = 2.0**52
X = column("x", FLOAT64, "mile")
FINITE = [value for value in FLOATS if value is not None and math.isfinite(value)]


def test_floor_ceil_and_round_of_the_hard_values_are_those_of_exact_arithmetic() -> None:
    rows = [(x,) for x in FINITE]
    assert apply(lambda x: x.floor(), rows) == [math.floor(x) for x in FINITE]
    assert apply(lambda x: x.ceil(), rows) == [math.ceil(x) for x in FINITE]
    halves = [(Decimal(x) + Decimal("0.5")).to_integral_value(ROUND_FLOOR) if abs(x) < 2**52 else x for x in FINITE]
    assert apply(lambda x: x.round(), rows) == [float(half) for half in halves]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-(10**7), 10**7).map(lambda n: n / 1000), min_size=20))
def test_round_to_decimals_is_within_half_of_the_last_one(values: list[float]) -> None:
    for x, rounded in zip(values, apply(lambda x: x.round(2), [(x,) for x in values]), strict=True):
        assert abs(rounded - x) <= 0.005 + 1e-9
        assert rounded == round(rounded * 100) / 100


@pytest.mark.parametrize(
    ("build", "rows", "expected"),
    [
        (lambda x: x.round(), [(0.5,), (1.5,), (-0.5,), (-1.5,), (-2.5,)], [1.0, 2.0, 0.0, -1.0, -2.0]),
        (lambda x: x.round(), [(0.49999999999999994,), (2.0**52 - 0.5,), (2.0**52 + 1,)], [0, 2.0**52, 2.0**52 + 1]),
        (lambda x: x.round(1), [(0.25,), (-0.25,), (0.35,), (TINY,)], [0.3, -0.2, 0.4, 0.0]),
        (lambda x: x.round(2), [(1.005,), (2.675,), (-1.125,), (1234.5678,)], [1.0, 2.68, -1.12, 1234.57]),
        (lambda x: x.round(2), [(LONG / 100,), (LONG + 1,), (HUGE,), (-HUGE,)], [LONG / 100, LONG + 1, HUGE, -HUGE]),
        (lambda x: x.round(22), [(1.5,), (1e-22,), (0.6e-22,), (1e-30,)], [1.5, 1e-22, 1e-22, 0.0]),
        (lambda x: x.round(2), [(math.nan,), (math.inf,), (None,)], [None] * 3),
        (lambda n: n.round(1), [(5,), (None,)], [5.0, None]),
        (lambda x: x.to_integer(), [(2.0**63,), (2.0**63 - 1024,), (-(2.0**63),)], [None, 2**63 - 1024, -(2**63)]),
        (lambda x: x.to_integer(), [(-1.0000001,), (0.9999999,), (-TINY,), (HUGE,), (-0.0,)], [-2, 0, -1, None, 0]),
        (lambda x: x.to_integer() + 1, [(2.0**62,), (math.nan,)], [2**62 + 1, None]),
        (lambda n: n.to_integer(), [(value,) for value in INTEGERS], INTEGERS),
    ],
)  # fmt: skip
def test_means_this_on_both_engines(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    assert apply(build, rows) == expected


def test_keeps_the_unit_and_says_its_type() -> None:
    assert [x.unit for x in (X.floor(), X.ceil(), X.round(1), X.to_integer())] == ["mile"] * 4
    assert X.to_integer().type == INT64
    assert str(X.round(2)) == "x.round(decimals=2)"
    assert str(X.round()) == "x.round()"


@pytest.mark.parametrize("decimals", [-1, 23, 1.0, True, None, "2"])
def test_refuses_decimals_that_are_no_small_whole_number(decimals: Any) -> None:
    with pytest.raises(DeclarationError, match="round: decimals must be"):
        X.round(decimals)
