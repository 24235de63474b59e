"""Currencies as units."""

from __future__ import annotations

import pint
import pytest

from skewcheck.language.units import CURRENCIES, conversion, multiply_units, parse_unit, same_dimension


@pytest.mark.parametrize("code", CURRENCIES)
def test_a_currency_converts_to_its_own_parts(code: str) -> None:
    assert parse_unit(code) == code
    assert conversion(code, f"centi{code}") == (100.0, 0.0)
    assert conversion(f"centi{code}", code) == (0.01, 0.0)


def test_one_currency_does_not_convert_to_another() -> None:
    assert not same_dimension("EUR", "USD")
    with pytest.raises(ValueError, match="USD does not convert to EUR"):
        conversion("USD", "EUR")


def test_a_price_has_a_unit() -> None:
    assert multiply_units("EUR", "kilogram", -1) == "EUR / kilogram"
    assert multiply_units("EUR", "EUR", -1) == "dimensionless"


def test_no_currency_takes_the_name_of_a_unit() -> None:
    plain = pint.UnitRegistry()
    assert [code for code in CURRENCIES if code in plain] == []
