"""Means and deviations: exact sums of floats, so that no order of the rows can show in them.

A sum of floats depends on its order, and a parallel engine has none. So sums here are exact: every value is split into
a whole number of at most 55 bits and a power of two, the whole numbers are added for each power in 128 bits, and the
result is computed from those sums in whole numbers and rounded once. That is independent of threads and row order, and
partial sums can be merged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb

_SMALLEST = 1074
_UNITS = 2**_SMALLEST


@dataclass(slots=True)
class Moments:
    """The number of some values and their exact sums.

    Attributes:
        count: How many they are.
        units: Their sum, in the smallest Float64 (2^-1074).
        square_units: The sum of their squares, in its square.
    """

    count: int = 0
    units: int = 0
    square_units: int = 0

    @property
    def total(self) -> Fraction:
        """The exact sum."""
        return Fraction(self.units, _UNITS)

    @property
    def mean(self) -> Fraction:
        """The exact mean."""
        return Fraction(self.units, self.count * _UNITS)

    @property
    def standard_deviation(self) -> float:
        """The population's standard deviation (ddof 0), rounded once."""
        spread = self.square_units * self.count - self.units**2
        return square_root(Fraction(spread, (self.count * _UNITS) ** 2))


def sum_moments(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[Any, Moments]:
    """The moments of each group of rows.

    Args:
        connection: Where the rows are.
        rows: SQL text of a relation with a group (`key`) and a Float64 (`value`), neither missing.
    """
    # Every value is whole × 2^scale, exactly: the logarithm may be off by one, which the spare bit allows for. The
    # square of the whole number is added in parts, so that no sum leaves 128 bits.
    sums = connection.execute(
        f"""
        SELECT key, scale, count(*), sum(whole), sum(high * high), sum(high * low), sum(low * low)
        FROM (
          SELECT key, scale, whole, whole // 134217728 AS high, whole % 134217728 AS low
          FROM (
            SELECT key, scale, CAST(value / pow(2e0, scale) AS BIGINT) AS whole
            FROM (
              SELECT key, value,
                CASE WHEN value = 0 THEN 0
                  ELSE greatest(CAST(floor(log2(abs(value))) AS BIGINT) - 1, -1022) - 52 END AS scale
              FROM ({rows})
            )
          )
        )
        GROUP BY key, scale
        """
    ).fetchall()
    groups: dict[Any, Moments] = {}
    for key, scale, count, whole, high, middle, low in sums:
        group = groups.setdefault(key, Moments())
        group.count += count
        group.units += int(whole) << (scale + _SMALLEST)
        group.square_units += ((int(high) << 54) + (int(middle) << 28) + int(low)) << 2 * (scale + _SMALLEST)
    return groups


def square_root(value: Fraction) -> float:
    """The Float64 nearest to the square root of a fraction."""
    # Enough bits for the root to have 64 or more, and one more bit that says whether anything was cut off.
    shift = max(0, 64 + (value.denominator.bit_length() - value.numerator.bit_length()) // 2 + 1)
    scaled, rest = divmod(value.numerator << (2 * shift), value.denominator)
    root = math.isqrt(scaled)
    inexact = rest != 0 or root * root != scaled
    return (2 * root + inexact) / (2 << shift)
