"""Elementary functions, computed by portable kernels: the same bits on every engine.

Each takes its number in the unit in which it stands and gives a number without a unit, where it says nothing else. A
result that is undefined or too large is missing, and so is the result of a missing operand. An ulp is a unit in the
last place of the exact result.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language import kernels
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.numbers import FLOAT
from skewcheck.language.terms import Term, call
from skewcheck.language.types import FLOAT64
from skewcheck.language.units import same_dimension


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
    """The natural logarithm, within 1 ulp; missing where x <= 0."""

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
    """The natural logarithm of 1 + x, within 1 ulp also near zero; missing where x <= −1."""

    name, group, takes, gives = "log1p", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.log1p(), (((0.0,), 0.0), ((1e-20,), 1e-20), ((-1.0,), None), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.log1p(x)


@operator
@dataclass(frozen=True)
class Logarithm2(Operator):
    """The logarithm to base 2, within 1 ulp, exact for powers of two; missing where x <= 0."""

    name, group, takes, gives = "log2", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.log2(), (((8.0,), 3.0), ((5e-324,), -1074.0), ((0.0,), None), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.log2(x)


@operator
@dataclass(frozen=True)
class Logarithm10(Operator):
    """The logarithm to base 10, within 1 ulp, exact for powers of ten; missing where x <= 0."""

    name, group, takes, gives = "log10", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.log10(), (((1e15,), 15.0), ((0.001,), -3.0), ((0.0,), None), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.log10(x)


@operator
@dataclass(frozen=True)
class Exponential(Operator):
    """e^x, within 1 ulp; missing above 709.782712893384, where it overflows, and 0 below about −745.13."""

    name, group, takes, gives = "exp", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.exp(),
            (((0.0,), 1.0), ((2.0,), 7.38905609893065), ((709.8,), None), ((-746.0,), 0.0), ((None,), None)),
        ),
    )

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.exp(x)


@operator
@dataclass(frozen=True)
class Exponentialm1(Operator):
    """e^x − 1, within 1 ulp also near zero; missing above 709.782712893384, where it overflows."""

    name, group, takes, gives = "expm1", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.expm1(),
            (((1e-20,), 1e-20), ((1.0,), 1.718281828459045), ((-50.0,), -1.0), ((709.8,), None), ((None,), None)),
        ),
    )

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.expm1(x)


@operator
@dataclass(frozen=True)
class Power(Operator):
    """x to the power y, within 1 ulp; exact where a Float64 holds the exact result.

    x ** 0 is 1, for every x. Missing where x is zero and y below zero, where x is below zero and y not whole, and
    where the result overflows. What is too small for a normal Float64 is subnormal or zero. A power of a negative x is
    negative where y is odd; either zero counts as 0. As in Python and C, but for what is missing.
    """

    name, group, takes, gives, symbol = "power", "numbers", (FLOAT, FLOAT), FLOAT64, "**"
    examples = (
        Example(
            lambda x, y: x**y,
            (
                *(((2.0, 10.0), 1024.0), ((10.0, -2.0), 0.01), ((2.25, 0.5), 1.5), ((0.0, 0.0), 1.0)),
                *(((0.0, 3.0), 0.0), ((0.0, -1.0), None), ((-2.0, 3.0), -8.0), ((-2.0, 0.5), None)),
                *(((10.0, 400.0), None), ((2.0, -1074.0), 5e-324), ((10.0, -400.0), 0.0)),
                *(((None, 0.0), None), ((1.0, None), None)),
            ),
        ),
        Example(lambda x: x.power(2), (((-1.5,), 2.25), ((1e200,), None), ((None,), None))),
    )

    def expand(self, x: Term, y: Term) -> Term:
        """The portable kernel."""
        return kernels.power(x, y)


@operator
@dataclass(frozen=True)
class Sigmoid(Operator):
    """The logistic function 1 ÷ (1 + e^−x), within 2.5 ulp; it tends to 0 and 1 and overflows nowhere."""

    name, group, takes, gives = "sigmoid", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.sigmoid(), (((0.0,), 0.5), ((40.0,), 1.0), ((-1e300,), 0.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.sigmoid(x)


@operator
@dataclass(frozen=True)
class HyperbolicTangent(Operator):
    """The hyperbolic tangent, within 2.5 ulp; 1 or −1 from 22 on."""

    name, group, takes, gives = "tanh", "numbers", (FLOAT,), FLOAT64
    examples = (Example(lambda x: x.tanh(), (((0.0,), 0.0), ((1e-20,), 1e-20), ((-1e300,), -1.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.tanh(x)


@dataclass(frozen=True)
class _OfAnAngle(Operator):
    """The base of an operator that takes an angle."""

    def bind(self, *units: str | None) -> Operator:
        """An angle has no unit, or is in radians."""
        _check_angles("radian", units)
        return self


@operator
@dataclass(frozen=True)
class Sine(_OfAnAngle):
    """The sine of x radians, within 1 ulp; missing where |x| is above 2^30. Another unit than radian is refused."""

    name, group, takes, gives = "sin", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.sin(),
            (((0.0,), 0.0), ((1.0,), 0.8414709848078965), ((2.0**30 + 1,), None), ((None,), None)),
        ),
    )

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.sin(x)


@operator
@dataclass(frozen=True)
class Cosine(_OfAnAngle):
    """The cosine of x radians, within 1 ulp; missing where |x| is above 2^30. Another unit than radian is refused."""

    name, group, takes, gives = "cos", "numbers", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.cos(),
            (((0.0,), 1.0), ((1.0,), 0.5403023058681398), ((-(2.0**31),), None), ((None,), None)),
        ),
    )

    def expand(self, x: Term) -> Term:
        """The portable kernel."""
        return kernels.cos(x)


@operator
@dataclass(frozen=True)
class Arctangent2(Operator):
    """The angle of the point (x, y) in radians, from −π to π, as y.atan2(x); within 1.5 ulp.

    0 for the origin. A negative zero counts as 0, where C and Python tell it apart. Both in one unit.
    """

    name, group, takes, gives = "atan2", "numbers", (FLOAT, FLOAT), FLOAT64
    same_unit = True
    examples = (
        Example(
            lambda y, x: y.atan2(x),
            (
                *(((1.0, 1.0), 0.7853981633974483), ((0.0, 0.0), 0.0), ((0.0, -2.0), 3.141592653589793)),
                *(((-3.0, 0.0), -1.5707963267948966), ((None, 1.0), None), ((1.0, None), None)),
            ),
        ),
    )

    def result_unit(self, *_units: str | None) -> str | None:
        """Radians."""
        return "radian"

    def expand(self, y: Term, x: Term) -> Term:
        """The portable kernel."""
        return kernels.atan2(y, x)


@operator
@dataclass(frozen=True)
class Haversine(Operator):
    """Great-circle distance in kilometres between two points, given in degrees on a sphere of radius 6371.0088 km.

    Called as latitude.haversine(longitude, other_latitude, other_longitude); within 1e-11 km of the exact distance, for
    opposite points too. Missing where a latitude lies outside −90 to 90 or a longitude outside −180 to 180.
    """

    name, group, takes, gives = "haversine", "numbers", (FLOAT, FLOAT, FLOAT, FLOAT), FLOAT64
    examples = (
        Example(
            lambda latitude, longitude, to_latitude, to_longitude: latitude.haversine(
                longitude, to_latitude, to_longitude
            ),
            (
                ((52.52, 13.405, 48.8566, 2.3522), 877.4645379215092),
                ((0.0, -179.0, 0.0, 179.0), 222.39016046706581),
                ((90.0, 0.0, -90.0, 0.0), 20015.114442035923),
                ((91.0, 0.0, 0.0, 0.0), None),
                ((0.0, 0.0, 0.0, 180.5), None),
                ((0.0, None, 0.0, 0.0), None),
            ),
        ),
    )

    def bind(self, *units: str | None) -> Operator:
        """The angles have no unit, or are in degrees."""
        _check_angles("degree", units)
        return self

    def result_unit(self, *_units: str | None) -> str | None:
        """Kilometres."""
        return "kilometer"

    def expand(self, latitude: Term, longitude: Term, to_latitude: Term, to_longitude: Term) -> Term:
        """The portable kernel."""
        return kernels.haversine(latitude, longitude, to_latitude, to_longitude)


def _check_angles(wanted: str, units: tuple[str | None, ...]) -> None:
    """Refuse a stated unit that is not the wanted one."""
    for unit in units:
        if unit not in {None, wanted, "dimensionless" if wanted == "radian" else wanted}:
            remedy = f'; convert it first with .to("{wanted}")' if same_dimension(str(unit), wanted) else ""
            raise ValueError(f"takes an angle in {wanted}s, and the value is in {unit}{remedy}")
