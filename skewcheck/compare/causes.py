"""Why the columns of two tables differ, by their values alone (room: compare)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import duckdb

from skewcheck.compare.kinds import NUMBERS, TIMES, Column
from skewcheck.compare.pairing import PairedColumn, Side
from skewcheck.engines.sql import quote_name
from skewcheck.explain.pairs.base import Form, Pairs
from skewcheck.explain.pairs.searching import explain_pairs

RELATED_SAMPLE = 20_000
"""Pairs in which other columns are looked for that hold what was served."""

MOST_SLICES = 20
"""Columns that are looked at for the place of a cause, beside those that are named."""

MOST_SOURCES = 8
"""Columns that an aggregate is looked for over."""

MOST_COMPARED = 100
"""Columns that are looked at for what was served."""


def find_causes(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    pair: PairedColumn,
    others: Sequence[PairedColumn],
    *,
    at: str,
    entity: str,
    slices: Sequence[str],
    redact: bool = False,
    shown: Collection[str] = (),
) -> tuple[dict[str, object], ...]:
    """The causes of one column, as they stand in the findings.

    Args:
        connection: Where the relation can be queried.
        relation: The pairs, as `join_rows` names their columns.
        pair: The column.
        others: Other columns of A in the relation.
        at: SQL text of the pair's instant; empty where there is none.
        entity: SQL text of whose value it is; empty where that is not known.
        slices: Names of the columns that describe a pair.
        redact: Leave out what single pairs hold.
        shown: Columns whose values are said all the same where a cause has its place there.
    """
    form = form_of(pair)
    text = None
    if pair.foreign:
        text = (f"CAST({pair.raw('a')} AS VARCHAR)", f"CAST({pair.raw('b')} AS VARCHAR)")
    unreadable = [condition for condition in (pair.unreadable("a"), pair.unreadable("b")) if condition]
    pairs = Pairs(
        connection,
        relation,
        pair.name,
        form,
        trained=read_value(pair, "a"),
        served=read_value(pair, "b"),
        differs=pair.differs(),
        at=at,
        entity=entity,
        slices={name: quote_name(f"by.{name}") for name in slices},
        others={
            other.name: read_value(other, "a")
            for other in others
            if other.name != pair.name and form_of(other) == form and not other.foreign and form != "other"
        },
        text=text,
        unreadable=f"({' OR '.join(unreadable)})" if unreadable else "",
    )
    return tuple(cause.to_data() for cause in explain_pairs(pairs, redact=redact, shown=shown))


def form_of(pair: PairedColumn) -> Form:
    """What the values of a pair are like."""
    if pair.kind in NUMBERS:
        return "number"
    if pair.kind in TIMES:
        return "time"
    return "text" if pair.kind == "text" else "bool" if pair.kind == "bool" else "other"


def read_value(pair: PairedColumn, side: Side) -> str:
    """SQL text of a cell for the search; null where it is missing."""
    form, column = form_of(pair), pair.a if side == "a" else pair.b
    if form == "number":
        number = pair.number(side)
        return f"CASE WHEN NOT isnan({number}) THEN {number} END"
    if form == "time":
        raw = pair.value(side) if column.loose else pair.raw(side)
        return f"CAST({raw} AS TIMESTAMPTZ)"
    return pair.value(side)


def find_slices(a: dict[str, Column], b: dict[str, Column], named: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Columns that may describe the place of a cause: those that are named, then text and truth values."""
    found = dict.fromkeys(named)
    for columns in (b, a):
        for name, column in columns.items():
            if column.kind in {"text", "bool"} and name not in taken and len(found) < MOST_SLICES:
                found[name] = None
    return list(found)


def find_related(
    connection: duckdb.DuckDBPyConnection,
    join: Callable[[Sequence[PairedColumn]], str],
    columns: Sequence[PairedColumn],
    suspect: Sequence[PairedColumn],
    ids: Sequence[str],
    total: int,
    *,
    timed: bool = False,
) -> list[PairedColumn]:
    """The columns that match, and of which A holds about what was served for a column that differs.

    Looked for in a sample of the pairs, the same on every run. Where times are known, numbers that a column may be an
    aggregate of are among them.
    """
    names = {pair.name for pair in suspect}
    steady = [pair for pair in columns if pair.name not in names and not pair.foreign][:MOST_COMPARED]
    asked = {
        (pair.name, other.name): f"({pair.differs()}) AND {read_value(other, 'a')} = {read_value(pair, 'b')}"
        for pair in suspect
        for other in steady
        if form_of(pair) == form_of(other) != "other" and not pair.foreign
    }
    if not asked:
        return []
    differ = {pair.name: pair.differs() for pair in suspect}
    conditions = [*asked.values(), *differ.values()]
    part = total // RELATED_SAMPLE + 1
    row = connection.execute(
        f"SELECT {', '.join(f'count(CASE WHEN {condition} THEN 1 END)' for condition in conditions)} "
        f"FROM ({join([*suspect, *steady])}) WHERE hash({', '.join(ids)}) % {part} = 0"
    ).fetchone()
    counts = dict(zip([*asked, *differ], row or (), strict=True))
    wanted = {other for (name, other) in asked if counts[name, other] * 2 > counts[name]}
    if timed and any(form_of(pair) == "number" for pair in suspect):
        wanted |= set([pair.name for pair in steady if form_of(pair) == "number"][:MOST_SOURCES])
    return [pair for pair in steady if pair.name in wanted]
