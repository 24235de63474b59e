"""A sample of a log: rows in which features differ and rows in which they match, the same on every run (room: explain).

Rows are drawn by a hash of their place in the log. Mismatches are drawn by what is missing on either side, so that a
rare kind of mismatch is not lost among a frequent one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from skewcheck.engines.sql import quote_name
from skewcheck.explain.evaluating import PLACE, Evaluator, read_columns
from skewcheck.explain.values.series import Bools, Floats, Series
from skewcheck.language.types import BOOL, FLOAT64, TIMESTAMP, Type
from skewcheck.replay.comparison import REQUESTED_AT, Sides, differs
from skewcheck.replay.stages import FILE, ROW
from skewcheck.verdict import Comparison

WANTED = 2000
"""Rows that differ, and as many that match, of each feature."""

TABLE = "explain_sample"

_LARGEST = 2**64


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of one feature.

    Attributes:
        name: The feature.
        relation: The rows as a relation, with `PLACE`, the inputs and everything that identifies a row.
        served: What serving gave.
        replayed: What training's transform gives.
        differing: Where the two are not equal.
        weights: How many rows of the log each stands for.
        times: When each was requested, in microseconds; NaN where that is not known.
        inputs: The inputs.
        evaluator: Evaluates expressions over the rows.
    """

    name: str
    relation: str
    served: Series
    replayed: Series
    differing: Bools
    weights: Floats
    times: Floats
    inputs: dict[str, Series]
    evaluator: Evaluator

    @property
    def matching(self) -> Bools:
        """Where both sides have the same value; where both have none, nothing is known of what serving does."""
        return ~self.differing & ~(self.served.missing & self.replayed.missing)


def draw_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    found: Sequence[tuple[Sides, Comparison]],
    inputs: Sequence[str],
) -> None:
    """Draw the rows of every feature into `TABLE`, in one pass over the log.

    Args:
        connection: The engine.
        relation: The log with the inputs, what was served, and what training's transform gives.
        found: The sides of every skewed feature with what was counted of them.
        inputs: The columns that expressions read.
    """
    flags = []
    for side, comparison in found:
        drawn, weight = _draw(side, comparison)
        flags += [f"{drawn} AS {quote_name(f'drawn.{side.name}')}", f"{weight} AS {quote_name(f'weight.{side.name}')}"]
        flags += [f"{differs(side)} AS {quote_name(f'differs.{side.name}')}"]
    columns = [FILE, ROW, '"log.request_id"', REQUESTED_AT, *map(quote_name, inputs)]
    columns += [quote_name(column) for side, _ in found for column in (side.served, side.replayed)]
    any_drawn = " OR ".join(quote_name(f"drawn.{side.name}") for side, _ in found)
    hashed = f'hash({FILE}, {ROW}) AS "explain.hash"'
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT row_number() OVER (ORDER BY {REQUESTED_AT}, {FILE}, {ROW}) "
        f"AS {PLACE}, * FROM (SELECT {', '.join([*columns, *flags])} FROM (SELECT *, {hashed} FROM ({relation}))) "
        f"WHERE {any_drawn}"
    )


def read_sample(
    connection: duckdb.DuckDBPyConnection, side: Sides, types: Mapping[str, Type], inputs: Sequence[str]
) -> Sample:
    """The rows of one feature."""
    names = ", ".join([PLACE, FILE, ROW, '"log.request_id"', REQUESTED_AT, *map(quote_name, inputs)])
    drawn = quote_name(f"drawn.{side.name}")
    view = quote_name(f"explain.rows.{side.name}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {view} AS SELECT {names} FROM {TABLE} WHERE {drawn}")
    kinds = {
        side.served: side.type,
        side.replayed: side.type,
        f"differs.{side.name}": BOOL,
        f"weight.{side.name}": FLOAT64,
        "log.requested_at": TIMESTAMP,
        **{name: types[name] for name in inputs},
    }
    read = read_columns(connection, f"(SELECT * FROM {TABLE} WHERE {drawn})", kinds)
    return Sample(
        side.name,
        view,
        read[side.served],
        read[side.replayed],
        np.asarray(read[f"differs.{side.name}"].data, dtype=bool),
        read[f"weight.{side.name}"].numbers(),
        read["log.requested_at"].numbers(),
        {name: read[name] for name in inputs},
        Evaluator(connection, f"(FROM {view})", {name: read[name] for name in inputs}),
    )


def _draw(side: Sides, comparison: Comparison) -> tuple[str, str]:
    """SQL text that says whether a row is drawn, and how many rows it stands for."""
    served, replayed = (quote_name(column) for column in (side.served, side.replayed))
    if side.type.name == "Float64":
        served = f"nullif({served}, 'NaN'::DOUBLE)"
        replayed = f"nullif({replayed}, 'NaN'::DOUBLE)"
    both = comparison.mismatched - comparison.served_missing - comparison.replayed_missing
    strata = [
        (f"{differs(side)} AND {served} IS NULL", comparison.served_missing),
        (f"{differs(side)} AND {replayed} IS NULL", comparison.replayed_missing),
        (differs(side), both),
        (side.applies or "TRUE", comparison.compared - comparison.mismatched),
    ]
    shares = [min(1.0, WANTED / count) if count > 0 else 1.0 for _, count in strata]
    limits = [min(_LARGEST - 1, int(share * _LARGEST)) for share in shares]
    drawn = " ".join(
        f'WHEN {condition} THEN "explain.hash" <= {limit}::UBIGINT'
        for (condition, _), limit in zip(strata, limits, strict=True)
    )
    weight = " ".join(
        f"WHEN {condition} THEN {1.0 / share!r}::DOUBLE" for (condition, _), share in zip(strata, shares, strict=True)
    )
    return f"CASE {drawn} ELSE FALSE END", f"CASE {weight} ELSE 1e0 END"
