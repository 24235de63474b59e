"""Why a log differs from a training function, by the values of each feature alone (room: compare)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from skewcheck.compare.kinds import NUMBERS, Column
from skewcheck.engines.sql import quote_name
from skewcheck.explain.pairs.base import Form, Pairs
from skewcheck.explain.pairs.searching import explain_pairs
from skewcheck.language.types import FLOAT64, INT64
from skewcheck.replay.comparison import Sides, differs
from skewcheck.verdict import Comparison

_FORMS: dict[str, Form] = {
    "Float64": "number",
    "Int64": "number",
    "String": "text",
    "Bool": "bool",
    "Timestamp": "time",
}
_REPLAYED = "replayed_pairs"


def explain_sides(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    sides: Sequence[Sides],
    comparisons: Mapping[str, Comparison],
    columns: Mapping[str, Column],
    keys: Sequence[str],
    *,
    redact: bool,
) -> dict[str, tuple[dict[str, Any], ...]]:
    """The causes of every feature that differs, as they stand in a verdict.

    Args:
        connection: Where the relation can be queried.
        relation: SQL text of the replayed rows.
        sides: The features.
        comparisons: What was counted of each.
        columns: The relation's columns; what describes a row is called "input.<name>" or "place.<name>".
        keys: The names of the entity's keys among the inputs.
        redact: Leave out what single rows hold.
    """
    skewed = [side for side in sides if comparisons[side.name].mismatched]
    if not skewed:
        return {}
    connection.execute(f"CREATE TEMP TABLE {_REPLAYED} AS {relation}")
    timed = any(comparison.first_mismatch for comparison in comparisons.values())
    slices = {
        name.partition(".")[2]: quote_name(name)
        for name, column in columns.items()
        if name.startswith("place.") or (name.startswith("input.") and column.kind in {"text", "bool"})
    }
    found = {}
    for side in skewed:
        pairs = Pairs(
            connection,
            _REPLAYED,
            side.name,
            _FORMS.get(side.type.name, "other"),
            trained=_read_value(side, side.replayed),
            served=_read_value(side, side.served),
            differs=differs(side),
            at='"log.requested_at"' if timed else "",
            entity=quote_name(f"input.{keys[0]}") if len(keys) == 1 else "",
            slices=slices,
            others={
                other.name: _read_value(other, other.replayed)
                for other in sides
                if other is not side and other.type == side.type
            }
            | _inputs_like(side, columns),
        )
        causes = explain_pairs(pairs, stage="transform", redact=redact)
        found[side.name] = tuple(cause.to_data() for cause in causes)
    return found


def _inputs_like(side: Sides, columns: Mapping[str, Column]) -> dict[str, str]:
    """Inputs that are numbers, for a feature that is one."""
    if side.type not in {FLOAT64, INT64}:
        return {}
    names = [name for name, column in columns.items() if name.startswith("input.") and column.kind in NUMBERS]
    return {name.partition(".")[2]: _read_number(name) for name in names}


def _read_value(side: Sides, column: str) -> str:
    """SQL text of a value for the search; null where it is missing."""
    return _read_number(column) if side.type in {FLOAT64, INT64} else quote_name(column)


def _read_number(column: str) -> str:
    number = f"CAST({quote_name(column)} AS DOUBLE)"
    return f"CASE WHEN NOT isnan({number}) THEN {number} END"
