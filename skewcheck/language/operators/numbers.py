"""Arithmetic, limits and conversion.

Two Int64 give an Int64 for + − ×, anything else is computed in Float64. A result that is infinite, undefined or does
not fit is missing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.kernels.arithmetic import absolute
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, call, choose, equal, literal, restrict
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
        return divide_units(*units)

    def expand(self, x: Term, y: Term) -> Term:
        """IEEE quotient."""
        return x / y


@operator
@dataclass(frozen=True)
class FloorDivide(Operator):
    """The largest whole number that is not above x ÷ y; missing where y is zero, or the result overflows.

    Two Int64 give an exact Int64, as in Python. Anything else is computed in Float64 as floor(x ÷ y), the quotient
    rounded first. Units divide.
    """

    name, group, takes, symbol = "floor_divide", "numbers", (NUMBER, NUMBER), "//"
    examples = (
        Example(
            lambda x, y: x // y,
            (((7.5, 2.0), 3.0), ((-7.5, 2.0), -4.0), ((1.0, 0.0), None), ((1e300, 1e-300), None), ((None, 1.0), None)),
        ),
        Example(
            lambda x, y: x.floor_divide(y),
            (((-7, 2), -4), ((7, -2), -4), ((7, 0), None), ((-(2**63), -1), None), ((None, 1), None)),
        ),
        Example(lambda x: x // 7, (((-1,), -1), ((None,), None))),
    )

    def result_unit(self, *units: str | None) -> str | None:
        """The quotient of the units, as for `divide`."""
        return divide_units(*units)

    def expand(self, x: Term, y: Term) -> Term:
        """The engine's whole quotient, or the floor of the IEEE quotient."""
        if x.type == INT64:
            return x // y.parameter if _is_positive_constant(y) else call("integer_quotient", x, y)
        return call("floor", x / y)


@operator
@dataclass(frozen=True)
class Modulo(Operator):
    """What x leaves when y is taken away as often as `floor_divide` says; missing where y is zero.

    Two Int64 give an exact Int64 with the sign of y, as in Python. Anything else is computed in Float64 as
    x − floor(x ÷ y) × y: for numbers that a Float64 does not hold exactly the result may be off by rounding, even past
    zero or y, and it is missing where the quotient overflows. Both in one unit.
    """

    name, group, takes, symbol = "modulo", "numbers", (NUMBER, NUMBER), "%"
    keeps_unit = same_unit = True
    examples = (
        Example(
            lambda x, y: x % y,
            (((7.5, 2.0), 1.5), ((-7.5, 2.0), 0.5), ((7.5, -2.0), -0.5), ((1.0, 0.0), None), ((1.0, None), None)),
        ),
        Example(
            lambda x, y: x.modulo(y),
            (((-7, 2), 1), ((7, -2), -1), ((7, 0), None), ((-(2**63), -1), 0), ((-(2**63), 3), 1), ((None, 1), None)),
        ),
        Example(lambda x: x % 7, (((-1,), 6), ((None,), None))),
    )

    def expand(self, x: Term, y: Term) -> Term:
        """The dividend less a multiple of the divisor."""
        if x.type != INT64:
            return x - call("floor", x / y) * y
        if _is_positive_constant(y):
            return x % y.parameter
        # Modulo -1 is modulo 1, whose quotient always fits.
        divisor = choose(equal(y, -1), literal(1), y)
        quotient = call("integer_quotient", x, divisor)
        # Below zero quotient × divisor may not fit; the multiple next to it does.
        below = quotient < 0
        multiple = call(
            "integer_multiply", divisor, call("integer_add", quotient, choose(below, literal(1), literal(0)))
        )
        rest = call("integer_subtract", x, multiple)
        return call("integer_add", rest, choose(below, divisor, literal(0)))


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

    name, group, takes = "abs", "numbers", (NUMBER,)
    keeps_unit = True
    examples = (Example(lambda x: x.abs(), (((-1.5,), 1.5), ((2.0,), 2.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """−x where a whole number x is below zero."""
        return absolute(x) if x.type == FLOAT64 else choose(x < 0, x * -1, x)


@operator
@dataclass(frozen=True)
class Sign(Operator):
    """1 above zero, −1 below zero, and zero itself for zero, in the type of x."""

    name, group, takes = "sign", "numbers", (NUMBER,)
    examples = (
        Example(lambda x: x.sign(), (((-2.5,), -1.0), ((5e-324,), 1.0), ((0.0,), 0.0), ((None,), None))),
        Example(lambda x: x.sign(), (((-(2**63),), -1), ((7,), 1), ((None,), None))),
    )

    def expand(self, x: Term) -> Term:
        """Two comparisons."""
        one = 1 if x.type == INT64 else 1.0
        return choose(x < 0, literal(-one), choose(x > 0, literal(one), x))


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


def divide_units(left: str | None, right: str | None) -> str | None:
    """The unit of a quotient; a constant divisor leaves the dividend's."""
    return multiply_units(left, right, -1) if left and right else left


def _is_positive_constant(term: Term) -> bool:
    return term.kind == "literal" and term.present and term.parameter > 0


def _pick(first: Term, x: Term, y: Term) -> Term:
    """X where `first` is True, y where it is False, missing where it is missing."""
    return restrict(choose(first, x, y), ~call("is_missing", first))
