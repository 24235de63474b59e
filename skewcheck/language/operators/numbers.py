"""Arithmetic and elementary functions.

Two Int64 give an Int64 for + − ×, anything else is computed in Float64. A result that is infinite, undefined or does
not fit is missing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from skewcheck.language import kernels
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, call, choose, literal, restrict
from skewcheck.language.types import FLOAT64, INT64
from skewcheck.language.units import conversion, multiply_units, parse_unit

NUMBER = (FLOAT64, INT64)
FLOAT = (FLOAT64,)


@operator
@dataclass(frozen=True)
class Add(Operator):
    """x + y; missing where either is missing or the sum does not fit. Both in one unit."""

    name, group, takes, symbol = "add", "numbers", (NUMBER, NUMBER), "+"
    keeps_unit = same_unit = True
    examples = (Example(lambda x, y: x + y, (((1.5, 2.0), 3.5), ((1e308, 1e308), None), ((None, 1.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """IEEE or 64-bit sum."""
        return x + y


@operator
@dataclass(frozen=True)
class Subtract(Operator):
    """x − y; missing where either is missing or the difference does not fit. Both in one unit."""

    name, group, takes, symbol = "subtract", "numbers", (NUMBER, NUMBER), "-"
    keeps_unit = same_unit = True
    examples = (Example(lambda x, y: x - y, (((1.5, 2.0), -0.5), ((1.0, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """IEEE or 64-bit difference."""
        return x - y


@operator
@dataclass(frozen=True)
class Multiply(Operator):
    """x × y; missing where either is missing or the product does not fit. Units multiply."""

    name, group, takes, symbol = "multiply", "numbers", (NUMBER, NUMBER), "*"
    examples = (Example(lambda x, y: x * y, (((1.5, 2.0), 3.0), ((1e200, 1e200), None), ((None, 0.0), None))),)

    def result_unit(self, *units: str | None) -> str | None:
        """The product of the units; a constant has none and leaves the other's."""
        left, right = units
        return multiply_units(left, right) if left and right else left or right

    def expand(self, x: Term, y: Term) -> Term:
        """IEEE or 64-bit product."""
        return x * y


@operator
@dataclass(frozen=True)
class Divide(Operator):
    """x ÷ y in Float64; missing where y is zero, either is missing, or the quotient overflows. Units divide."""

    name, group, takes, symbol, gives = "divide", "numbers", (FLOAT, FLOAT), "/", FLOAT64
    examples = (
        Example(
            lambda x, y: x / y,
            (((1.0, 4.0), 0.25), ((1.0, 0.0), None), ((0.0, 0.0), None), ((1e300, 1e-300), None), ((None, 1.0), None)),
        ),
    )

    def result_unit(self, *units: str | None) -> str | None:
        """The quotient of the units; a constant divisor leaves the dividend's."""
        left, right = units
        return multiply_units(left, right, -1) if left and right else left

    def expand(self, x: Term, y: Term) -> Term:
        """IEEE quotient."""
        return x / y


@operator
@dataclass(frozen=True)
class Negate(Operator):
    """−x."""

    name, group, takes, symbol = "negate", "numbers", (NUMBER,), "-"
    keeps_unit = True
    examples = (Example(lambda x: -x, (((1.5,), -1.5), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """X times minus one, which keeps the sign of zero as IEEE does."""
        return x * -1


@operator
@dataclass(frozen=True)
class Absolute(Operator):
    """|x|; missing for the smallest Int64, whose absolute value does not fit."""

    name, group, takes = "absolute", "numbers", (NUMBER,)
    keeps_unit = True
    examples = (Example(lambda x: x.absolute(), (((-1.5,), 1.5), ((2.0,), 2.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """−x where x is below zero."""
        return choose(x < 0, x * -1, x)


@operator
@dataclass(frozen=True)
class SquareRoot(Operator):
    """The square root, correctly rounded; missing below zero."""

    name, group, takes, gives = "sqrt", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.sqrt(), (((2.25,), 1.5), ((-1.0,), None), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """IEEE square root."""
        return call("square_root", x)


@operator
@dataclass(frozen=True)
class Logarithm(Operator):
    """The natural logarithm; missing where x <= 0. Takes the number in the unit it stands in."""

    name, group, takes, gives = "log", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(lambda x: x.log(), (((1.0,), 0.0), ((0.0,), None), ((2.718281828459045,), 1.0), ((None,), None))),
    )

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.log(x)


@operator
@dataclass(frozen=True)
class Logarithm1p(Operator):
    """The natural logarithm of 1 + x; missing where x <= −1. Takes the number in the unit it stands in."""

    name, group, takes, gives = "log1p", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.log1p(), (((0.0,), 0.0), ((1e-20,), 1e-20), ((-1.0,), None), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.log1p(x)


@operator
@dataclass(frozen=True)
class Floor(Operator):
    """The largest whole number that is not above x, as a Float64."""

    name, group, takes, gives = "floor", "numbers", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (Example(lambda x: x.floor(), (((-1.5,), -2.0), ((2.0,), 2.0), ((1e300,), 1e300), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """IEEE floor."""
        return call("floor", x)


@operator
@dataclass(frozen=True)
class Clip(Operator):
    """x limited to the range from `low` to `high`; missing stays missing."""

    low: float
    high: float
    name, group, takes, gives = "clip", "numbers", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (
        Example(lambda x: x.clip(0.0, 10.0), (((-1.0,), 0.0), ((11.0,), 10.0), ((5.0,), 5.0), ((None,), None))),
    )

    def check(self) -> None:
        """The bounds must be finite numbers in order."""
        for name in ("low", "high"):
            check_number(name, getattr(self, name))
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.low > self.high:
            raise ValueError(f"low={self.low!r} is above high={self.high!r}")

    def expand(self, x: Term) -> Term:
        """Two comparisons."""
        raised = choose(x < self.low, literal(self.low), x)
        return choose(raised > self.high, literal(self.high), raised)


@operator
@dataclass(frozen=True)
class Minimum(Operator):
    """The smaller of x and y; missing where either is missing. Both in one unit."""

    name, group, takes = "minimum", "numbers", (NUMBER, NUMBER)
    keeps_unit = same_unit = True
    examples = (Example(lambda x, y: x.minimum(y), (((1.0, 2.0), 1.0), ((None, 2.0), None), ((2.0, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """One comparison; a missing side is never skipped."""
        return _pick(x < y, x, y)


@operator
@dataclass(frozen=True)
class Maximum(Operator):
    """The larger of x and y; missing where either is missing. Both in one unit."""

    name, group, takes = "maximum", "numbers", (NUMBER, NUMBER)
    keeps_unit = same_unit = True
    examples = (Example(lambda x, y: x.maximum(y), (((1.0, 2.0), 2.0), ((None, 2.0), None), ((2.0, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """One comparison; a missing side is never skipped."""
        return _pick(y < x, x, y)


@operator
@dataclass(frozen=True)
class ToFloat(Operator):
    """An Int64 as the nearest Float64, ties to even."""

    name, group, takes, gives = "to_float", "numbers", ((INT64,),), FLOAT64
    keeps_unit = True
    examples = (Example(lambda x: x.to_float(), (((3,), 3.0), ((2**53 + 1,), 2.0**53), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """IEEE conversion."""
        return call("to_float", x)


@operator
@dataclass(frozen=True)
class To(Operator):
    """x converted from its own unit to another of the same dimension, by a constant factor and offset from pint."""

    unit: str
    source: str = ""
    name, group, takes, gives = "to", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(lambda x: x.to("kilometer"), (((2.0,), 3.218688), ((None,), None)), units=("mile",)),
        Example(lambda x: x.to("kelvin"), (((0.0,), 273.15),), units=("degC",)),
    )

    def bind(self, *units: str | None) -> To:
        """Take the source unit from the operand."""
        if units[0] is None:
            raise ValueError('the value has no unit; state it on its Feast field with tags={"unit": "..."}')
        target = parse_unit(self.unit)
        conversion(units[0], target)
        return To(target, units[0])

    def result_unit(self, *_units: str | None) -> str | None:
        """The new unit."""
        return self.unit

    def expand(self, x: Term) -> Term:
        """X times the factor, plus the offset where there is one."""
        factor, offset = conversion(self.source, self.unit)
        scaled = x * factor
        return scaled + offset if offset else scaled


def check_number(name: str, value: object) -> None:
    """Refuse a parameter that is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{name} must be a finite number, and is {value!r}")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Refuse a parameter that is not a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, and is {value!r}")


def _pick(first: Term, x: Term, y: Term) -> Term:
    """X where `first` is True, y where it is False, missing where it is missing."""
    return restrict(choose(first, x, y), ~call("is_missing", first))
