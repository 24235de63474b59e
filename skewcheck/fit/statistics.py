"""How each kind of statistic is computed: SQL over one column of values, the same bits on every run.

A sum of floats depends on its order, and a parallel engine has none. So sums here are exact: every value is split into
a whole number of 53 bits and a power of two, the whole numbers are added for each power in 128 bits, and the result is
rounded once. That is independent of threads and row order, and partial sums can be merged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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


def _mean(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """The exact mean, rounded once."""
    # 2^(e-52) with e >= -1022 divides every value exactly, also a subnormal one.
    parts = connection.execute(
        f"""
        SELECT scale, sum(CAST(value / pow(2e0, scale) AS HUGEINT)), count(*)
        FROM (
          SELECT value,
            CASE WHEN value = 0 THEN 0
              ELSE greatest(CAST(floor(log2(abs(value))) AS BIGINT) - 1, -1022) - 52 END AS scale
          FROM ({values})
        )
        GROUP BY scale
        """
    ).fetchall()
    total = sum(int(part) << (scale + 1100) for scale, part, _ in parts)
    count = sum(rows for _, _, rows in parts)
    # Division of whole numbers is correctly rounded.
    return total / (count << 1100)


def _standard_deviation(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """The population's standard deviation (ddof 0), 1 for a constant column."""
    low, high = one_row(connection, f"SELECT min(value), max(value) FROM ({values})")
    if low == high:
        return 1.0
    mean = f"CAST('{_mean(connection, values, {})!r}' AS DOUBLE)"
    squares = f"SELECT (value - {mean}) * (value - {mean}) AS value FROM ({values})"
    (largest,) = one_row(connection, f"SELECT max(value) FROM ({squares})")
    return math.sqrt(_mean(connection, squares, {})) if math.isfinite(largest) else math.inf


def _minimum(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    return float(one_row(connection, f"SELECT min(value) FROM ({values})")[0])


def _range(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    """Largest minus smallest, 1 for a constant column."""
    low, high = one_row(connection, f"SELECT min(value), max(value) FROM ({values})")
    return float(high - low) if high != low else 1.0


def _median(connection: duckdb.DuckDBPyConnection, values: Values, _: Mapping[str, Any]) -> float:
    return float(one_row(connection, f"SELECT quantile_cont(value, 0.5) FROM ({values})")[0])


def _quantile_edges(
    connection: duckdb.DuckDBPyConnection, values: Values, parameters: Mapping[str, Any]
) -> list[float]:
    """The inner quantiles with linear interpolation (Hyndman and Fan's type 7), equal ones once."""
    buckets = parameters["buckets"]
    points = ", ".join(repr(place / buckets) for place in range(1, buckets))
    (edges,) = one_row(connection, f"SELECT quantile_cont(value, [{points}]) FROM ({values})")
    return sorted({float(edge) + 0.0 for edge in edges})


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


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row of an aggregate over everything."""
    (row,) = connection.execute(query).fetchall()
    return row
