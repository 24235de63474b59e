"""The rows of two tables brought together by id, and what the join says by itself (room: compare)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb

from skewcheck.compare.kinds import NUMBERS, TIMES, Column
from skewcheck.compare.pairing import SIDES, PairedColumn, Side, pair_columns, read_text
from skewcheck.compare.tables import Table
from skewcheck.engines.sql import quote_name
from skewcheck.errors import UsageError

Duplicates = Literal["skip", "pairs"]
"""What to do with an id that stands in several rows: leave it out and count it, or compare every A with every B."""

AT = '"at"'
_REPEATED = "repeated_ids"


@dataclass(frozen=True, slots=True)
class JoinCounts:
    """What the ids of the two tables say. Of a pair of counts the first is A's."""

    rows: tuple[int, int]
    missing_ids: tuple[int, int]
    unmatched_ids: tuple[int, int]
    unmatched_rows: tuple[int, int]
    duplicated_ids: tuple[int, int]
    ids: int
    shared_ids: int
    repeated_ids: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns that identify a row, in both tables."""

    a: Table
    b: Table
    on: tuple[str, ...]
    pairs: tuple[PairedColumn, ...]

    @property
    def names(self) -> list[str]:
        """The quoted names under which a joined relation has the parts of the id."""
        return [quote_name(f"id.{name}") for name in self.on]

    def read(self, side: Side, columns: Mapping[str, str] | None = None) -> str:
        """SQL text of one table's rows: the parts of the id, and beside them further columns.

        Args:
            side: Which table.
            columns: For the quoted name of each further column, its SQL text over the table's own columns.
        """
        table = self.a if side == "a" else self.b
        named = {pair.raw(side): quote_name(_side_name(pair, side)) for pair in self.pairs} | dict(columns or {})
        inner = ", ".join(f"{text} AS {name}" for name, text in named.items())
        parts = [f"{_key_text(pair, side)} AS {name}" for pair, name in zip(self.pairs, self.names, strict=True)]
        return f"SELECT {', '.join([*parts, *(columns or ())])} FROM (SELECT {inner} FROM {table.relation})"

    @property
    def equal(self) -> str:
        """SQL text of the join's condition, between `x` and `y`."""
        return " AND ".join(f"x.{name} = y.{name}" for name in self.names)

    @property
    def known(self) -> str:
        """SQL text that is True where every part of an id is there."""
        return " AND ".join(f"{name} IS NOT NULL" for name in self.names)


def find_keys(a: Table, b: Table, on: Sequence[str]) -> Keys:
    """The id's columns in both tables.

    Raises:
        UsageError: No column is named, or a table lacks one.
    """
    if not on:
        raise UsageError("no column is named that identifies a row", remedy="Name it with --on, such as --on id.")
    names = tuple(dict.fromkeys(on))
    return Keys(a, b, names, tuple(pair_columns(a.column(name, "--on"), b.column(name, "--on")) for name in names))


def count_join(connection: duckdb.DuckDBPyConnection, keys: Keys) -> JoinCounts:
    """Count rows and ids; where ids repeat, keep them for `join_rows` to leave out."""
    grouped = [
        f"{side} AS (SELECT {', '.join(keys.names)}, count(*) AS n FROM ({keys.read(side)}) "
        f"WHERE {keys.known} GROUP BY ALL)"
        for side in SIDES
    ]
    parts = ", ".join(f"coalesce(x.{name}, y.{name}) AS {name}" for name in keys.names)
    ids = f"WITH {', '.join(grouped)} SELECT {parts}, x.n AS a, y.n AS b FROM a AS x FULL JOIN b AS y ON {keys.equal}"
    counted = connection.execute(
        "SELECT coalesce(sum(a), 0), coalesce(sum(b), 0), count(*), count(CASE WHEN b IS NULL THEN 1 END), "
        "count(CASE WHEN a IS NULL THEN 1 END), coalesce(sum(CASE WHEN b IS NULL THEN a END), 0), "
        "coalesce(sum(CASE WHEN a IS NULL THEN b END), 0), count(CASE WHEN a > 1 THEN 1 END), "
        "count(CASE WHEN b > 1 THEN 1 END), count(CASE WHEN a > 1 OR b > 1 THEN 1 END), "
        f"count(a + b), coalesce(sum(CAST(a AS HUGEINT) * b), 0) FROM ({ids})"
    ).fetchone()
    totals = [connection.execute(f"SELECT count(*) FROM {table.relation}").fetchone() for table in (keys.a, keys.b)]
    known_a, known_b, all_ids, only_a, only_b, rows_a, rows_b, twice_a, twice_b, repeated, shared, pairs = (
        int(count) for count in counted or [0] * 12
    )
    rows = tuple(int(total[0]) if total else 0 for total in totals)
    if repeated:
        names = ", ".join(keys.names)
        connection.execute(f"CREATE TEMP TABLE {_REPEATED} AS SELECT {names} FROM ({ids}) WHERE a > 1 OR b > 1")
    return JoinCounts(
        rows=(rows[0], rows[1]),
        missing_ids=(rows[0] - known_a, rows[1] - known_b),
        unmatched_ids=(only_a, only_b),
        unmatched_rows=(rows_a, rows_b),
        duplicated_ids=(twice_a, twice_b),
        ids=all_ids,
        shared_ids=shared,
        repeated_ids=repeated,
        pairs=pairs,
    )


def join_rows(
    keys: Keys,
    columns: Sequence[PairedColumn],
    *,
    at: str | None = None,
    by: Sequence[str] = (),
    without_repeated: bool = False,
) -> str:
    """SQL text of the pairs: "id.<name>", "at" (an instant), "by.<name>", and "a.<name>" beside "b.<name>".

    Args:
        keys: What identifies a row.
        columns: What to compare.
        at: The column of times, B's where both tables have it; the relation's is null where none is named.
        by: Columns that slice the comparison, B's where both tables have them.
        without_repeated: Leave out the ids that `count_join` kept.
    """
    chosen: dict[Side, dict[str, str]] = {
        side: {pair.raw(side): quote_name(_side_name(pair, side)) for pair in columns} for side in SIDES
    }
    for name in by:
        chosen[_side_of(keys, name, "--by")][quote_name(f"by.{name}")] = quote_name(name)
    if at is not None:
        side = _side_of(keys, at, "--at")
        table = keys.a if side == "a" else keys.b
        chosen[side][AT] = _read_instant(table.columns[at], quote_name(at))
    time = AT if at is not None else f"CAST(NULL AS TIMESTAMPTZ) AS {AT}"
    shown = [*(f"x.{name}" for name in keys.names), time, *(quote_name(f"by.{name}") for name in by)]
    shown += [text for pair in columns for text in (pair.raw("a"), pair.raw("b"))]
    leaving = f" WHERE NOT EXISTS (FROM {_REPEATED} AS y WHERE {keys.equal})" if without_repeated else ""
    return (
        f"SELECT {', '.join(shown)} FROM (FROM ({keys.read('a', chosen['a'])}) AS x{leaving}) AS x "
        f"JOIN ({keys.read('b', chosen['b'])}) AS y ON {keys.equal}"
    )


def _side_of(keys: Keys, name: str, option: str) -> Side:
    """The table that a column which describes the pairs is read from: B's rows are what was served."""
    if name in keys.b.columns:
        return "b"
    keys.a.column(name, option)
    return "a"


def _side_name(pair: PairedColumn, side: Side) -> str:
    return pair.a.name if side == "a" else pair.b.name


def _key_text(pair: PairedColumn, side: Side) -> str:
    """SQL text of a part of an id, in a form that both tables share."""
    column, raw = (pair.a if side == "a" else pair.b), pair.raw(side)
    loose = pair.a.loose or pair.b.loose
    mixed = {pair.a.kind, pair.b.kind} == {"integer", "float"}
    if not loose and not mixed and not pair.foreign:
        value = pair.value(side)
        return f"CASE WHEN NOT isnan({value}) THEN {value} END" if pair.kind == "float" else value
    if loose and not pair.foreign:
        value = pair.value(side)
        if pair.kind == "float":
            value = _whole_text(f"CAST({value} AS DOUBLE)")
        text = f"CAST({value} AS VARCHAR)"
        # Text that is not of the other table's type is an id that it does not have, and not a missing one.
        return f"coalesce({text}, {raw})" if column.loose else text
    return _whole_text(raw) if column.kind == "float" else f"CAST({raw} AS VARCHAR)"


def _whole_text(real: str) -> str:
    """A float id as text: without ".0" where it is whole, null where it is NaN."""
    whole = f"{real} = trunc({real}) AND abs({real}) < 1e37"
    number = f"CASE WHEN {whole} THEN CAST(CAST({real} AS HUGEINT) AS VARCHAR) ELSE CAST({real} AS VARCHAR) END"
    return f"CASE WHEN NOT isnan({real}) THEN {number} END"


def _read_instant(column: Column, raw: str) -> str:
    if column.kind not in TIMES:
        hint = " Numbers that count seconds are no times yet." if column.kind in NUMBERS else ""
        raise UsageError(
            f"--at {column.name}: the column is {column.said}, expected times", remedy=f"Name a column of times.{hint}"
        )
    return read_text(raw, "instant") if column.loose else f"CAST({raw} AS TIMESTAMP WITH TIME ZONE)"
