"""Operators that read better as functions of several values than as a method of the first."""

from __future__ import annotations

from functools import reduce
from typing import Any

from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Constant, Expression, apply
from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import SCALARS


def minimum(*values: Any) -> Expression:
    """The smallest of two or more values; missing where any is missing."""
    return _fold("minimum", values)


def maximum(*values: Any) -> Expression:
    """The largest of two or more values; missing where any is missing."""
    return _fold("maximum", values)


def coalesce(*values: Any) -> Expression:
    """The first of two or more values that is not missing."""
    return _fold("fill", values)


def cross(*values: Any) -> Expression:
    """One category for each combination of two or more strings; missing where any is missing."""
    return apply(REGISTRY["cross"], *values)


def concat(*values: Any) -> Expression:
    """Two or more strings, one after the other; missing where any is missing."""
    return apply(REGISTRY["concat"], *values)


def pack(*values: Any) -> Expression:
    """A vector of one or more numbers in order; missing where any is missing."""
    return apply(REGISTRY["pack"], *values)


def haversine(latitude: Any, longitude: Any, to_latitude: Any, to_longitude: Any) -> Expression:
    """The great-circle distance between two places given in degrees, in kilometres."""
    return apply(REGISTRY["haversine"], latitude, longitude, to_latitude, to_longitude)


def atan2(y: Any, x: Any) -> Expression:
    """The angle of the point (x, y), in radians."""
    return apply(REGISTRY["atan2"], y, x)


def missing(type_name: str) -> Expression:
    """The missing value of a type, such as `sk.missing("Float64")`."""
    if type_name not in SCALARS:
        raise DeclarationError(f"missing: {type_name!r} is not a type", remedy=f"The types are {', '.join(SCALARS)}.")
    return Expression(Constant(None, SCALARS[type_name]), (), SCALARS[type_name])


def _fold(name: str, values: tuple[Any, ...]) -> Expression:
    if len(values) < 2:
        raise DeclarationError(f"{name} takes two or more values and got {len(values)}", remedy="Give it more values.")
    return reduce(lambda left, right: apply(REGISTRY[name], left, right), values)
