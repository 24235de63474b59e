"""Units that are taken for each other, and factors that betray one (room: explain, values)."""

from __future__ import annotations

import math
from functools import cache

from skewcheck.language.units import conversion, same_dimension

UNITS = (
    *("meter", "kilometer", "mile", "foot", "inch", "yard", "centimeter", "millimeter", "nautical_mile"),
    *("second", "minute", "hour", "day", "week", "millisecond", "microsecond", "nanosecond"),
    *("degC", "degF", "kelvin", "gram", "kilogram", "pound", "ounce", "metric_ton", "milligram"),
    *("pascal", "hectopascal", "bar", "psi", "inch_Hg", "kilopascal", "millimeter_Hg", "atmosphere"),
    *("meter / second", "kilometer / hour", "mile / hour", "knot", "foot / second", "mile / minute"),
    *("byte", "kilobyte", "megabyte", "gigabyte", "kibibyte", "mebibyte", "bit", "dimensionless", "percent"),
    *("liter", "milliliter", "gallon", "cubic_meter", "joule", "kilowatt_hour", "calorie", "watt", "kilowatt"),
    *("radian", "degree", "square_meter", "square_foot", "hectare", "acre", "hertz", "kilohertz"),
)
"""Units that people use, by the names that pint knows."""

FACTORS = {
    "thousands": 1000.0,
    "thousandths": 1e-3,
    "millions": 1e6,
    "millionths": 1e-6,
    "percent": 100.0,
    "hundredths": 0.01,
    "minutes in an hour, or seconds in a minute": 60.0,
    "hours for minutes, or minutes for seconds": 1 / 60.0,
    "seconds in an hour": 3600.0,
    "hours for seconds": 1 / 3600.0,
    "hours in a day": 24.0,
    "days for hours": 1 / 24.0,
    "seconds in a day": 86400.0,
    "days for seconds": 1 / 86400.0,
    "kilometres for miles": 1.609344,
    "miles for kilometres": 1 / 1.609344,
    "metres for feet": 0.3048,
    "feet for metres": 1 / 0.3048,
    "centimetres for inches": 2.54,
    "inches for centimetres": 1 / 2.54,
    "kilograms for pounds": 0.45359237,
    "pounds for kilograms": 1 / 0.45359237,
    "bytes in a kibibyte": 1024.0,
    "kibibytes for bytes": 1 / 1024.0,
    "degrees for radians": 57.29577951308232,
    "radians for degrees": 0.017453292519943295,
    "kilometres an hour for metres a second": 3.6,
    "metres a second for kilometres an hour": 1 / 3.6,
    "the other sign": -1.0,
}
"""Factors between units that nobody stated."""

LOGARITHMS = {
    "the decimal logarithm for the natural one": 1 / math.log(10.0),
    "the natural logarithm for the decimal one": math.log(10.0),
    "the binary logarithm for the natural one": 1 / math.log(2.0),
    "the natural logarithm for the binary one": math.log(2.0),
}
"""Factors between logarithms."""


@cache
def find_units(unit: str) -> tuple[tuple[str, float, float], ...]:
    """Other units of the same dimension, each with the factor and the offset from the given one."""
    found: dict[tuple[float, float], str] = {}
    for other in _candidates(unit):
        try:
            if not same_dimension(unit, other):
                continue
            line = conversion(unit, other)
        except Exception:  # noqa: S112 (a unit that pint does not know here is none to be taken for another)
            continue
        if line != (1.0, 0.0):
            found.setdefault(line, other)
    return tuple((other, factor, offset) for (factor, offset), other in found.items())


def _candidates(unit: str) -> tuple[str, ...]:
    if len(unit) == 3 and unit.isupper():
        return (f"centi{unit}", f"kilo{unit}", f"milli{unit}", f"mega{unit}")
    if "/" in unit:
        above, _, below = unit.partition(" / ")
        crossed = tuple(f"{one} / {below}" for one in UNITS if "/" not in one) + tuple(
            f"{above} / {one}" for one in UNITS if "/" not in one
        )
        return UNITS + crossed
    return UNITS
