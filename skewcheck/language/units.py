"""Units of measurement, by the names that pint knows, and currencies.

A column's unit stands on its Feast field as the tag `unit`. None is "no unit stated", which combines with everything;
"dimensionless" is a stated unit like any other. A currency is named by its ISO 4217 code and converts to its own parts
and multiples ("centiEUR", "kiloEUR") and to no other currency. pint is loaded when the first unit is met.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

CURRENCIES = (
    *("AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR"),
    *("ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB"),
    *("TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
)
"""ISO 4217 codes that are units."""


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction)
    for code in CURRENCIES:
        registry.define(f"{code} = [{code}]")
    return registry


@cache
def parse_unit(text: str) -> str:
    """The canonical name of a unit.

    Raises:
        ValueError: pint does not know the unit.
    """
    try:
        return _name(_registry().Unit(text))
    except Exception as error:
        raise ValueError(f"{text!r} is not a unit: {error}") from error


def multiply_units(left: str | None, right: str | None, power: int = 1) -> str | None:
    """The unit of a product, or of a quotient with `power` -1; None where either is not stated.

    A quotient of one and the same unit is dimensionless.
    """
    if left is None or right is None:
        return None
    registry = _registry()
    return _name(registry.Unit(left) * registry.Unit(right) ** power)


def _name(unit: Any) -> str:
    """What pint prints a unit as."""
    from pint.util import UnitsContainer

    # The registry keeps powers as fractions, which it cannot print before Python 3.12.
    items: Any = _registry().Quantity(1, unit).unit_items()
    powers = {name: int(power) if power == int(power) else float(power) for name, power in items}
    return str(_registry().Unit(UnitsContainer(powers)))


@cache
def conversion(source: str, target: str) -> tuple[float, float]:
    """Factor and offset with target = source * factor + offset, computed as fractions, each the nearest Float64.

    Raises:
        ValueError: The dimensions differ.
    """
    registry = _registry()
    try:
        zero, one = (registry.Quantity(Fraction(value), source).to(target).magnitude for value in (0, 1))
    except Exception as error:
        raise ValueError(f"{source} does not convert to {target}: {error}") from error
    return float(one - zero), float(zero)


def same_dimension(left: str, right: str) -> bool:
    """Whether one unit converts to the other."""
    registry = _registry()
    return bool(registry.Unit(left).dimensionality == registry.Unit(right).dimensionality)
