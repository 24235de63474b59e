"""Quantiles: exact ones with linear interpolation (Hyndman and Fan's type 7, as NumPy's default)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa

Shares = Callable[[int], Iterable[Fraction]]


def find_quantiles(connection: duckdb.DuckDBPyConnection, rows: str, shares: Shares) -> dict[Any, list[Fraction]]:
    """The exact quantiles of each group of rows.

    Args:
        connection: Where the rows are.
        rows: SQL text of a relation with a group (`key`) and a Float64 (`value`), neither missing.
        shares: The shares whose quantiles are wanted, for a group of so many rows.
    """
    counts = dict(connection.execute(f"SELECT key, count(*) FROM ({rows}) GROUP BY key").fetchall())
    places = {key: [share * (count - 1) for share in shares(count)] for key, count in counts.items()}
    wanted = [
        (key, neighbour)
        for key, positions in places.items()
        for neighbour in sorted({side(position) for position in positions for side in (math.floor, math.ceil)})
    ]
    connection.register(
        "wanted_places", pa.table({"key": [key for key, _ in wanted], "place": [place for _, place in wanted]})
    )
    found = connection.execute(
        "SELECT key, place, value FROM ("
        f"SELECT key, value, row_number() OVER (PARTITION BY key ORDER BY value) - 1 AS place FROM ({rows})"
        ") SEMI JOIN wanted_places USING (key, place)"
    ).fetchall()
    connection.unregister("wanted_places")
    ordered = {(key, place): Fraction(value) for key, place, value in found}
    return {key: [_interpolate(ordered, key, position) for position in places[key]] for key in places}


def _interpolate(ordered: dict[tuple[Any, int], Fraction], key: Any, position: Fraction) -> Fraction:
    """The value at a position that may lie between two rows."""
    below = math.floor(position)
    low, high = ordered[key, below], ordered[key, math.ceil(position)]
    return low + (high - low) * (position - below)
