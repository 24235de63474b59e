"""Compare two tables, as one sequence: open, join, count, conclude (room: compare)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from skewcheck.compare.absences import find_absences
from skewcheck.compare.causes import find_slices
from skewcheck.compare.concluding import conclude
from skewcheck.compare.counting import Detail, count_differences
from skewcheck.compare.distributions import measure_distributions
from skewcheck.compare.findings import Findings
from skewcheck.compare.joining import JoinCounts, Keys, count_join, find_keys, join_rows
from skewcheck.compare.options import Options
from skewcheck.compare.pairing import EXACT, PairedColumn, Tolerance, pair_columns
from skewcheck.compare.tables import Table, open_table, rename_columns
from skewcheck.engines.session import open_session, say_error
from skewcheck.engines.sql import quote_name
from skewcheck.errors import TableError

MEMORY_LIMIT = "1GB"
"""What the engine may hold; beyond it, it writes to a temporary folder."""


def compare_tables(a: Any, b: Any, on: Sequence[str], options: Options | None = None) -> Findings:
    """Compare two tables row by row.

    Args:
        a: The table as training computed it: whatever `open_table` takes.
        b: The table as served.
        on: The columns that identify a row.
        options: How to compare.

    Raises:
        UsageError: A table or a column is not there.
        TableError: A table cannot be read.
    """
    options = options or Options()
    with open_tables(a, b, options.null_texts) as (connection, first, second):
        if options.renamed:
            second = rename_columns(first, second, options.renamed)
        keys = find_keys(first, second, on)
        columns = find_columns(first, second, keys, options)
        counts = count_join(connection, keys)
        detail = _detail(keys, options)
        counted = count_differences(connection, _joiner(keys, counts, options, detail), columns, detail)
        if options.distributions:
            pairs = {pair.name: pair for pair in columns}
            measured = (
                replace(column, distances=measure_distributions(connection, first, second, pairs[column.name]))
                for column in counted.columns
            )
            counted = replace(counted, columns=tuple(measured))
        absences = find_absences(connection, keys, counts, options) if options.explain else ()
    return replace(conclude(first, second, keys, counts, counted, options), causes=absences)


@contextmanager
def open_tables(
    a: Any, b: Any, null_texts: Sequence[str] = ()
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Table, Table]]:
    """Two tables and a connection on which they can be queried, for as long as the block lasts.

    Raises:
        UsageError: A table is not there.
        TableError: A table cannot be read.
    """
    with (
        tempfile.TemporaryDirectory(prefix="skewcheck-") as folder,
        open_session(memory_limit=MEMORY_LIMIT, spill_to=Path(folder)) as connection,
    ):
        first = open_table(connection, a, "a", Path(folder), null_texts=null_texts)
        second = open_table(connection, b, "b", Path(folder), null_texts=null_texts)
        try:
            yield connection, first, second
        except duckdb.Error as error:
            raise TableError(
                f"{first.source} and {second.source} could not be compared: {say_error(error)}",
                remedy="Check that their files are whole.",
            ) from error


def find_columns(a: Table, b: Table, keys: Keys, options: Options) -> list[PairedColumn]:
    """The columns to compare, as pairs.

    Raises:
        UsageError: A column that is named is in neither table.
    """
    named = {**dict.fromkeys(options.columns, "--columns"), **dict.fromkeys(options.ignored, "--ignore")}
    for name, option in {**dict.fromkeys(options.tolerances, "--tolerance"), **named}.items():
        if name not in b.columns:
            a.column(name, option)
    wanted = [
        name
        for name in a.columns
        if name in b.columns
        and name not in keys.on
        and name not in options.ignored
        and (name in options.columns or not options.columns)
    ]
    pairs = (pair_columns(a.columns[name], b.columns[name]) for name in wanted)
    return [replace(pair, tolerance=_tolerance_of(pair, options), nan_differs=options.nan_differs) for pair in pairs]


def _tolerance_of(pair: PairedColumn, options: Options) -> Tolerance:
    """A tolerance for all columns is not for identifiers and counts; whoever wants that names the column."""
    if pair.name in options.tolerances:
        return options.tolerances[pair.name]
    return EXACT if pair.kind == "integer" else options.tolerance


def _joiner(
    keys: Keys, counts: JoinCounts, options: Options, detail: Detail
) -> Callable[[Sequence[PairedColumn]], str]:
    without_repeated = options.duplicates == "skip" and counts.repeated_ids > 0
    by = [*dict.fromkeys([*options.by, *detail.slices])]

    def join(columns: Sequence[PairedColumn]) -> str:
        return join_rows(keys, columns, at=options.at, by=by, without_repeated=without_repeated)

    return join


def _detail(keys: Keys, options: Options) -> Detail:
    """How much to say. Whose value a pair is, the rest of the id says, or else the first column that slices."""
    rest = [name for name in keys.on if name != options.at]
    entity = ""
    if options.at in keys.on and len(rest) == 1:
        entity = quote_name(f"id.{rest[0]}")
    elif options.by:
        entity = quote_name(f"by.{options.by[0]}")
    slices = find_slices(keys.a.columns, keys.b.columns, options.by, [*keys.on, *filter(None, [options.at])])
    return Detail(
        keys.on,
        tuple(options.by),
        options.samples,
        options.at is not None,
        options.explain,
        entity,
        slices if options.explain else (),
    )
