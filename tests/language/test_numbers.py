"""Arithmetic: overflow, zero, missing, and the widths at which engines part."""

from __future__ import annotations

import math
from typing import Any

import pytest

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Expression
from skewcheck.language.types import FLOAT64, INT64, Type
from tests.adversarial import INTEGERS
from tests.both_engines import apply, column

X, Y, N = column("x", FLOAT64), column("y", FLOAT64), column("n", INT64)

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
        (lambda x: x.abs(), [(SMALL,), (-5,), (5,)], [None, 5, 5]),
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


PAIRS = [(x, y) for x in INTEGERS for y in INTEGERS if x is not None and y is not None]


def test_whole_quotients_of_int64_are_those_of_python() -> None:
    expected = [x // y if y and SMALL <= x // y <= BIG else None for x, y in PAIRS]
    assert apply(lambda x, y: x // y, PAIRS) == expected


def test_remainders_of_int64_are_those_of_python() -> None:
    assert apply(lambda x, y: x % y, PAIRS) == [x % y if y else None for x, y in PAIRS]


@pytest.mark.parametrize("divisor", [1, 2, 7, -7, -1, 2**40, BIG, SMALL])
def test_a_constant_divisor_means_what_the_same_column_means(divisor: int) -> None:
    rows = [(x, divisor) for x in INTEGERS]
    assert apply(lambda x: x // divisor, [(x,) for x in INTEGERS]) == apply(lambda x, y: x // y, rows)
    assert apply(lambda x: x % divisor, [(x,) for x in INTEGERS]) == apply(lambda x, y: x % y, rows)


def test_a_constant_divisor_of_zero_leaves_nothing() -> None:
    assert apply(lambda x: x // 0, [(1,), (0,), (None,)]) == [None] * 3
    assert apply(lambda x: x % 0, [(1,), (0,), (None,)]) == [None] * 3


@pytest.mark.parametrize(
    ("build", "rows", "expected"),
    [
        (lambda x, y: x // y, [(-0.5, 1.0), (0.3, 0.1), (1.0, 0.1), (HUGE, 0.5), (TINY, HUGE)], [-1, 2, 10, None, 0]),
        (lambda x, y: x % y, [(-0.5, 1.0), (5.5, -2.0), (1.0, 0.1), (HUGE, 0.5)], [0.5, -0.5, 0.0, None]),
        (lambda x, y: x % y, [(0.3, 0.1), (-1e-20, 1.0)], [0.3 - 2 * 0.1, 1.0]),
        (lambda x: 7 // x, [(2.0,), (0.0,), (-2.0,)], [3.0, None, -4.0]),
        (lambda x: 7 % x, [(2.0,), (-0.0,), (-2.0,)], [1.0, None, -1.0]),
        (lambda n: n // 2.0, [(-7,), (2**53 + 1,)], [-4.0, 2.0**52]),
        (lambda n: n % 2.5, [(-7,), (None,)], [0.5, None]),
        (lambda x: x.sign(), [(TINY,), (-TINY,), (-0.0,), (math.nan,), (-math.inf,)], [1.0, -1.0, 0.0, None, None]),
        (lambda n: n.sign(), [(SMALL,), (BIG,), (0,), (None,)], [-1, 1, 0, None]),
        (lambda x: x.abs(), [(-HUGE,), (-TINY,), (0.0,), (-math.inf,)], [HUGE, TINY, 0.0, None]),
    ],
)  # fmt: skip
def test_division_with_remainder_and_signs(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    found = apply(build, rows)
    assert found == expected
    assert all(value is None or type(value) in {float, int} for value in found)


@pytest.mark.parametrize(
    ("expression", "text", "type_"),
    [
        (X // Y, "(x // y)", FLOAT64),
        (7 // N, "(7 // n)", INT64),
        (N % 2.5, "(n.to_float() % 2.5)", FLOAT64),
        (2 % N, "(2 % n)", INT64),
        (N**2, "(n.to_float() ** 2.0)", FLOAT64),
        (2**N, "(2.0 ** n.to_float())", FLOAT64),
        (X**Y, "(x ** y)", FLOAT64),
        (abs(X), "x.abs()", FLOAT64),
    ],
)
def test_signs_of_the_language_are_operators(expression: Expression, text: str, type_: Type) -> None:
    assert str(expression) == text
    assert expression.type == type_


def test_units_of_a_division_with_remainder() -> None:
    mile, minute = column("x", FLOAT64, "mile"), column("y", FLOAT64, "minute")
    assert (mile // minute).unit == "mile / minute"
    assert (mile // mile).unit == "dimensionless"
    assert (mile // 2).unit == (mile % mile).unit == (mile % 2).unit == mile.abs().unit == "mile"
    assert mile.sign().unit is None
    with pytest.raises(DeclarationError, match="`x` is in mile and `y` in minute"):
        mile % minute
