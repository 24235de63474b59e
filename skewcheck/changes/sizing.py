"""How much a change moves on a log or a data set: rows, missing values, distances, and the shift of the distribution.

Both versions run as one query over the inputs as they are logged (room: changes).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from skewcheck.changes.values import Pair, frozen_terms
from skewcheck.contracts import plain_value
from skewcheck.diff_verdict import Sample, Size
from skewcheck.engines.duckdb import SQL_TYPES, write_query
from skewcheck.engines.opaque import Loaded, find_failure, load_functions, register_functions
from skewcheck.engines.session import open_session, say_error
from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.language.opaque import find_functions
from skewcheck.language.terms import Term, finite
from skewcheck.language.types import Type
from skewcheck.serving.reader import open_log
from skewcheck.stability import stability_index

SAMPLES = 3

BINS = 10
"""Ranges of equally many old values that the population stability index compares."""

MOST_CATEGORIES = 50

_NUMBERS = {"Float64", "Int64"}


@dataclass(frozen=True, slots=True)
class Data:
    """Rows to measure on: how they are named, where they are, and their columns.

    Attributes:
        name: The path as it was given.
        relation: SQL text.
        columns: The columns.
        rows: How many rows there are.
    """

    name: str
    relation: str
    columns: tuple[str, ...]
    rows: int


def open_data(log: str | None, data: str | None) -> Data:
    """The rows of a serving log, or of a Parquet or CSV file.

    Raises:
        UsageError: There is no such file.
        SkewcheckError: It cannot be read, or has no row.
    """
    if log is not None:
        files = [str(path.absolute()) for path in open_log(log).files]
        return _describe(
            log, f"read_parquet([{', '.join(quote_text(escape_glob(f)) for f in files)}], union_by_name = true)"
        )
    path = str(data)
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}", remedy="Give a Parquet or CSV file with the features' inputs.")
    whole = quote_text(escape_glob(str(Path(path).absolute())))
    reader = "read_csv" if path.endswith((".csv", ".csv.gz", ".tsv")) else "read_parquet"
    return _describe(path, f"{reader}({whole})")


def _describe(name: str, relation: str) -> Data:
    with open_session() as connection:
        try:
            described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
            (count,) = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0]
        except duckdb.Error as error:
            raise SkewcheckError(
                f"{name} cannot be read: {say_error(error)}",
                remedy="Check that the file is whole, and Parquet or CSV as its name says.",
            ) from error
    if not count:
        raise SkewcheckError(f"{name} has no row, so nothing was compared", remedy="Give rows to compare on.")
    return Data(name, relation, tuple(column for column, *_ in described), count)


def measure(pairs: Sequence[Pair], data: Data, keys: Iterable[str]) -> dict[str, Size]:
    """The size of the change of each feature that can be measured, by its name.

    Args:
        pairs: The features in both versions, of one service.
        data: The rows.
        keys: The names of columns that name a row, where the data has them.

    Raises:
        SkewcheckError: A column cannot be read as its type, or an opaque function has no answer for a row.
    """
    found: dict[str, Size] = {}
    terms: dict[str, tuple[Term, Term]] = {}
    for pair in pairs:
        name = pair.new.name
        absent = [column for column in pair.types if _find_column(data, column) is None]
        both = frozen_terms(pair)
        if absent:
            found[name] = Size(data.name, 0, 0, note=f"not measured: {data.name} lacks {', '.join(absent)}")
        elif both is None:
            found[name] = Size(data.name, 0, 0, note="not measured: its statistics are to be fitted first")
        else:
            terms[name] = both
    if not terms:
        return found
    chosen = [pair for pair in pairs if pair.new.name in terms]
    types = {name: type_ for pair in chosen for name, type_ in pair.types.items()}
    with open_session() as connection:
        register_functions(connection, _load_versions(terms))
        try:
            named = _tabulate(connection, data, types, terms, keys)
            for pair in chosen:
                found[pair.new.name] = _measure_one(connection, data, pair, named, terms[pair.new.name][1].type)
        except duckdb.Error as error:
            raise find_failure(error) or SkewcheckError(
                f"{data.name} cannot be measured on: {say_error(error)}",
                remedy="Give columns of the types that the features read.",
            ) from error
    return found


def _load_versions(terms: Mapping[str, tuple[Term, Term]]) -> Loaded:
    """The opaque functions of both versions, which may have one name."""
    sides = (load_functions(find_functions([both[place] for both in terms.values()])) for place in (0, 1))
    return {name: function for side in sides for name, function in side.items()}


def _find_column(data: Data, name: str) -> str | None:
    """The column that holds an input: under its name in a log, or its plain name."""
    return next((c for c in (f"request.{name}", f"store.{name}", name) if c in data.columns), None)


def _tabulate(
    connection: duckdb.DuckDBPyConnection,
    data: Data,
    types: Mapping[str, Type],
    terms: Mapping[str, tuple[Term, Term]],
    keys: Iterable[str],
) -> list[str]:
    """Make the table `compared`: the inputs, "old.<feature>", "new.<feature>" and the keys; give the keys."""
    named = [
        column
        for name in dict.fromkeys(("request_id", "requested_at", *keys))
        for column in (f"key.{name}", name)
        if column in data.columns
    ]
    inputs = [
        f"CAST({quote_name(str(_find_column(data, n)))} AS {SQL_TYPES[t.name]}) AS {quote_name(n)}"
        for n, t in types.items()
    ]
    beside = [f"{quote_name(name)} AS {quote_name(f'#key.{name}')}" for name in named]
    number = 'row_number() OVER () AS "#row"'
    source = f"(SELECT {', '.join([number, *beside, *inputs])} FROM {data.relation})"
    outputs = {
        f"{side}.{name}": finite(term)
        for name, both in terms.items()
        for side, term in zip(("old", "new"), both, strict=True)
    }
    connection.execute(f"CREATE TEMP TABLE compared AS {write_query(outputs, source=source)}")
    return named


def _measure_one(
    connection: duckdb.DuckDBPyConnection, data: Data, pair: Pair, named: Sequence[str], type_: Type
) -> Size:
    old, new = (quote_name(f"{side}.{pair.new.name}") for side in ("old", "new"))
    differs = f"{old} IS DISTINCT FROM {new}"
    distance = f"max(abs({new} - {old}))" if type_.name == "Float64" else f"max(abs({new}::HUGEINT - {old}::HUGEINT))"
    largest = distance if type_.name in _NUMBERS else "NULL"
    rows, changed, lost, won, furthest = connection.execute(
        f"SELECT count(*), count(*) FILTER ({differs}), count(*) FILTER ({old} IS NOT NULL AND {new} IS NULL), "
        f"count(*) FILTER ({old} IS NULL AND {new} IS NOT NULL), {largest} FROM compared"
    ).fetchall()[0]
    return Size(
        data.name,
        rows,
        changed,
        lost,
        won,
        largest_change=_readable(furthest) if changed else None,
        psi=_find_shift(connection, old, new, type_),
        samples=tuple(_read_samples(connection, pair, named, differs)),
    )


def _readable(number: Any) -> float | None:
    """A distance as JSON holds it; two numbers can be further apart than any number is large."""
    if number is None:
        return None
    return float(number) if math.isfinite(number) else sys.float_info.max


def _read_samples(
    connection: duckdb.DuckDBPyConnection, pair: Pair, named: Sequence[str], differs: str
) -> Iterable[Sample]:
    """The first rows that differ, in the order of what names them."""
    keys = [f"#key.{name}" for name in named] or ["#row"]
    columns = [*keys, *pair.types, f"old.{pair.new.name}", f"new.{pair.new.name}"]
    selected = ", ".join(f"{quote_name(name)} AS {quote_name(str(place))}" for place, name in enumerate(columns))
    order = ", ".join([*map(quote_name, keys), '"#row"'])
    query = f"SELECT {selected} FROM compared WHERE {differs} ORDER BY {order} LIMIT {SAMPLES}"
    for row in connection.execute(query).fetchall():
        values = [_plain(value) for value in row]
        inputs = dict(zip(pair.types, values[len(keys) : -2], strict=True))
        shown = {key.removeprefix("#key.").removeprefix("#"): value for key, value in zip(keys, values, strict=False)}
        yield Sample(shown, inputs, values[-2], values[-1])


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    value = plain_value(value)
    return value if value is None or isinstance(value, (bool, int, float, str, list)) else str(value)


def _find_shift(connection: duckdb.DuckDBPyConnection, old: str, new: str, type_: Type) -> float | None:
    """The population stability index: how far the new values are spread otherwise than the old ones.

    Missing is a bin of its own.
    """
    if type_.name == "Vector":
        return None
    bins = [_bin(connection, old, side, type_) for side in (old, new)]
    counts = [dict(connection.execute(f"SELECT {text}, count(*) FROM compared GROUP BY 1").fetchall()) for text in bins]
    return round(stability_index(*counts), 6) if counts[0] else None


def _bin(connection: duckdb.DuckDBPyConnection, old: str, side: str, type_: Type) -> str:
    """SQL text of the bin of a value: a range between quantiles of the old ones, or a frequent category."""
    if type_.name in {"Bool", "String"}:
        frequent = f"FROM compared WHERE {old} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MOST_CATEGORIES}"
        found = connection.execute(f"SELECT CAST({old} AS VARCHAR) {frequent}").fetchall()
        known = ", ".join(quote_text(value) for (value,) in found) or "NULL"
        text = f"CAST({side} AS VARCHAR)"
        return f"CASE WHEN {side} IS NULL THEN 'missing' WHEN {text} IN ({known}) THEN '=' || {text} ELSE 'other' END"
    number = "epoch_us({})" if type_.name == "Timestamp" else "{}"
    shares = ", ".join(str(place / BINS) for place in range(1, BINS))
    (edges,) = connection.execute(f"SELECT quantile_disc({number.format(old)}, [{shares}]) FROM compared").fetchall()[0]
    steps = " + ".join(f"CAST({number.format(side)} > {edge!r} AS INTEGER)" for edge in sorted(set(edges or ())))
    return f"CASE WHEN {side} IS NULL THEN -1 ELSE {steps or '0'} END"
