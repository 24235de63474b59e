"""Consistency metrics as Chronon computes them: by hour, over a full join, exact (room: compare).

For whoever has to reproduce its numbers; docs/compare.md lists what is deliberately different without this mode. A is
the left side (offline), B the right one (online).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from skewcheck.compare.joining import Keys, find_keys
from skewcheck.compare.kinds import NUMBERS, TIMES
from skewcheck.compare.pairing import PairedColumn, pair_columns
from skewcheck.compare.tables import Table, rename_columns
from skewcheck.contracts import plain_value, write_contract
from skewcheck.engines.sql import quote_name
from skewcheck.errors import UsageError

SCHEMA = "skewcheck/compare-chronon/1"


@dataclass(frozen=True, slots=True)
class Metrics:
    """One column in one hour; a row that one side lacks is a null there. SMAPE is None for what is no number."""

    both_null: int
    left_null: int
    right_null: int
    mismatch: int
    total: int
    smape: float | None


@dataclass(frozen=True, slots=True)
class Hour:
    """The metrics of one hour, by column."""

    start: str
    columns: dict[str, Metrics]


@dataclass(frozen=True, slots=True)
class Series:
    """All hours, in order."""

    hours: tuple[Hour, ...]

    @property
    def exit_code(self) -> int:
        """0 consistent, 1 not, 3 where there was nothing to compare."""
        if not any(metrics.total for hour in self.hours for metrics in hour.columns.values()):
            return 3
        return int(
            any(
                metrics.mismatch or metrics.left_null or metrics.right_null
                for hour in self.hours
                for metrics in hour.columns.values()
            )
        )

    def to_json(self) -> str:
        """The series as JSON text."""
        return write_contract(SCHEMA, plain_value(asdict(self)))


def compare_like_chronon(
    connection: duckdb.DuckDBPyConnection, left: Table, right: Table, on: Sequence[str], renamed: Mapping[str, str]
) -> Series:
    """Compare two tables.

    Args:
        connection: Where they can be queried.
        left: The offline table.
        right: The online table.
        on: The keys; the first of them that holds times gives the hours.
        renamed: For a column of the left table, its name in the right one.

    Raises:
        UsageError: The schemas do not mirror each other: a key or a renamed column is absent, columns differ in number,
            name or type, or no key holds times.
    """
    if renamed:
        right = rename_columns(left, right, renamed)
    keys = find_keys(left, right, on)
    times = [pair.name for pair in keys.pairs if pair.a.kind in TIMES]
    if not times:
        raise UsageError(
            f"none of the keys {', '.join(keys.on)} holds times", remedy="Name the column of times with --on as well."
        )
    pairs = [pair_columns(left.columns[name], column) for name, column in _mirror(left, right).items()]
    return Series(tuple(_read_hours(connection, keys, [pair for pair in pairs if pair.name not in keys.on], times[0])))


def _mirror(left: Table, right: Table) -> dict[str, Any]:
    """The right table's columns, which the left one has as well, in the same types."""
    if only := sorted({*left.columns} ^ {*right.columns}):
        raise UsageError(
            f"the tables have {len(left.columns)} and {len(right.columns)} columns, and do not share {', '.join(only)}",
            remedy="Name pairs of columns with --rename A=B, or leave the others out of both tables.",
        )
    for name, column in right.columns.items():
        if left.columns[name].type != column.type:
            raise UsageError(
                f"column {name} is {left.columns[name].said} in A and {column.said} in B",
                remedy="Give both one type; without the mode, that is a finding.",
            )
    return right.columns


def _read_hours(
    connection: duckdb.DuckDBPyConnection, keys: Keys, pairs: Sequence[PairedColumn], time: str
) -> list[Hour]:
    read = [keys.read(side, {pair.raw(side): quote_name(pair.name) for pair in pairs}) for side in ("a", "b")]
    at = quote_name(f"id.{time}")
    asked = ", ".join(_ask(pair) for pair in pairs)
    columns = ", ".join(text for pair in pairs for text in (pair.raw("a"), pair.raw("b")))
    rows = connection.execute(
        f"SELECT strftime(date_trunc('hour', CAST(hour AS TIMESTAMP)), '%Y-%m-%dT%H:00:00Z') AS start, {asked} FROM ("
        f"SELECT coalesce(x.{at}, y.{at}) AS hour, {columns} FROM ({read[0]}) AS x FULL JOIN ({read[1]}) AS y "
        f"ON {keys.equal}) GROUP BY start ORDER BY start"
    ).fetchall()
    return [
        Hour(
            row[0],
            {pair.name: Metrics(*row[1 + 6 * place : 7 + 6 * place]) for place, pair in enumerate(pairs)},
        )
        for row in rows
    ]


def _ask(pair: PairedColumn) -> str:
    a, b = pair.raw("a"), pair.raw("b")
    conditions = [
        f"{a} IS NULL AND {b} IS NULL",
        f"{a} IS NULL AND {b} IS NOT NULL",
        f"{a} IS NOT NULL AND {b} IS NULL",
        f"{a} <> {b}",
    ]
    counts = [f"count(CASE WHEN {condition} THEN 1 END)" for condition in conditions]
    smape = "CAST(NULL AS DOUBLE)"
    if pair.kind in NUMBERS:
        # With a null on one side the condition is null, and the pair scores 0: this is the mode's own defect.
        whole = f"abs({a}) + abs({b})"
        smape = f"avg(CASE WHEN {whole} <> 0 THEN 2e0 * abs({a} - {b}) / ({whole}) ELSE 0e0 END)"
    return ", ".join([*counts, "count(*)", smape])
