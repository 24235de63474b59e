"""Units: what combines, what converts, and to which constant."""

from __future__ import annotations

from typing import Any

import pytest

from skewcheck.language.types import FLOAT64
from skewcheck.language.units import conversion, multiply_units, parse_unit, same_dimension
from tests.declaring import make_service


@pytest.mark.parametrize(
    ("source", "target", "factor", "offset"),
    [
        ("mile", "kilometer", 1.609344, 0.0),
        ("kilometer", "mile", 0.621371192237334, 0.0),
        ("degF", "degC", 5 / 9, -17.77777777777778),
        ("degC", "kelvin", 1.0, 273.15),
        ("mph", "kilometer / hour", 1.609344, 0.0),
        ("percent", "dimensionless", 0.01, 0.0),
        ("inch", "inch", 1.0, 0.0),
        ("mile ** 2", "meter ** 2", 2589988.110336, 0.0),
    ],
)
def test_factor_and_offset_are_the_floats_nearest_to_the_exact_ones(
    source: str, target: str, factor: float, offset: float
) -> None:
    assert conversion(source, target) == (factor, offset)


def test_what_measures_something_else_does_not_convert() -> None:
    with pytest.raises(ValueError, match="meter does not convert to second"):
        conversion("meter", "second")


@pytest.mark.parametrize("text", ["parsnip", "mile per", "", "3 miles", "mile; drop table"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    if text:
        with pytest.raises(ValueError, match="is not a unit"):
            parse_unit(text)
    else:
        assert parse_unit(text) == "dimensionless"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("km", "kilometer"),
        ("mph", "mile_per_hour"),
        ("m/s", "meter / second"),
        ("m**2", "meter ** 2"),
        ("m**0.5", "meter ** 0.5"),
    ],
)
def test_a_unit_has_one_name(text: str, unit: str) -> None:
    assert parse_unit(text) == unit


def test_dimensions() -> None:
    assert same_dimension("mile", "meter")
    assert not same_dimension("mile", "second")
    assert multiply_units("meter", "second", -1) == "meter / second"
    assert multiply_units("meter", "meter", -1) == "dimensionless"
    assert multiply_units(None, "meter") is None


@pytest.mark.parametrize(
    ("build", "unit"),
    [
        (lambda x, y: x + x, "mile"),
        (lambda x, y: x + 1, "mile"),
        (lambda x, y: x / y, "mile / minute"),
        (lambda x, y: x / x, "dimensionless"),
        (lambda x, y: x / 2, "mile"),
        (lambda x, y: x * y, "mile * minute"),
        (lambda x, y: 2 * x, "mile"),
        (lambda x, y: x * x, "mile ** 2"),
        (lambda x, y: x * x / y / y, "mile ** 2 / minute ** 2"),
        (lambda x, y: x * x / x, "mile"),
        (lambda x, y: -x, "mile"),
        (lambda x, y: x.fill(0).clip(0, 1).floor().abs(), "mile"),
        (lambda x, y: x.impute("mean"), "mile"),
        (lambda x, y: x.to("km"), "kilometer"),
        (lambda x, y: x.standardize(), None),
        (lambda x, y: x.log(), None),
        (lambda x, y: x > 1, None),
        (lambda x, y: x.minimum(3), "mile"),
    ],
)
def test_the_unit_of_a_result_follows_from_its_operands(build: Any, unit: str | None) -> None:
    (feature,) = make_service({"x": FLOAT64, "y": FLOAT64}, {"x": "mile", "y": "minute"}, result=build).features
    assert feature.expression.unit == unit
