"""How many pairs differ, column by column: one query for all, then detail where something differs (room: compare)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from skewcheck.compare.breakdown import find_breakdown
from skewcheck.compare.causes import find_causes, find_related
from skewcheck.compare.findings import ColumnFinding, Sample, States
from skewcheck.compare.joining import AT
from skewcheck.compare.kinds import NUMBERS
from skewcheck.compare.pairing import PairedColumn, Side, last_place, pair_columns
from skewcheck.compare.sequences import count_edits
from skewcheck.contracts import plain_value
from skewcheck.engines.sql import quote_name
from skewcheck.replay.comparison import LONGEST_TEXT, ROUNDING, say_instant

EDITED = 1000
"""Lists that differ whose elements are lined up, each of at most `EDITED_LENGTH` elements."""

EDITED_LENGTH = 100

_DIFFERING = "differing_pairs"


@dataclass(frozen=True, slots=True)
class Counted:
    """What the first query finds: pairs, the span of their times, and every column."""

    pairs: int
    first: str | None
    last: str | None
    columns: tuple[ColumnFinding, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """How much to say about a column that differs.

    Attributes:
        on: The columns that identify a row.
        by: The columns that slice the mismatches.
        samples: Differing pairs to keep.
        timed: Whether the pairs have times.
        explain: Whether causes are sought.
        entity: SQL text of whose value a pair is; empty where that is not known.
        slices: Columns that may describe the place of a cause.
    """

    on: Sequence[str]
    by: Sequence[str]
    samples: int
    timed: bool
    explain: bool = True
    entity: str = ""
    slices: Sequence[str] = ()


def count_differences(
    connection: duckdb.DuckDBPyConnection,
    join: Callable[[Sequence[PairedColumn]], str],
    columns: Sequence[PairedColumn],
    detail: Detail,
) -> Counted:
    """Compare every pair of columns.

    Args:
        connection: Where the relation can be queried.
        join: Gives SQL text of the joined rows with some columns, as `join_rows` writes it.
        columns: What to compare.
        detail: How much to say.
    """
    asked = ["count(*)", say_instant(f"min({AT})"), say_instant(f"max({AT})")]
    for pair in columns:
        asked += [f"count({pair.raw('a')})", f"count({pair.raw('b')})", f"bool_or({pair.distinct()})"]
    total, first, last, *found = connection.execute(f"SELECT {', '.join(asked)} FROM ({join(columns)})").fetchone() or (
        0,
        None,
        None,
    )
    seen = {}
    for place, pair in enumerate(columns):
        a_known, b_known, differ = found[3 * place : 3 * place + 3]
        # A column without a single value has no type to speak of, whatever its format had to call it.
        seen[pair.name] = (drop_type(pair, "a" if not a_known else "b") if not (a_known and b_known) else pair, differ)
    suspect = [pair for pair, differ in seen.values() if differ]
    related: list[PairedColumn] = []
    if suspect:
        if detail.explain:
            ids = [quote_name(f"id.{name}") for name in detail.on]
            related = find_related(connection, join, columns, suspect, ids, total, timed=detail.timed)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_DIFFERING} AS {join([*suspect, *related])}")
    findings = []
    for pair, differ in seen.values():
        finding = _examine(connection, pair, total, detail) if differ else _start(pair, total)
        if finding.mismatched and detail.explain:
            finding = _explain(connection, pair, finding, [*suspect, *related], detail)
        findings.append(finding)
    return Counted(total, first, last, tuple(findings))


def _explain(
    connection: duckdb.DuckDBPyConnection,
    pair: PairedColumn,
    finding: ColumnFinding,
    others: Sequence[PairedColumn],
    detail: Detail,
) -> ColumnFinding:
    causes = find_causes(
        connection,
        _DIFFERING,
        pair,
        others,
        at=AT if detail.timed else "",
        entity=detail.entity,
        slices=[name for name in detail.slices if name != pair.name],
        redact=not detail.samples,
        shown=detail.by,
    )
    return replace(finding, causes=causes)


def drop_type(pair: PairedColumn, side: Side) -> PairedColumn:
    """The pair where one side has nothing but nulls: it is read as the other."""
    if not pair.foreign:
        return pair
    if side == "a":
        return replace(pair_columns(replace(pair.a, kind="null"), pair.b), nan_differs=pair.nan_differs)
    return replace(pair_columns(pair.a, replace(pair.b, kind="null")), nan_differs=pair.nan_differs)


def _start(pair: PairedColumn, compared: int) -> ColumnFinding:
    sizes = {name: getattr(pair.tolerance, name) for name in ("relative", "absolute", "ulp")}
    applies = pair.kind in NUMBERS or pair.kind == "list"
    tolerance = {name: size for name, size in sizes.items() if size and applies}
    return ColumnFinding(
        name=pair.name,
        verdict="match",
        a_type=pair.a.said,
        b_type=pair.b.said,
        compared=compared,
        tolerance=tolerance,
        note=pair.note,
    )


def _examine(connection: duckdb.DuckDBPyConnection, pair: PairedColumn, total: int, detail: Detail) -> ColumnFinding:
    """Everything about one column in which some cells are not alike."""
    states = connection.execute(
        f"SELECT {pair.state('a')} AS a, {pair.state('b')} AS b, count(*) AS pairs FROM {_DIFFERING} "
        "GROUP BY ALL ORDER BY pairs DESC, a, b"
    ).fetchall()
    differs = pair.differs()
    row = connection.execute(
        f"SELECT count(*), count(CASE WHEN {pair.missing('a')} AND NOT {pair.missing('b')} THEN 1 END), "
        f"count(CASE WHEN {pair.missing('b')} AND NOT {pair.missing('a')} THEN 1 END), {say_instant(f'min({AT})')}, "
        f"{say_instant(f'max({AT})')} FROM {_DIFFERING} WHERE {differs}"
    ).fetchone()
    mismatched, a_missing, b_missing, first, last = row or (0, 0, 0, None, None)
    finding = replace(
        _start(pair, total),
        mismatched=mismatched,
        a_missing=a_missing,
        b_missing=b_missing,
        states=tuple(States(*state) for state in states),
        first_mismatch=first,
        last_mismatch=last,
    )
    finding = _measure(connection, pair, finding)
    if not mismatched:
        return finding
    confusions, buckets, slices = find_breakdown(
        connection, _DIFFERING, pair, by=detail.by, timed=detail.timed, values=detail.samples > 0
    )
    return replace(
        finding,
        verdict="type" if pair.foreign else "skew",
        samples=_sample(connection, pair, detail),
        confusions=confusions,
        buckets=buckets,
        slices=slices,
        edits=_line_up(connection, pair) if pair.kind == "list" else None,
    )


def _measure(connection: duckdb.DuckDBPyConnection, pair: PairedColumn, finding: ColumnFinding) -> ColumnFinding:
    """The finding with how far apart its numbers are; unchanged where they are no numbers."""
    a, b = pair.number("a"), pair.number("b")
    if a is None or b is None:
        return finding
    larger = "greatest(abs(a), abs(b))"
    places = f"abs(a - b) / {last_place(larger)}" if pair.kind == "float" else "CAST(NULL AS DOUBLE)"
    # Halved first, so that the sum of two large magnitudes stays finite.
    part = (
        "CASE WHEN a IS NULL OR b IS NULL OR isinf(a) OR isinf(b) THEN 2 "
        "ELSE abs(a / 2 - b / 2) / (abs(a) / 4 + abs(b) / 4) END"
    )
    neither = f"({pair.missing('a')} AND {pair.missing('b')})"
    numbers = f"SELECT {_finite(a)} AS a, {_finite(b)} AS b, {pair.differs()} AS differs, {neither} AS neither"
    both_finite = "differs AND isfinite(a) AND isfinite(b)"
    row = connection.execute(
        "SELECT max(difference), avg(difference), avg(signed), max(relative), max(places), sum(part) FROM ("
        "SELECT CASE WHEN differs THEN abs(a - b) END AS difference, CASE WHEN differs THEN b - a END AS signed, "
        f"CASE WHEN {both_finite} THEN abs(a - b) / {larger} END AS relative, "
        f"CASE WHEN {both_finite} THEN {places} END AS places, CASE WHEN NOT neither THEN {part} END AS part "
        f"FROM ({numbers} FROM {_DIFFERING} WHERE {pair.distinct()}))"
    ).fetchone()
    largest, mean, signed, relative, most, parts = row or (None,) * 6
    finding = replace(
        finding,
        max_absolute_difference=largest,
        mean_absolute_difference=_round(mean),
        mean_difference=_round(signed),
    )
    if pair.kind not in NUMBERS:
        return finding
    present = sum(states.rows for states in finding.states if not {states.a, states.b} <= {"null", "nan"})
    smape = _round(parts / present) if present and parts is not None else None
    return replace(finding, max_relative_difference=relative, max_ulp=most, smape=smape)


def _finite(number: str) -> str:
    """SQL text of a number, null where it is NaN."""
    return f"CASE WHEN NOT isnan({number}) THEN {number} END"


def _round(mean: float | None) -> float | None:
    return None if mean is None else float(f"{mean:.{ROUNDING}g}")


def _sample(connection: duckdb.DuckDBPyConnection, pair: PairedColumn, detail: Detail) -> tuple[Sample, ...]:
    """Pairs that differ, the earliest first; at one time, or without times, a hash of the id decides."""
    ids = [quote_name(f"id.{name}") for name in detail.on]
    shown = ", ".join([*ids, say_instant(AT), pair.raw("a"), pair.raw("b")])
    order = ", ".join([AT, f"hash({', '.join(ids)})", *ids, f"hash({pair.raw('a')}, {pair.raw('b')})"])
    rows = connection.execute(
        f"SELECT {shown} FROM {_DIFFERING} WHERE {pair.differs()} ORDER BY {order} LIMIT {detail.samples}"
    ).fetchall()
    return tuple(
        Sample(
            {name: plain_value(value) for name, value in zip(detail.on, row[: len(ids)], strict=True)},
            row[-3],
            _cut(plain_value(row[-2])),
            _cut(plain_value(row[-1])),
        )
        for row in rows
    )


def _cut(value: Any) -> Any:
    """The value; a very long text is cut, with its length stated."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value):,} characters)"
    return value


def _line_up(connection: duckdb.DuckDBPyConnection, pair: PairedColumn) -> dict[str, float] | None:
    """Elements inserted and deleted per mismatch, over the first of them in the order of a hash."""
    a, b = pair.raw("a"), pair.raw("b")
    short = f"greatest(len({a}), len({b})) <= {EDITED_LENGTH}"
    rows = connection.execute(
        f"SELECT {a}, {b} FROM {_DIFFERING} WHERE {pair.differs()} AND {short} ORDER BY hash({a}, {b}) LIMIT {EDITED}"
    ).fetchall()
    edits = [count_edits(left, right) for left, right in rows]
    if not edits:
        return None
    return {
        "rows": len(edits),
        "insert": sum(edit.insert for edit in edits) / len(edits),
        "delete": sum(edit.delete for edit in edits) / len(edits),
    }
