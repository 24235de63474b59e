"""A search over a few rows in memory: an expression, what it was given, and what was served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from skewcheck.engines.execution import tabulate_rows
from skewcheck.explain.choosing import Found
from skewcheck.explain.evaluating import Evaluator, read_columns
from skewcheck.explain.sampling import Sample
from skewcheck.explain.searching import Search, Subject, Trial
from skewcheck.explain.trees import freeze
from skewcheck.explain.values.series import agree, make_series
from skewcheck.explain.values.slices import Slice, find_slice
from skewcheck.language.expressions import Column, Expression
from skewcheck.language.types import INT64, SCALARS
from tests.both_engines import database

Serve = Callable[[dict[str, Any], Any], Any]
"""What serving gives, from a row and from what training gives."""


def column(name: str, kind: str) -> Expression:
    """A column of a type."""
    return Expression(Column(name, SCALARS[kind]), (), SCALARS[kind])


def search_rows(
    expression: Expression,
    kinds: Mapping[str, str],
    rows: Sequence[dict[str, Any]],
    serve: Serve,
    state: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Trial]:
    """What the search finds of a fault, the best first. Slices are looked for in all columns."""
    found = find_rows(expression, kinds, rows, serve, state)
    return list(found.steps[0][0]) if found.steps else []


def find_rows(
    expression: Expression,
    kinds: Mapping[str, str],
    rows: Sequence[dict[str, Any]],
    serve: Serve,
    state: Mapping[str, Mapping[str, Any]] | None = None,
) -> Found:
    """The same with the search itself, which can go on: everything is computed in memory."""
    types = {name: SCALARS[kind] for name, kind in kinds.items()}
    placed = [{"explain.place": place, **row} for place, row in enumerate(rows)]
    connection = database().cursor()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("inputs", tabulate_rows({"explain.place": INT64, **types}, placed))
    columns = read_columns(connection, "inputs", types)
    evaluator = Evaluator(connection, "inputs", columns)
    tree = freeze(expression, state or {})
    (replayed,) = evaluator.evaluate([tree])
    assert replayed is not None
    given = [serve(row, value) for row, value in zip(rows, replayed.listed(), strict=True)]
    served = make_series(replayed.kind, given)
    differing = ~agree(served, replayed, near=0.0)
    ones = np.ones(len(rows))
    sample = Sample("any", "inputs", served, replayed, differing, ones, ones * np.nan, columns, evaluator)
    subject = Subject(sample, tree, {name: (type_, None) for name, type_ in types.items()})

    def locate(chosen: Any, others: Any) -> Slice | None:
        return find_slice(columns, chosen, others, ones, unbounded=tree.columns)

    search = Search(subject, locate)
    trials = search.explain(differing)
    return Found(search, ((tuple(trials), differing),) if trials else ())


def name_edits(found: Sequence[Trial]) -> list[tuple[str, Mapping[str, Any]]]:
    """The kinds and the parameters of the best explanation's edits."""
    return [(edit.kind, edit.parameters) for edit in found[0].edits] if found else []
