"""Rounding to whole numbers and to decimals."""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.numbers import FLOAT, NUMBER, check_count
from skewcheck.language.terms import Term, call, choose
from skewcheck.language.types import FLOAT64, INT64


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
class Ceiling(Operator):
    """The smallest whole number that is not below x, as a Float64."""

    name, group, takes, gives = "ceil", "numbers", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (Example(lambda x: x.ceil(), (((-1.5,), -1.0), ((1.5,), 2.0), ((1e300,), 1e300), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """Minus the floor of −x."""
        return call("floor", x * -1) * -1


@operator
@dataclass(frozen=True)
class Round(Operator):
    """x rounded to `decimals` places, a half upwards (towards +∞), as a Float64.

    Computed as r ÷ 10^decimals, where s = x × 10^decimals in Float64, and r is floor(s), or one more where s is at
    least a half above it: 2.5 gives 3, −2.5 gives −2, and 1.005 to two places 1.0, since s is 100.49999999999999.
    A number from 2^52 ÷ 10^decimals on has no such places and stays as it is. Python and SQL round otherwise.
    """

    decimals: int = 0
    name, group, takes, gives = "round", "numbers", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (
        Example(
            lambda x: x.round(),
            (((2.5,), 3.0), ((-2.5,), -2.0), ((0.49999999999999994,), 0.0), ((1e300,), 1e300), ((None,), None)),
        ),
        Example(lambda x: x.round(2), (((1.005,), 1.0), ((-1.125,), -1.12), ((1e300,), 1e300), ((None,), None))),
    )

    def check(self) -> None:
        """Powers of ten up to 22 are exact."""
        check_count("decimals", self.decimals, least=0)
        if self.decimals > 22:
            raise ValueError(f"decimals must be at most 22, and is {self.decimals}")

    def expand(self, x: Term) -> Term:
        """The floor, and a comparison with the fraction above it."""
        power = float(10**self.decimals)
        scaled = x * power if self.decimals else x
        below = call("floor", scaled)
        rounded = choose(scaled - below >= 0.5, below + 1.0, below)
        size = choose(x < 0.0, x * -1.0, x)
        return choose(size < 2.0**52 / power, rounded / power if self.decimals else rounded, x)


@operator
@dataclass(frozen=True)
class ToInteger(Operator):
    """The largest Int64 that is not above x; missing where it does not fit 64 bits."""

    name, group, takes, gives = "to_integer", "numbers", (NUMBER,), INT64
    keeps_unit = True
    examples = (
        Example(
            lambda x: x.to_integer(),
            (((-1.5,), -2), ((2.0**53,), 2**53), ((-(2.0**63),), -(2**63)), ((2.0**63,), None), ((None,), None)),
        ),
    )

    def expand(self, x: Term) -> Term:
        """The floor as an Int64; an Int64 is one already."""
        return x if x.type == INT64 else call("to_integer", call("floor", x))
