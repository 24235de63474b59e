"""Elementary functions to sixty digits and more, to hold the kernels to; and the kernels as Python functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, getcontext, localcontext
from inspect import signature
from typing import Any

from skewcheck.language.terms import Term, column
from skewcheck.language.types import FLOAT64
from tests.both_engines import load_terms

DIGITS = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")


def load_kernel(kernel: Callable[..., Term]) -> Callable[..., float | None]:
    """A kernel as the generated Python computes it."""
    names = list(signature(kernel).parameters)
    transform_row = load_terms({"result": kernel(*(column(name, FLOAT64) for name in names))})["transform_row"]

    def compute(*values: float | None) -> Any:
        return transform_row(dict(zip(names, values, strict=True)))["result"]

    return compute


def ulps(found: float | None, exact: Decimal) -> float:
    """How far a result is from the exact one, in units in the last place of that one."""
    assert found is not None
    return float(abs(Decimal(found) - exact) / Decimal(math.ulp(float(exact))))


def with_digits(function: Callable[..., Decimal]) -> Callable[..., Decimal]:
    """The function of floats, computed in more digits than are asked for."""

    def compute(*values: float) -> Decimal:
        with localcontext() as context:
            context.prec = DIGITS + 30
            context.Emin, context.Emax = -(10**9), 10**9
            return function(*map(Decimal, values))

    return compute


def _sum_series(first: Decimal, factor: Callable[[int], Decimal]) -> Decimal:
    """The sum of terms, each the one before times its factor, until they do not count."""
    total, term, order = first, first, 0
    while term and abs(term) > abs(total) * Decimal(10) ** -(getcontext().prec):
        order += 1
        term *= factor(order)
        total += term
    return total


def _expm1(x: Decimal) -> Decimal:
    return _sum_series(x, lambda order: x / (order + 1)) if abs(x) < 1 else x.exp() - 1


def _sine(x: Decimal) -> Decimal:
    reduced = x.remainder_near(2 * PI)
    square = reduced * reduced
    return _sum_series(reduced, lambda order: -square / (2 * order * (2 * order + 1)))


def _arctangent(x: Decimal) -> Decimal:
    """The arctangent of an x of at least zero."""
    for _ in range(5):
        x = x / (1 + (1 + x * x).sqrt())
    power, total, order = x, x, 1
    while power and abs(power) > abs(total) * Decimal(10) ** -(getcontext().prec):
        power *= -x * x
        order += 2
        total += power / order
    return total * 32


def _arctangent2(y: Decimal, x: Decimal) -> Decimal:
    if not x and not y:
        return Decimal(0)
    angle = _arctangent(abs(y) / abs(x)) if abs(y) < abs(x) else PI / 2 - _arctangent(abs(x) / abs(y))
    angle = PI - angle if x < 0 else angle
    return -angle if y < 0 else angle


def _haversine(*degrees: Decimal) -> Decimal:
    first, west, second, east = (angle * PI / 180 for angle in degrees)
    north, across = _sine((second - first) / 2), _sine((east - west) / 2)
    square = north * north + _sine(first + PI / 2) * _sine(second + PI / 2) * across * across
    return 2 * Decimal("6371.0088") * _arctangent2(square.sqrt(), max(Decimal(0), 1 - square).sqrt())


exact_log = with_digits(lambda x: x.ln())
exact_log1p = with_digits(
    lambda x: (1 + x).ln() if abs(x) > Decimal("1e-20") else x - x * x / 2 + x * x * x / 3 - x * x * x * x / 4
)
exact_log2 = with_digits(lambda x: x.ln() / Decimal(2).ln())
exact_log10 = with_digits(lambda x: x.log10())
exact_exp = with_digits(lambda x: x.exp())
exact_expm1 = with_digits(_expm1)
exact_sigmoid = with_digits(lambda x: 1 / (1 + (-x).exp()))
exact_tanh = with_digits(lambda x: _expm1(2 * x) / (_expm1(2 * x) + 2))
exact_power = with_digits(lambda x, y: (y * x.ln()).exp())
exact_sine = with_digits(_sine)
exact_cosine = with_digits(lambda x: _sine(x + PI / 2))
exact_arctangent2 = with_digits(_arctangent2)
exact_haversine = with_digits(_haversine)
