"""Which rows one of two tables lacks: not any, but those of a place (room: compare)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from skewcheck.causes import Cause
from skewcheck.compare.joining import JoinCounts, Keys
from skewcheck.compare.kinds import NUMBERS, TIMES, Column
from skewcheck.compare.options import Options
from skewcheck.compare.pairing import Side, read_text
from skewcheck.contracts import plain_value
from skewcheck.engines.sql import quote_name
from skewcheck.explain.pairs.categories import literal
from skewcheck.explain.values.bits import bits_of_subset
from skewcheck.language.constants import EPOCH
from skewcheck.report.findings import say_condition

SAMPLE = 50_000
"""Rows of a table in which a place is looked for; it is counted over all of them."""

MOST_COLUMNS = 40
"""Columns that are looked at, those of `--by` first."""

MOST_VALUES = 50
"""A column of more values than this has no place that is told by its values."""

NAMED = 5
"""Values that a place may have."""

MARGIN = 20.0
"""Bits that a place must save over naming the absent rows one by one."""

LIFT = 2.0
"""How many times more of its rows must be absent than of the others."""


@dataclass(frozen=True, slots=True)
class Place:
    """A condition on one column: as it stands in a cause, as SQL text, and the bits that it saves."""

    column: str
    condition: Any
    sql: str
    gain: float


def find_absences(
    connection: duckdb.DuckDBPyConnection, keys: Keys, counts: JoinCounts, options: Options
) -> tuple[dict[str, Any], ...]:
    """For each table the place of the rows that it lacks, where they have one: a cause of kind "sampling".

    A place is a value or a few of a column, a bound of numbers or times, or that a column is missing. Rows without an
    id are left out. Without samples only the columns of `--by` are looked at, since a place says what rows hold.
    """
    sides: tuple[Side, Side] = ("a", "b")
    found = []
    for place, side in enumerate(sides):
        if counts.unmatched_rows[place] and counts.shared_ids:
            cause = _find_place(connection, keys, side, counts, options)
            found += [cause.to_data()] if cause is not None else []
    return tuple(found)


def _find_place(
    connection: duckdb.DuckDBPyConnection, keys: Keys, side: Side, counts: JoinCounts, options: Options
) -> Cause | None:
    table = keys.a if side == "a" else keys.b
    columns = _choose_columns(table.columns, keys, options)
    if not columns:
        return None
    read = {quote_name(f"row.{name}"): text for name, text in columns.items()}
    other = keys.read("b" if side == "a" else "a")
    rows = (
        f"SELECT *, NOT EXISTS (FROM ({other}) AS y WHERE {keys.equal}) AS absent "
        f"FROM ({keys.read(side, read)}) AS x WHERE {keys.known}"
    )
    part = counts.rows[0 if side == "a" else 1] // SAMPLE + 1
    sample = connection.execute(
        f"SELECT {', '.join(read)}, absent FROM ({rows}) WHERE hash({', '.join(keys.names)}) % {part} = 0"
    ).to_arrow_table()
    absent = np.asarray(sample.column("absent").to_pylist(), dtype=bool)
    if absent.all() or not absent.any():
        return None
    places = [
        place
        for name in columns
        for place in _propose(name, table.columns[name], sample.column(f"row.{name}").to_pylist(), absent)
    ]
    best = max(places, key=lambda place: place.gain, default=None)
    if best is None or best.gain - math.log2(len(columns)) < MARGIN:
        return None
    inside, absent_inside, total, absent_total = (
        int(count or 0)
        for count in connection.execute(
            f"SELECT count(CASE WHEN {best.sql} THEN 1 END), count(CASE WHEN absent AND {best.sql} THEN 1 END), "
            f"count(*), count(CASE WHEN absent THEN 1 END) FROM ({rows})"
        ).fetchone()
        or (0, 0, 0, 0)
    )
    outside, absent_outside = total - inside, absent_total - absent_inside
    if not inside or not outside or absent_inside * outside < LIFT * absent_outside * inside:
        return None
    who, lacking = ("Serving", "B") if side == "a" else ("Training", "A")
    where = {best.column: best.condition}
    said = say_condition(best.column, best.condition)
    others = f"{absent_outside:,} of the {outside:,} others" if absent_outside else f"none of the {outside:,} others"
    return Cause(
        "sampling",
        "population",
        absent_inside / absent_total,
        {
            "table": lacking,
            "absent": absent_inside,
            "rows": inside,
            "absent_elsewhere": absent_outside,
            "rows_elsewhere": outside,
        },
        where,
        says=f"{who} lacks {absent_inside:,} of the {inside:,} rows where {said}, and {others}.",
        root=f"rows that {lacking} lacks",
        fix="Find the filter, the sampling or the join that leaves these rows out; weight them, or compare the rows "
        "that both tables have with --rows shared.",
    )


def _choose_columns(columns: Mapping[str, Column], keys: Keys, options: Options) -> dict[str, str]:
    """The columns that can tell a place, and the SQL text that reads each."""
    names = [name for name in options.by if name in columns]
    if options.samples:
        names += [*filter(None, [options.at]), *columns]
    chosen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        column = columns.get(name)
        if column is None or len(chosen) == MOST_COLUMNS or (name in keys.on and name != options.at):
            continue
        if column.kind in {"text", "bool", *NUMBERS, *TIMES}:
            chosen[name] = _read(column)
    return chosen


def _read(column: Column) -> str:
    """SQL text of a cell: numbers as floats, times as microseconds since 1970, the rest as it is."""
    raw = quote_name(column.name)
    value = read_text(raw, column.kind) if column.loose and column.kind != "text" else raw
    if column.kind in NUMBERS:
        return f"CASE WHEN isfinite(CAST({value} AS DOUBLE)) THEN CAST({value} AS DOUBLE) END"
    return f"epoch_us(CAST({value} AS TIMESTAMPTZ))" if column.kind in TIMES else value


def _propose(name: str, column: Column, values: Sequence[Any], absent: npt.NDArray[np.bool_]) -> Iterator[Place]:
    """The best place of every form that one column can tell."""
    text = quote_name(f"row.{name}")
    missing = np.array([value is None for value in values], dtype=bool)
    if missing.any() and not missing.all():
        gain = _measure(missing, absent) - 1.0
        if absent[missing].mean() > absent[~missing].mean():
            yield Place(name, {"is": "missing"}, f"{text} IS NULL", gain)
        else:
            yield Place(name, {"is not": "missing"}, f"{text} IS NOT NULL", gain)
    if column.kind not in TIMES:
        yield from _propose_values(name, column, text, values, absent)
    if column.kind in {*NUMBERS, *TIMES}:
        yield from _propose_bounds(name, column, text, values, absent, ~missing)


def _propose_values(
    name: str, column: Column, text: str, values: Sequence[Any], absent: npt.NDArray[np.bool_]
) -> Iterator[Place]:
    """Values of which most rows are absent, those with the highest share first; or all but one."""
    rows = Counter(value for value in values if value is not None)
    if not 2 <= len(rows) <= MOST_VALUES:
        return
    lost = Counter(value for value, is_absent in zip(values, absent, strict=True) if is_absent and value is not None)
    order = sorted(rows, key=lambda value: (-lost[value] / rows[value], -rows[value], str(value)))
    cost = math.log2(len(rows))
    for count in range(1, len(order)):
        chosen, left = order[:count], order[count:]
        if count > NAMED and len(left) > 1:
            continue
        inside = np.isin(np.array(values, dtype=object), np.array(chosen, dtype=object))
        if count <= NAMED:
            said = [_shown(column, value) for value in chosen]
            sql = " OR ".join(f"{text} = {literal(value)}" for value in chosen)
            yield Place(name, said[0] if count == 1 else said, f"({sql})", _measure(inside, absent) - count * cost)
        else:
            sql = f"({text} <> {literal(left[0])})"
            yield Place(name, {"is not": _shown(column, left[0])}, sql, _measure(inside, absent) - cost - 1.0)


def _propose_bounds(
    name: str,
    column: Column,
    text: str,
    values: Sequence[Any],
    absent: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
) -> Iterator[Place]:
    """The bound that tells absent rows best, from either side."""
    numbers = np.array([value for value in values if value is not None], dtype=float)
    lost = absent[known]
    order = np.argsort(numbers, kind="stable")
    numbers, lost = numbers[order], lost[order]
    cuts = np.flatnonzero(numbers[1:] > numbers[:-1]) + 1
    if not len(cuts):
        return
    before = np.cumsum(lost)[cuts - 1]
    total, all_lost = len(lost), int(lost.sum())
    left = [_bits(b, n) + _bits(all_lost - b, total - n) for b, n in zip(before.tolist(), cuts.tolist(), strict=True)]
    best = int(np.argmin(left))
    gain = _bits(all_lost, total) - left[best] - math.log2(max(2, len(cuts)))
    bound = float(numbers[cuts[best]])
    if column.kind in TIMES:
        bound, shown = int(bound), (EPOCH + timedelta(microseconds=int(bound))).isoformat()
    else:
        shown = _shown(column, bound)
    cut = int(cuts[best])
    if before[best] * (total - cut) > (all_lost - before[best]) * cut:
        yield Place(name, {"below": shown}, f"({text} < {literal(bound)})", gain)
    else:
        yield Place(name, {"at least": shown}, f"({text} >= {literal(bound)})", gain)


def _shown(column: Column, value: Any) -> Any:
    return int(value) if column.kind == "integer" else plain_value(value)


def _measure(inside: npt.NDArray[np.bool_], absent: npt.NDArray[np.bool_]) -> float:
    """Bits that it saves, when absent rows are to be told, to know which rows are inside."""
    apart = sum(_bits(int((absent & part).sum()), int(part.sum())) for part in (inside, ~inside))
    return _bits(int(absent.sum()), len(absent)) - apart


def _bits(chosen: float, total: float) -> float:
    return bits_of_subset(float(chosen), float(total))
