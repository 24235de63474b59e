"""Where a column's mismatches lie: by pair of values, by hour, by the values of other columns (room: compare)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from skewcheck.compare.findings import Bucket, Confusion, Slice
from skewcheck.compare.joining import AT
from skewcheck.compare.pairing import PairedColumn
from skewcheck.contracts import plain_value
from skewcheck.engines.sql import quote_name

FEW = 50
"""A column with no more values than this on either side has a table of confusions, of at most as many pairs."""

HOURLY_UNTIL = 31
"""Days up to which times are shown by the hour; beyond, by the day."""

SLICES = 10
"""Values shown of each slicing column."""

Breakdown = tuple[tuple[Confusion, ...], tuple[Bucket, ...], tuple[Slice, ...]]


def find_breakdown(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    pair: PairedColumn,
    *,
    by: Sequence[str],
    timed: bool,
    values: bool,
) -> Breakdown:
    """Where the mismatches of one column lie.

    Args:
        connection: Where the relation can be queried.
        relation: The pairs, as `join_rows` names their columns.
        pair: The column.
        by: The slicing columns.
        timed: Whether the pairs have times.
        values: Whether values may be shown that nobody asked for by a slice.
    """
    slices = tuple(found for name in by for found in _slice(connection, relation, pair, name))
    return (
        _confuse(connection, relation, pair) if values else (),
        _bucket(connection, relation, pair) if timed else (),
        slices,
    )


def _confuse(connection: duckdb.DuckDBPyConnection, relation: str, pair: PairedColumn) -> tuple[Confusion, ...]:
    a, b = pair.raw("a"), pair.raw("b")
    distinct = connection.execute(
        f"SELECT greatest(approx_count_distinct({a}), approx_count_distinct({b})) FROM {relation}"
    ).fetchone()
    if distinct is None or distinct[0] > FEW * 1.2:  # the count is approximate
        return ()
    rows = connection.execute(
        f"SELECT {a} AS a, {b} AS b, count(*) AS pairs FROM {relation} GROUP BY a, b "
        f"ORDER BY pairs DESC, CAST(a AS VARCHAR), CAST(b AS VARCHAR) LIMIT {FEW}"
    ).fetchall()
    return tuple(Confusion(plain_value(one), plain_value(other), count) for one, other, count in rows)


def _bucket(connection: duckdb.DuckDBPyConnection, relation: str, pair: PairedColumn) -> tuple[Bucket, ...]:
    span = connection.execute(f"SELECT date_diff('day', min({AT}), max({AT})) FROM {relation}").fetchone()
    unit = "hour" if span is None or (span[0] or 0) <= HOURLY_UNTIL else "day"
    start = f"date_trunc('{unit}', {AT} AT TIME ZONE 'UTC')"
    rows = connection.execute(
        f"SELECT strftime({start}, '%Y-%m-%dT%H:%M:%SZ') AS start, count(*), "
        f"count(CASE WHEN {pair.differs()} THEN 1 END) FROM {relation} WHERE isfinite({AT}) GROUP BY ALL ORDER BY start"
    ).fetchall()
    return tuple(Bucket(*row) for row in rows)


def _slice(connection: duckdb.DuckDBPyConnection, relation: str, pair: PairedColumn, name: str) -> tuple[Slice, ...]:
    column = quote_name(f"by.{name}")
    rows = connection.execute(
        f"SELECT {column} AS value, count(*) AS compared, count(CASE WHEN {pair.differs()} THEN 1 END) AS mismatched "
        f"FROM {relation} GROUP BY value HAVING mismatched > 0 "
        f"ORDER BY mismatched DESC, compared, CAST(value AS VARCHAR) LIMIT {SLICES}"
    ).fetchall()
    return tuple(Slice(name, plain_value(value), compared, mismatched) for value, compared, mismatched in rows)
