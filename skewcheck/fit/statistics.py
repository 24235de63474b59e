"""How each kind of statistic is computed: SQL over the values of an operand, the same bits on every run.

Every kind is exact, or computed from exact sums and counts and rounded once, so threads and row order cannot show. A
number can also be computed for each key: `by_key` is the table of another kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import duckdb

from skewcheck.errors import StateError
from skewcheck.fit import counts
from skewcheck.fit.maximum_likelihood import find_lambda
from skewcheck.fit.moments import Moments, sum_moments
from skewcheck.fit.quantiles import find_quantiles
from skewcheck.language.operator import Statistic

Values = str
"""SQL text of a relation with a column `value`, never missing, and a column for each further role of the operands."""

Rows = str
"""SQL text of a relation with the columns `key` and `value`, neither missing."""

Parameters = Mapping[str, Any]


def compute_statistic(connection: duckdb.DuckDBPyConnection, values: Values, statistic: Statistic) -> Any:
    """A statistic of the values.

    Raises:
        StateError: There are no values, or the result is not a finite Float64.
    """
    (count,) = one_row(connection, f"SELECT count(*) FROM ({values})")
    if not count:
        raise StateError("has no value in the rows that training keeps, so it has no statistics")
    result = KINDS[statistic.kind](connection, values, dict(statistic.parameters))
    if (wrong := _find_infinite(result)) is not None:
        raise StateError(f"its {statistic.name} is {wrong}: the values are too far apart for a Float64")
    return result


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row of an aggregate over everything."""
    (row,) = connection.execute(query).fetchall()
    return row


def _find_infinite(result: Any) -> float | None:
    """A number in the statistic that is not finite."""
    if isinstance(result, list):
        return next((wrong for item in result if (wrong := _find_infinite(item)) is not None), None)
    return result if isinstance(result, float) and not math.isfinite(result) else None


def _means(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    """The exact mean, rounded once."""
    return {key: float(group.mean) for key, group in sum_moments(connection, rows).items()}


def _standard_deviations(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    """The population's standard deviation (ddof 0), rounded once; 1 where that is 0, as for a constant column."""
    return {key: group.standard_deviation or 1.0 for key, group in sum_moments(connection, rows).items()}


def _extremes(connection: duckdb.DuckDBPyConnection, rows: Rows) -> dict[Any, tuple[float, float]]:
    """The smallest and the largest value; 0.0 for -0.0: which of them stands first in a column is chance."""
    found = connection.execute(f"SELECT key, min(value), max(value) FROM ({rows}) GROUP BY key").fetchall()
    return {key: (low + 0.0, high + 0.0) for key, low, high in found}


def _minima(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    return {key: low for key, (low, _high) in _extremes(connection, rows).items()}


def _maxima(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    return {key: high for key, (_low, high) in _extremes(connection, rows).items()}


def _ranges(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    """Largest minus smallest, 1 for a constant column."""
    return {key: high - low or 1.0 for key, (low, high) in _extremes(connection, rows).items()}


def _largest_absolutes(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    """The largest absolute value, 1 where that is 0."""
    return {key: max(-low, high) or 1.0 for key, (low, high) in _extremes(connection, rows).items()}


def _quantiles(connection: duckdb.DuckDBPyConnection, rows: Rows, parameters: Parameters) -> dict[Any, float]:
    """The quantile of one share, which is the decimal fraction that its parameter prints as."""
    share = Fraction(repr(parameters["share"]))
    return {key: float(found) + 0.0 for key, (found,) in find_quantiles(connection, rows, lambda _: [share]).items()}


def _quartile_ranges(connection: duckdb.DuckDBPyConnection, rows: Rows, _: Parameters) -> dict[Any, float]:
    """The third quartile minus the first, rounded once; 1 where that is 0."""
    quartiles = find_quantiles(connection, rows, lambda _: [Fraction(1, 4), Fraction(3, 4)])
    return {key: _to_float(third - first) or 1.0 for key, (first, third) in quartiles.items()}


def _to_float(value: Fraction) -> float:
    """The nearest Float64, an infinity where the fraction is beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


NUMBERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Rows, Parameters], dict[Any, float]]] = {
    "mean": _means,
    "standard_deviation": _standard_deviations,
    "minimum": _minima,
    "maximum": _maxima,
    "range": _ranges,
    "largest_absolute": _largest_absolutes,
    "median": lambda connection, rows, _: _quantiles(connection, rows, {"share": 0.5}),
    "quantile": _quantiles,
    "quartile_range": _quartile_ranges,
}
"""Every kind of statistic that is one number, computed for each group of rows."""


def _compute_overall(kind: str) -> Callable[[duckdb.DuckDBPyConnection, Values, Parameters], float]:
    """A number for all rows together."""

    def compute(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> float:
        return NUMBERS[kind](connection, f"SELECT 0 AS key, value FROM ({values})", parameters)[0]

    return compute


def _compute_by_key(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> list[list[Any]]:
    """A number for each key, in the ascending order of the keys."""
    rows = f"SELECT key, value FROM ({values}) WHERE key IS NOT NULL"
    found = NUMBERS[parameters["statistic"]](connection, rows, parameters)
    if not found:
        raise StateError("has no row with both a value and a key, so it has no statistics for any key")
    return [[key, found[key]] for key in sorted(found)]


def _label_mean(connection: duckdb.DuckDBPyConnection, values: Values, _: Parameters) -> float:
    """The exact mean of the label, rounded once."""
    return float(_sum_labels(connection, f"SELECT 0 AS key, label AS value FROM ({values})")[0].mean)


def _label_means(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> list[list[Any]]:
    """The mean of the label for each value, drawn towards the mean of all by so many rows that have it."""
    overall = _sum_labels(connection, f"SELECT 0 AS key, label AS value FROM ({values})")[0].mean
    smoothing = Fraction(parameters["smoothing"])
    groups = _sum_labels(connection, f"SELECT value AS key, label AS value FROM ({values})")
    return [
        [key, float((groups[key].total + smoothing * overall) / (groups[key].count + smoothing))]
        for key in sorted(groups)
    ]


def _sum_labels(connection: duckdb.DuckDBPyConnection, rows: Rows) -> dict[Any, Moments]:
    """The moments of the labels that are there."""
    groups = sum_moments(connection, f"SELECT * FROM ({rows}) WHERE value IS NOT NULL")
    if not groups:
        raise StateError("has no row with both a value and a label, so there is no mean of the label")
    return groups


def _quantile_edges(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> list[float]:
    """The inner quantiles, equal ones once."""
    buckets = parameters["buckets"]
    shares = [Fraction(place, buckets) for place in range(1, buckets)]
    (found,) = find_quantiles(connection, f"SELECT 0 AS key, value FROM ({values})", lambda _: shares).values()
    return sorted({float(edge) for edge in found})


def _equal_edges(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> list[float]:
    """The inner edges of ranges of equal width from the minimum to the maximum, each exact and rounded once."""
    buckets = parameters["buckets"]
    low, high = map(Fraction, one_row(connection, f"SELECT min(value), max(value) FROM ({values})"))
    return sorted({float(low + (high - low) * Fraction(place, buckets)) for place in range(1, buckets)})


def _landmarks(connection: duckdb.DuckDBPyConnection, values: Values, parameters: Parameters) -> list[list[float]]:
    """Quantiles at equal steps from 0 to 1, each distinct one with the first and the last share that it has."""

    def choose_shares(count: int) -> list[Fraction]:
        steps = max(min(parameters["quantiles"], count) - 1, 1)
        return [Fraction(place, steps) for place in range(steps + 1)]

    (count,) = one_row(connection, f"SELECT count(*) FROM ({values})")
    (found,) = find_quantiles(connection, f"SELECT 0 AS key, value FROM ({values})", choose_shares).values()
    shares: dict[float, list[float]] = {}
    for quantile, share in zip(found, choose_shares(count), strict=True):
        shares.setdefault(float(quantile) + 0.0, []).append(float(share))
    landmarks = [[value, of_value[0], of_value[-1]] for value, of_value in shares.items()]
    if math.isinf(landmarks[-1][0] - landmarks[0][0]):
        raise StateError("has values too far apart for a Float64 to hold their range")
    return landmarks


KINDS: dict[str, Callable[[duckdb.DuckDBPyConnection, Values, Parameters], Any]] = {
    **{kind: _compute_overall(kind) for kind in NUMBERS},
    "by_key": _compute_by_key,
    "quantile_edges": _quantile_edges,
    "equal_edges": _equal_edges,
    "landmarks": _landmarks,
    "label_mean": _label_mean,
    "label_means": _label_means,
    "lambda": find_lambda,
    "mode": counts.find_mode,
    "vocabulary": counts.list_most_frequent,
    "distinct": counts.list_distinct,
    "frequencies": counts.count_shares,
    "inverse_document_frequencies": counts.weigh_items,
}
"""Every kind of statistic that an operator may ask for."""
