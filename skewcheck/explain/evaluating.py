"""Expressions over a sample, many in one query (room: explain)."""

from __future__ import annotations

import contextlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.sql import quote_name
from skewcheck.explain.arrays import Value, compute, make_series
from skewcheck.explain.trees import Tree
from skewcheck.explain.values.series import Series
from skewcheck.language.terms import Term
from skewcheck.language.types import Type

AT_ONCE = 60
"""Expressions in one query: planning a wider one takes longer than two."""

PLACE = '"explain.place"'
"""The column that orders the rows of a sample."""

FAILURES = (KeyError, ValueError, TypeError, IndexError)
"""What computing here raises: a primitive without a row, a column that is elsewhere, or statistics of texts beside
numbers, where an edit reads another column. DuckDB is asked then."""


class Evaluator:
    """Evaluates expressions over one relation of a sample.

    Args:
        connection: Where the relation is.
        relation: The relation's name as SQL text; it has the columns that the expressions read, and `PLACE`.
        columns: The same columns in memory, where they are; expressions of the primitives that NumPy can do are then
            computed here.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Series] | None = None
    ) -> None:
        self.connection = connection
        self.relation = relation
        self.columns = columns or {}
        self._known: dict[int, tuple[Term, Series]] = {}
        self._parts: dict[int, tuple[Term, Value]] = {}

    def forget(self) -> None:
        """Give up what was kept."""
        self._known.clear()
        self._parts.clear()

    def evaluate(self, trees: Sequence[Tree]) -> list[Series | None]:
        """The values of every tree in the order of the rows; None for one that cannot be computed."""
        return self.evaluate_terms([expand_quietly(tree) for tree in trees])

    def evaluate_terms(self, terms: Sequence[Term | None]) -> list[Series | None]:
        """The same for terms. A term that was evaluated before is not evaluated again."""
        fresh = {id(term): term for term in terms if term is not None and id(term) not in self._known}
        waiting = [term for term in fresh.values() if not self._compute(term)]
        for start in range(0, len(waiting), AT_ONCE):
            self._run(waiting[start : start + AT_ONCE])
        return [None if term is None or id(term) not in self._known else self._known[id(term)][1] for term in terms]

    def keep_parts(self, terms: Sequence[Term]) -> None:
        """Keep the values of all parts of some terms, for others that share them."""
        for term in terms:
            with contextlib.suppress(*FAILURES):
                compute(term, self.columns, self._parts)

    def _compute(self, term: Term) -> bool:
        """Compute a term here, if that can be."""
        if not self.columns:
            return False
        own: dict[int, tuple[Term, Value]] = {}
        try:
            value = compute(term, self.columns, ChainMap(own, self._parts))
            series = make_series(value, term.type.name, len(next(iter(self.columns.values()))))
        except FAILURES:
            return False
        self._known[id(term)] = (term, series)
        return True

    def _run(self, terms: list[Term]) -> None:
        try:
            self._keep(terms)
        except duckdb.Error:
            # One that DuckDB refuses must not take the others with it.
            if len(terms) > 1:
                half = len(terms) // 2
                self._run(terms[:half])
                self._run(terms[half:])

    def _keep(self, terms: list[Term]) -> None:
        names = [f"explain.{number}" for number in range(len(terms))]
        query = write_query(dict(zip(names, terms, strict=True)), source=self.relation)
        kinds = {name: term.type for name, term in zip(names, terms, strict=True)}
        found = read_columns(self.connection, f"({query})", kinds)
        for name, term in zip(names, terms, strict=True):
            self._known[id(term)] = (term, found[name])


def expand_quietly(tree: Tree) -> Term | None:
    """The tree in primitives, None where that cannot be: an edge twice, a factor that overflows."""
    try:
        return tree.term()
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, ZeroDivisionError):
        return None


def read_columns(connection: duckdb.DuckDBPyConnection, relation: str, kinds: Mapping[str, Type]) -> dict[str, Series]:
    """Columns of a relation, in the order of `PLACE`."""
    selected = ", ".join(f"{_read(name, kind)} AS {quote_name(name)}" for name, kind in kinds.items())
    table = connection.execute(f"SELECT {PLACE} AS place, {selected} FROM {relation}").to_arrow_table()
    order = np.argsort(table.column("place").to_numpy(), kind="stable")
    return {name: make_column(kind, table.column(name), order) for name, kind in kinds.items()}


def make_column(kind: Type, column: Any, order: Any) -> Series:
    """An Arrow column as a series, its rows in an order."""
    import pyarrow as pa

    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    missing = whole.is_null(nan_is_null=kind.name == "Float64").to_numpy(zero_copy_only=False)[order]
    if kind.name == "Vector":
        rows, size = whole.to_pylist(), kind.size or 0
        absent = [np.nan] * size
        data = np.array([absent if row is None or len(row) != size else row for row in rows], dtype=np.float64).reshape(
            len(rows), size
        )[order]
    elif kind.name == "String":
        data = np.array(["" if text is None else text for text in whole.to_pylist()], dtype=object)[order]
    else:
        empty: Any = {"Float64": 0.0, "Bool": False}.get(kind.name, 0)
        filled = whole.fill_null(pa.scalar(empty, type=whole.type))
        data = filled.to_numpy(zero_copy_only=False)[order]
    return Series(kind.name, data, missing)


def _read(name: str, kind: Type) -> str:
    text = quote_name(name)
    if kind.name == "Timestamp":
        # DuckDB gives an error for the microseconds of an infinite timestamp.
        return f"CASE WHEN isfinite({text}) THEN epoch_us({text}) END"
    return text
