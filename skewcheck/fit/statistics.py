"""How each kind of statistic is computed: SQL over one column of values, the same bits on every run.

A sum of floats depends on its order, and a parallel engine has none. So sums here are exact: every value is split into
a whole number of at most 55 bits and a power of two, the whole numbers are added for each power in 128 bits, and the
result is computed from those sums in whole numbers and rounded once. That is independent of threads and row order, and
partial sums can be merged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import duckdb

from skewcheck.errors import StateError
from skewcheck.language.operator import Statistic

Values = str
"""SQL text of a relation with one column `value`, without missing values."""


def compute_statistic(connection: duckdb.DuckDBPyConnection, values: Values, statistic: Statistic) -> Any:
    """A statistic of the values.

    Raises:
        StateError: There are no values, or the result is not a finite Float64.
    """
    (count,) = one_row(connection, f"SELECT count(*) FROM ({values})")
    if not count:
        raise StateError("has no value in the rows that training keeps, so it has no statistics")
    result = KINDS[statistic.kind](connection, values, dict(statistic.parameters))
    if isinstance(result, float) and not math.isfinite(result):
        raise StateError(f"its {statistic.name} is {result}: the values are too far apart for a Float64")
    return result


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row of an aggregate over everything."""
    (row,) = connection.execute(query).fetchall()
    return row


def _moments(connection: duckdb.DuckDBPyConnection, values: Values) -> tuple[int, Fraction, Fraction]:
    """The number of values, their exact sum, and the exact sum of their squares."""
    # Every value is whole × 2^scale, exactly: the logarithm may be off by one, which the spare bit allows for. The
    # square of the whole number is added in parts, so that no sum leaves 128 bits.
    sums = connection.execute(
        f"""
        SELECT scale, count(*), sum(whole), sum(high * high), sum(high * low), sum(low * low)
        FROM (
          SELECT scale, whole, whole // 134217728 AS high, whole % 134217728 AS low
          FROM (
            SELECT scale, CAST(value / pow(2e0, scale) AS BIGINT) AS whole
            FROM (
              SELECT value,
                CASE WHEN value = 0 THEN 0
                  ELSE greatest(CAST(floor(log2(abs(value))) AS BIGINT) - 1, -1022) - 52 END AS scale
              FROM ({values})
            )
          )
        )
        GROUP BY scale
        """
    ).fetchall()
    count, total, squares = 0, Fraction(0), Fraction(0)
    for scale, rows, whole, high, middle, low in sums:
        unit = Fraction(2) ** scale
        count += rows
        total += int(whole) * unit
        squares += ((int(high) << 54) + (int(middle) << 28) + int(low)) * unit * unit
    return count, total, squares


def _mean(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """The exact mean, rounded once."""
    count, total, _squares = _moments(connection, values)
    return float(total / count)


def _standard_deviation(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """The population's standard deviation (ddof 0), rounded once; 1 where that is 0, as for a constant column."""
    count, total, squares = _moments(connection, values)
    return _square_root(squares / count - (total / count) ** 2) or 1.0


def _square_root(value: Fraction) -> float:
    """The Float64 nearest to the square root of a fraction."""
    # Enough bits for the root to have 64 or more, and one more bit that says whether anything was cut off.
    shift = max(0, 64 + (value.denominator.bit_length() - value.numerator.bit_length()) // 2 + 1)
    scaled, rest = divmod(value.numerator << (2 * shift), value.denominator)
    root = math.isqrt(scaled)
    inexact = rest != 0 or root * root != scaled
    return (2 * root + inexact) / (2 << shift)


def _minimum(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    return _plain_zero(one_row(connection, f"SELECT min(value) FROM ({values})")[0])


def _range(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """Largest minus smallest, 1 for a constant column."""
    low, high = one_row(connection, f"SELECT min(value), max(value) FROM ({values})")
    return float(high - low) if high != low else 1.0


def _median(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    return _quantiles(connection, values, [Fraction(1, 2)])[0]


def _quantile_edges(
    connection: duckdb.DuckDBPyConnection, values: Values, parameters: Mapping[str, Any]
) -> list[float]:
    """The inner quantiles, equal ones once."""
    buckets = parameters["buckets"]
    return sorted(set(_quantiles(connection, values, [Fraction(place, buckets) for place in range(1, buckets)])))


def _quantiles(connection: duckdb.DuckDBPyConnection, values: Values, shares: Iterable[Fraction]) -> list[float]:
    """Quantiles with linear interpolation (Hyndman and Fan's type 7), each exact and rounded once."""
    (count,) = one_row(connection, f"SELECT count(*) FROM ({values})")
    places = [share * (count - 1) for share in shares]
    wanted = sorted({neighbour for place in places for neighbour in (math.floor(place), math.ceil(place))})
    found = connection.execute(
        "SELECT place, value FROM ("
        f"SELECT value, row_number() OVER (ORDER BY value) - 1 AS place FROM ({values})"
        f") WHERE place IN ({', '.join(map(str, wanted))})"
    ).fetchall()
    ordered = {place: Fraction(value) for place, value in found}
    return [
        float(ordered[math.floor(p)] + (ordered[math.ceil(p)] - ordered[math.floor(p)]) * (p - math.floor(p)))
        for p in places
    ]


def _vocabulary(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Mapping[str, Any]) -> list[str]:
    """The most frequent strings first; at equal counts in code-point order."""
    rows = connection.execute(
        f"SELECT value FROM ({values}) GROUP BY value HAVING count(*) >= $minimum "
        "ORDER BY count(*) DESC, value LIMIT $size",
        {"minimum": parameters["minimum_count"], "size": parameters["size"]},
    ).fetchall()
    if not rows:
        raise StateError(f"has no string that occurs {parameters['minimum_count']} times, so its vocabulary is empty")
    return [row[0] for row in rows]


def _plain_zero(value: float) -> float:
    """The value, 0.0 for -0.0: which of them stands first in a column is chance."""
    return value + 0.0


KINDS: dict[str, Callable[[duckdb.DuckDBPyConnection, Values, Mapping[str, Any]], Any]] = {
    "mean": _mean,
    "standard_deviation": _standard_deviation,
    "minimum": _minimum,
    "range": _range,
    "median": _median,
    "quantile_edges": _quantile_edges,
    "vocabulary": _vocabulary,
}
"""Every kind of statistic that an operator may ask for."""
