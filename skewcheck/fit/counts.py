"""Counts of values: vocabularies, modes, shares and document frequencies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import duckdb

from skewcheck.errors import StateError


def list_most_frequent(connection: duckdb.DuckDBPyConnection, values: str, parameters: Mapping[str, Any]) -> list[Any]:
    """The most frequent values first; at equal counts in ascending (code-point) order.

    Raises:
        StateError: No value occurs often enough.
    """
    rows = connection.execute(
        f"SELECT value FROM ({values}) GROUP BY value HAVING count(*) >= $minimum "
        "ORDER BY count(*) DESC, value LIMIT $size",
        {"minimum": parameters["minimum_count"], "size": parameters["size"]},
    ).fetchall()
    if not rows:
        raise StateError(f"has no value that occurs {parameters['minimum_count']} times, so its vocabulary is empty")
    return [row[0] for row in rows]


def list_distinct(connection: duckdb.DuckDBPyConnection, values: str, _: Mapping[str, Any]) -> list[Any]:
    """The distinct values in ascending (code-point) order."""
    return [row[0] for row in connection.execute(f"SELECT DISTINCT value FROM ({values}) ORDER BY value").fetchall()]


def find_mode(connection: duckdb.DuckDBPyConnection, values: str, _: Mapping[str, Any]) -> Any:
    """The most frequent value, the smallest of those that are equally frequent; 0.0 for -0.0."""
    found = connection.execute(
        f"SELECT value FROM ({values}) GROUP BY value ORDER BY count(*) DESC, value LIMIT 1"
    ).fetchall()
    mode = found[0][0]
    return mode + 0.0 if isinstance(mode, float) else mode


def count_shares(connection: duckdb.DuckDBPyConnection, values: str, _: Mapping[str, Any]) -> list[list[Any]]:
    """The share of each distinct value among all values, in ascending order of the values."""
    rows = connection.execute(f"SELECT value, count(*) FROM ({values}) GROUP BY value ORDER BY value").fetchall()
    total = sum(count for _value, count in rows)
    return [[value, count / total] for value, count in rows]


def weigh_items(connection: duckdb.DuckDBPyConnection, values: str, parameters: Mapping[str, Any]) -> list[float]:
    """For each of the given items ln((1 + n) / (1 + d)) + 1, where d of the n delimited texts have it."""
    items = parameters["items"]
    having = ", ".join(f"count(*) FILTER (list_contains(pieces, $item_{place}))" for place in range(len(items)))
    found = connection.execute(
        f"SELECT count(*), {having} FROM (SELECT string_split(value, $delimiter) AS pieces FROM ({values}))",
        {"delimiter": parameters["delimiter"], **{f"item_{place}": item for place, item in enumerate(items)}},
    ).fetchall()
    total, *having_item = found[0]
    return [math.log((1 + total) / (1 + count)) + 1.0 for count in having_item]
