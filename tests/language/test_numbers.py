"""Arithmetic: overflow, zero, missing, and the widths at which engines part."""

from __future__ import annotations

import math
from typing import Any

import pytest

import skewcheck as sk
from tests.both_engines import apply

BIG, SMALL = 2**63 - 1, -(2**63)
TINY, HUGE = 5e-324, 1.7976931348623157e308


@pytest.mark.parametrize(
    ("build", "rows", "expected"),
    [
        # Int64: what does not fit is missing, and no sum passes through a Float64.
        (lambda x, y: x + y, [(BIG, 1), (SMALL, -1), (2**53, 1), (1, None)], [None, None, 2**53 + 1, None]),
        (lambda x, y: x - y, [(SMALL, 1), (0, SMALL), (-1, SMALL), (BIG, -1)], [None, None, BIG, None]),
        (lambda x, y: x * y, [(2**32, 2**31), (2**32, -(2**31)), (3, -4)], [None, SMALL, -12]),
        (lambda x: -x, [(SMALL,), (BIG,), (0,)], [None, -BIG, 0]),
        (lambda x: x.absolute(), [(SMALL,), (-5,), (5,)], [None, 5, 5]),
        (lambda x: x + 1.5, [(2**53 + 1,)], [2.0**53 + 2]),
        (lambda x: x.to_float(), [(BIG,), (2**53 + 1,), (2**53 + 3,)], [2.0**63, 2.0**53, 2.0**53 + 4]),
        (lambda x: x / 7, [(-7,), (1,)], [-1.0, 1 / 7]),
        # Float64: what is infinite or undefined is missing, from there on.
        (lambda x, y: x + y, [(HUGE, HUGE), (HUGE, -HUGE), (math.inf, -math.inf)], [None, 0.0, None]),
        (lambda x, y: x * y, [(TINY, 0.5), (HUGE, 2.0), (0.0, math.inf)], [0.0, None, None]),
        (lambda x, y: x / y, [(1.0, -0.0), (TINY, 2.0), (HUGE, TINY), (0.0, 5.0)], [None, 0.0, None, 0.0]),
        (lambda x, y: 1 / (x * y), [(HUGE, HUGE), (2.0, 2.0)], [None, 0.25]),
        (lambda x: (x * 10) / 10, [(HUGE,), (1.0,)], [None, 1.0]),
        (lambda x: x - x, [(math.nan,), (math.inf,), (1.0,)], [None, None, 0.0]),
        (lambda x: -x, [(0.0,), (-1.5,), (None,)], [-0.0, 1.5, None]),
        (lambda x: x.sqrt(), [(-0.0,), (-TINY,), (TINY,), (2.0,)], [0.0, None, 2.2227587494850775e-162, math.sqrt(2)]),
        (lambda x: x.floor(), [(-TINY,), (0.9999999999999999,), (-0.5,), (2.0**52 + 0.5,)], [-1.0, 0.0, -1.0, 2.0**52]),
        # Limits and choices never skip a missing side, and a NaN is missing before it is compared.
        (lambda x: x.clip(-1, 1), [(math.nan,), (math.inf,), (-HUGE,), (-0.5,)], [None, None, -1.0, -0.5]),
        (lambda x, y: x.minimum(y), [(math.nan, 1.0), (1.0, None), (2.0, 1.0), (-0.0, 0.0)], [None, None, 1.0, 0.0]),
        (lambda x, y, z: sk.maximum(x, y, z), [(1, 3, 2), (1, None, 2), (SMALL, BIG, 0)], [3, None, BIG]),
        # The constant is a factor, not a quotient: x / 10 is not x * 0.1.
        (lambda x: x / 10, [(3.0,), (7.0,)], [0.3, 0.7]),
        (lambda x: x * 0.1, [(3.0,), (7.0,)], [0.30000000000000004, 0.7000000000000001]),
    ],
)  # fmt: skip
def test_means_this_on_both_engines(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    found = apply(build, rows)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    "x", [TINY, 1e-310, 2.2250738585072014e-308, 0.1, math.sqrt(0.5), math.sqrt(2), 2.0, 1e300, HUGE]
)
def test_logarithms_are_within_one_unit_in_the_last_place(x: float) -> None:
    log, log1p = apply(lambda x: x.log(), [(x,)]), apply(lambda x: x.log1p(), [(x,)])
    assert abs(log[0] - math.log(x)) <= math.ulp(math.log(x))
    assert abs(log1p[0] - math.log1p(x)) <= math.ulp(math.log1p(x))


def test_logarithms_are_missing_outside_their_domain() -> None:
    assert apply(lambda x: x.log(), [(0.0,), (-0.0,), (-1.0,), (math.nan,)]) == [None] * 4
    assert apply(lambda x: x.log1p(), [(-1.0,), (-1.5,), (math.nan,), (-0.9999999999999999,)])[:3] == [None] * 3
