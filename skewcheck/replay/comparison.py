"""The comparison: one pushed-down query that counts, and detail only where something differs.

Two values are equal when they are the same value of their type; zero has one value, and missing (null or NaN) equals
missing. Within a relative tolerance t two numbers a and b are equal when |a - b| <= t max(|a|, |b|).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.language.types import Type
from skewcheck.verdict import Comparison, Pair, plain_value

REQUEST_ID = '"log.request_id"'
REQUESTED_AT = '"log.requested_at"'

_EARLIEST_FIRST = f"coalesce(CAST(epoch_us({REQUESTED_AT}) AS HUGEINT), 0) * 18446744073709551616"
"""The order of samples. At one time a hash of all that is shown decides, so that every run shows the same rows."""

LONGEST_TEXT = 1000
"""Characters of a text that a sample shows."""

ROUNDING = 9
"""Digits of a mean difference: a parallel sum of floats has no more that are the same on every run."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two columns of a relation that should be equal.

    Attributes:
        name: What is compared.
        stage: At which cut.
        served: The column nearer to serving.
        replayed: The column nearer to training.
        type: Their type.
        tolerance: Relative tolerance for numbers.
        reads: Columns of the relation to show beside a sample, by the name to show.
        applies: SQL text that is True for the rows in which both sides are known; empty for all rows.
    """

    name: str
    stage: str
    served: str
    replayed: str
    type: Type
    tolerance: float = 0.0
    reads: Mapping[str, str] = field(default_factory=dict)
    applies: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the first query finds: rows, the span of requests, and the comparison of every pair of sides."""

    rows: int
    first: str | None
    last: str | None
    comparisons: tuple[Comparison, ...]


def compare(
    connection: duckdb.DuckDBPyConnection, relation: str, sides: Sequence[Sides], *, samples: int = 5
) -> Counted:
    """Compare sides of a relation.

    Args:
        connection: Where the relation can be queried.
        relation: SQL text of a relation with "log.request_id" and "log.requested_at" beside the sides' columns.
        sides: What to compare.
        samples: How many differing rows to keep of each, the earliest first.
    """
    # How many differ, and whether a NaN is the same as a null, is asked only where any do: it costs on every row.
    any_differ = [f"bool_or({_distinct(side)})" for side in sides]
    span = [say_instant(f"{edge}({REQUESTED_AT})") for edge in ("min", "max")]
    compared = ["count(*)" if not side.applies else _count(side.applies) for side in sides]
    columns = ", ".join(["count(*)", *span, *any_differ, *compared])
    rows, first, last, *found = _fetch(connection, f"SELECT {columns} FROM ({relation})")
    suspect = [side for side, differ in zip(sides, found, strict=False) if differ]
    details = _find_details(connection, relation, suspect, samples)
    counts = (details.get((side.stage, side.name), {"mismatched": 0}) for side in sides)
    known = found[len(sides) :]
    comparisons = (Comparison(compared=total, **detail) for total, detail in zip(known, counts, strict=True))
    return Counted(rows, first, last, tuple(comparisons))


def differs(side: Sides) -> str:
    """SQL text that is True where the two values are not equal, and never null."""
    served, replayed = quote_name(side.served), quote_name(side.replayed)
    different = _distinct(side)
    if side.type.name == "Float64":
        different = f"{different} AND NOT ({_missing(side, side.served)} AND {_missing(side, side.replayed)})"
    if side.tolerance and side.type.name in {"Float64", "Vector"}:
        pairs = f"list_zip({served}, {replayed})" if side.type.name == "Vector" else None
        # An element that is missing on one side only is not near, and a list function would skip its null.
        alike = f"p[1] IS NOT DISTINCT FROM p[2] OR coalesce({_near('p[1]', 'p[2]', side.tolerance)}, FALSE)"
        near = (
            f"coalesce(len({served}) = len({replayed}) AND list_bool_and(list_transform({pairs}, p -> {alike})), FALSE)"
            if pairs
            else f"coalesce({_near(served, replayed, side.tolerance)}, FALSE)"
        )
        return f"({different} AND NOT {near})"
    return f"({different})"


def _distinct(side: Sides) -> str:
    """The same without the rule that NaN is missing; a vector has no missing elements."""
    distinct = f"{quote_name(side.served)} IS DISTINCT FROM {quote_name(side.replayed)}"
    return f"{side.applies} AND {distinct}" if side.applies else distinct


def _missing(side: Sides, column: str) -> str:
    name = quote_name(column)
    return f"({name} IS NULL OR isnan({name}))" if side.type.name == "Float64" else f"({name} IS NULL)"


def _near(left: str, right: str, tolerance: float) -> str:
    # An infinity is as far from every number as a tolerance reaches.
    near = f"abs({left} - {right}) <= {tolerance!r} * greatest(abs({left}), abs({right}))"
    return f"(isfinite({left}) AND isfinite({right}) AND {near})"


def _find_details(
    connection: duckdb.DuckDBPyConnection, relation: str, skewed: Sequence[Sides], samples: int
) -> dict[tuple[str, str], dict[str, Any]]:
    """Sides of the mismatches, differences and samples for the sides that differ, in one more query for all."""
    if not skewed:
        return {}
    columns = [text for side in skewed for text in _detail_columns(side, samples)]
    row = _fetch(connection, f"SELECT {', '.join(columns)} FROM ({relation})")
    width = len(columns) // len(skewed)
    details: dict[tuple[str, str], dict[str, Any]] = {}
    for place, side in enumerate(skewed):
        mismatched, *missing, largest, mean, first, last, pairs = row[width * place : width * (place + 1)]
        details[(side.stage, side.name)] = {
            "mismatched": mismatched,
            "served_missing": missing[0],
            "replayed_missing": missing[1],
            "max_absolute_difference": largest,
            "mean_absolute_difference": None if mean is None else float(f"{mean:.{ROUNDING}g}"),
            "first_mismatch": first,
            "last_mismatch": last,
            "samples": tuple(_read_pair(side, pair) for pair in pairs or ()),
        }
    return details


def _detail_columns(side: Sides, samples: int) -> list[str]:
    served, replayed = quote_name(side.served), quote_name(side.replayed)
    where = differs(side)
    lacking = [_missing(side, column) for column in (side.served, side.replayed)]
    if side.type.name in {"Float64", "Int64"}:
        both = f"{where} AND NOT {lacking[0]} AND NOT {lacking[1]}"
        difference = f"CASE WHEN {both} THEN abs(CAST({served} AS DOUBLE) - CAST({replayed} AS DOUBLE)) END"
        differences = [f"max({difference})", f"avg({difference})"]
    else:
        differences = ["CAST(NULL AS DOUBLE)"] * 2
    time = f"CASE WHEN {where} THEN {REQUESTED_AT} END"
    shown = ", ".join([REQUEST_ID, say_instant(REQUESTED_AT), served, replayed, *map(quote_name, side.reads.values())])
    order = f"{_EARLIEST_FIRST} + CAST(hash({shown}) AS HUGEINT)"
    earliest = f"min_by(row({shown}), CASE WHEN {where} THEN {order} END, {samples})"
    return [
        _count(where),
        _count(f"{where} AND {lacking[0]}"),
        _count(f"{where} AND {lacking[1]}"),
        *differences,
        say_instant(f"min({time})"),
        say_instant(f"max({time})"),
        earliest if samples else "NULL",
    ]


def _count(condition: str) -> str:
    """Rows for which a condition holds."""
    # A FILTER clause would copy every column of the query once for each aggregate.
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _read_pair(side: Sides, pair: Sequence[Any]) -> Pair:
    request_id, at, *values = (_cut(plain_value(value)) for value in pair)
    served, replayed, *inputs = values
    return Pair(request_id, at, served, replayed, dict(zip(side.reads, inputs, strict=True)))


def _cut(value: Any) -> Any:
    """The value; a very long text is cut, with its length stated: one row must not make a report of its own size."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value):,} characters)"
    return value


def say_instant(instant: str) -> str:
    """An instant as ISO 8601 text in UTC, microseconds only where there are any."""
    text = f"strftime(make_timestamp(epoch_us({instant})), '%Y-%m-%dT%H:%M:%S.%f')"
    return f"regexp_replace({text}, '\\.000000$', '') || 'Z'"


def _fetch(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise duckdb.Error("an aggregate gave no row")
    return row
