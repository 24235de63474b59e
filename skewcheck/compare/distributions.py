"""How far apart the distributions of a column are in the two tables, over all their rows (room: compare)."""

from __future__ import annotations

from typing import Any

import duckdb

from skewcheck.compare.distances import (
    count_deciles,
    divergence,
    largest_difference,
    largest_gap,
    normalised_difference,
)
from skewcheck.compare.pairing import SIDES, PairedColumn
from skewcheck.compare.tables import Table
from skewcheck.engines.sql import quote_name
from skewcheck.stability import stability_index

MOST_VALUES = 100_000
"""A column of more different values than this has no distribution of values, unless they are numbers."""


def measure_distributions(
    connection: duckdb.DuckDBPyConnection, a: Table, b: Table, pair: PairedColumn
) -> dict[str, float]:
    """Distances by name; of numbers `psi` and `ks`, of everything else `psi`, `linf`, `nad` and `jsd`.

    Missing is a value of its own, save in `ks`. Empty where a side has no rows, the types have nothing in common, or
    there are too many values.
    """
    if pair.foreign:
        return {}
    try:
        if pair.number("a") is not None:
            return _measure_numbers(connection, a, b, pair)
        return _measure_values(connection, a, b, pair)
    except ValueError:  # a side is empty
        return {}


def _measure_numbers(connection: duckdb.DuckDBPyConnection, a: Table, b: Table, pair: PairedColumn) -> dict[str, float]:
    import numpy as np

    arrays = []
    for side, table in zip(SIDES, (a, b), strict=True):
        column = quote_name((pair.a if side == "a" else pair.b).name)
        number = f"coalesce({pair.number(side)}, 'nan'::DOUBLE)"
        query = f"SELECT {number} AS number FROM (SELECT {column} AS {pair.raw(side)} FROM {table.relation})"
        arrays.append(np.asarray(connection.execute(query).fetchnumpy()["number"], dtype=np.float64))
    reference, current = arrays
    distances = {"psi": stability_index(*count_deciles(reference, current))}
    if not np.isnan(reference).all() and not np.isnan(current).all():
        distances["ks"] = largest_gap(reference, current)
    return distances


def _measure_values(connection: duckdb.DuckDBPyConnection, a: Table, b: Table, pair: PairedColumn) -> dict[str, float]:
    counts: list[dict[Any, float]] = []
    for side, table in zip(SIDES, (a, b), strict=True):
        column = quote_name((pair.a if side == "a" else pair.b).name)
        text = f"CAST({pair.value(side)} AS VARCHAR)"
        rows = connection.execute(
            f"SELECT {text} AS value, count(*) FROM (SELECT {column} AS {pair.raw(side)} FROM {table.relation}) "
            f"GROUP BY value ORDER BY value LIMIT {MOST_VALUES + 1}"
        ).fetchall()
        if len(rows) > MOST_VALUES:
            return {}
        counts.append(dict(rows))
    one, other = counts
    return {
        "psi": stability_index(one, other),
        "linf": largest_difference(one, other),
        "nad": normalised_difference(one, other),
        "jsd": divergence(one, other),
    }
