"""Tables for the tests of the comparison, and a plain reading of what it must count."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from skewcheck.compare.comparing import compare_tables
from skewcheck.compare.findings import ColumnFinding, Findings
from skewcheck.compare.options import Options


def table(**columns: Sequence[Any] | pa.Array) -> pa.Table:
    """A table; without a column "id", its rows are numbered."""
    rows = len(next(iter(columns.values())))
    return pa.table({"id": range(rows), **columns} if "id" not in columns else columns)


def compare(a: Any, b: Any, *on: str, **options: Any) -> Findings:
    """The findings, by "id" where no other column is named; causes are sought only when asked for."""
    return compare_tables(a, b, on or ("id",), Options(**{"explain": False, **options}))


def column(findings: Findings, name: str = "x") -> ColumnFinding:
    """The finding about one column."""
    return {finding.name: finding for finding in findings.columns}[name]


def states(finding: ColumnFinding) -> dict[tuple[str, str], int]:
    """The pairs of states and how often each occurs."""
    return {(one.a, one.b): one.rows for one in finding.states}


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def are_equal(a: Any, b: Any, *, relative: float = 0.0, absolute: float = 0.0) -> bool:
    """What the comparison must call equal, by the book."""
    if is_missing(a) or is_missing(b):
        return is_missing(a) and is_missing(b)
    if a == b:
        return True
    if not isinstance(a, float) or not isinstance(b, float) or math.isinf(a) or math.isinf(b):
        return False
    return abs(a - b) <= max(relative * max(abs(a), abs(b)), absolute)


def smape_of(pairs: Sequence[tuple[Any, Any]]) -> float | None:
    """The mean of 2 |a - b| / (|a| + |b|) over the pairs that are not missing on both sides, the most where one is."""
    parts = []
    for a, b in pairs:
        if is_missing(a) and is_missing(b):
            continue
        if is_missing(a) or is_missing(b) or (a != b and (math.isinf(a) or math.isinf(b))):
            parts.append(2.0)
        else:
            parts.append(0.0 if a == b else abs(a / 2 - b / 2) / (abs(a) / 4 + abs(b) / 4))
    return sum(parts) / len(parts) if parts else None


def join_by_hand(
    a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]], on: str = "id"
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The pairs of rows with an id that stands once in each of the two tables."""
    counts: dict[Any, list[int]] = {}
    for side, rows in enumerate((a, b)):
        for row in rows:
            if row[on] is not None:
                counts.setdefault(row[on], [0, 0])[side] += 1
    once = {row[on]: row for row in b if counts.get(row[on]) == [1, 1]}
    return [(row, once[row[on]]) for row in a if row[on] in once]
