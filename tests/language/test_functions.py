"""Elementary functions as operators: what they give, where they are missing, and their units."""

from __future__ import annotations

import math
from typing import Any

import pytest

from skewcheck.errors import DeclarationError
from skewcheck.language.types import FLOAT64
from tests.both_engines import apply, column

X, DEGREES, RADIANS = column("x", FLOAT64), column("d", FLOAT64, "degree"), column("r", FLOAT64, "radian")
METRES = column("m", FLOAT64, "meter")


@pytest.mark.parametrize(
    ("build", "like", "values"),
    [
        (lambda x: x.log(), math.log, [5e-324, 0.1, math.sqrt(0.5), 2.0, 1e300]),
        (lambda x: x.log1p(), math.log1p, [5e-324, -0.9, math.sqrt(2) - 1, 2.0, 1e300]),
        (lambda x: x.log2(), math.log2, [5e-324, 0.1, 1.0, 3.0, 1e300]),
        (lambda x: x.log10(), math.log10, [5e-324, 0.1, 1.0, 3.0, 1e300]),
        (lambda x: x.exp(), math.exp, [-745.0, -700.0, -1e-20, 0.3, 709.0]),
        (lambda x: x.expm1(), math.expm1, [-745.0, -0.3, 1e-20, 0.4, 709.0]),
        (lambda x: x.tanh(), math.tanh, [-745.0, -0.9, 1e-20, 0.5, 30.0]),
        (lambda x: x.sin(), math.sin, [-(2.0**30), -3.0, 1e-20, 22.0, 1e9]),
        (lambda x: x.cos(), math.cos, [-(2.0**30), -3.0, 1e-20, 11.0, 1e9]),
        (lambda x: x**0.75, lambda x: math.pow(x, 0.75), [5e-324, 0.1, 1.0, 3.0, 1e300]),
        (lambda x: 2**x, lambda x: math.pow(2.0, x), [-1074.0, -0.5, 0.5, 10.0, 1023.5]),
        (lambda x: x.atan2(0.5), lambda x: math.atan2(x, 0.5), [-1e300, -0.5, 0.0, 1e-9, 7.0]),
    ],
)
def test_is_near_the_platforms_own_function(build: Any, like: Any, values: list[float]) -> None:
    for x, found in zip(values, apply(build, [(x,) for x in values]), strict=True):
        assert abs(found - like(x)) <= 3 * math.ulp(like(x))


@pytest.mark.parametrize(
    ("build", "undefined"),
    [
        (lambda x: x.sqrt(), [-5e-324]),
        (lambda x: x.log(), [0.0, -0.0, -1.0]),
        (lambda x: x.log2(), [0.0, -0.0, -1.0]),
        (lambda x: x.log10(), [0.0, -0.0, -1.0]),
        (lambda x: x.log1p(), [-1.0, -1.5]),
        (lambda x: x.exp(), [709.7827128933841, 1e308]),
        (lambda x: x.expm1(), [709.7827128933841, 1e308]),
        (lambda x: x**-1, [0.0, -0.0, 5e-324]),
        (lambda x: x**0.5, [-5e-324, -1e308]),
        (lambda x: x.sin(), [1073741825.0, -1e300]),
        (lambda x: x.cos(), [1073741825.0, -1e300]),
        (lambda x: x.haversine(0.0, 0.0, 0.0), [90.00000000000001, -91.0]),
        (lambda x: x.sigmoid(), []),
        (lambda x: x.tanh(), []),
        (lambda x: x.atan2(1.0), []),
    ],
)
def test_is_missing_where_it_is_undefined_or_overflows(build: Any, undefined: list[float]) -> None:
    rows = [(x,) for x in (*undefined, math.nan, math.inf, -math.inf, None)]
    assert apply(build, rows) == [None] * len(rows)


def test_takes_an_int64_as_the_nearest_float() -> None:
    assert apply(lambda n: n.log2(), [(8,), (2**62,), (0,)]) == [3.0, 62.0, None]
    assert apply(lambda n: n**2, [(3,), (-(2**63),)]) == [9.0, 2.0**126]


def test_an_overflow_in_between_is_missing_and_never_absorbed() -> None:
    assert apply(lambda x: (x * 1e300).sigmoid(), [(1.0,), (1e300,)]) == [1.0, None]
    assert apply(lambda x: 1 / (x * 1e300).exp(), [(-1.0,), (1e300,)]) == [None, None]
    assert apply(lambda x: (x * 1e300) ** 0, [(1.0,), (1e300,)]) == [1.0, None]
    assert apply(lambda x: (x * 1e300).atan2(x), [(1.0,), (1e300,)]) == [math.pi / 2, None]


def test_results_have_the_unit_that_they_are_in() -> None:
    assert METRES.atan2(METRES).unit == "radian"
    assert DEGREES.haversine(DEGREES, DEGREES, 0.0).unit == X.haversine(1, 2, 3).unit == "kilometer"
    assert X.haversine(1, 2, 3).to("meter").unit == "meter"
    for found in (METRES.log10(), METRES.exp(), METRES**2, METRES.sqrt(), METRES.tanh(), RADIANS.sin()):
        assert found.unit is None


@pytest.mark.parametrize("angle", [X, RADIANS, column("q", FLOAT64, "dimensionless")])
def test_sine_and_cosine_take_radians(angle: Any) -> None:
    assert angle.sin().type == angle.cos().type == FLOAT64


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DEGREES.sin(), r'takes an angle in radians, and the value is in degree; .* \.to\("radian"\)'),
        (lambda: DEGREES.cos(), r'convert it first with \.to\("radian"\)'),
        (lambda: METRES.sin(), "takes an angle in radians, and the value is in meter\n"),
        (lambda: X.haversine(X, RADIANS, X), r'takes an angle in degrees, .* radian; .* \.to\("degree"\)'),
        (lambda: METRES.atan2(DEGREES), "`m` is in meter and `d` in degree"),
        (lambda: X.haversine(X, X), "haversine takes 4 values and got 3"),
    ],
)
def test_refuses_other_units_with_what_to_do(build: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        build()


def test_a_converted_angle_is_taken() -> None:
    sine = DEGREES.to("radian").sin()
    assert sine.unit is None
    assert "to(" in str(sine)
