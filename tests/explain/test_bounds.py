"""Bounds that serving sets are found from the values that they hold, of whole numbers as of others."""

from __future__ import annotations

import numpy as np
import pytest

from skewcheck.engines.execution import tabulate_rows
from skewcheck.explain.evaluating import Evaluator, read_columns
from skewcheck.explain.sampling import Sample
from skewcheck.explain.searching import Search, Subject, Trial
from skewcheck.explain.trees import freeze
from skewcheck.explain.values.series import agree, make_series
from skewcheck.language.expressions import Column, Expression
from skewcheck.language.types import FLOAT64, INT64, Type
from tests.both_engines import database

ROWS = 200


def explain(kind: Type, given: list[int | None], bounded: list[int | None]) -> Trial:
    """The best explanation of a column that is served as it is, but for what its bounds hold."""
    rows = [{"explain.place": place, "count": value} for place, value in enumerate(given)]
    with database().cursor() as connection:
        connection.register("inputs", tabulate_rows({"explain.place": INT64, "count": kind}, rows))
        columns = read_columns(connection, "inputs", {"count": kind})
        evaluator = Evaluator(connection, "inputs", columns)
        tree = freeze(Expression(Column("count", kind), (), kind), {})
        (replayed,) = evaluator.evaluate([tree])
        assert replayed is not None
        served = make_series(replayed.kind, bounded)
        differing = ~agree(served, replayed, near=0.0)
        ones = np.ones(ROWS)
        sample = Sample("count", "inputs", served, replayed, differing, ones, ones * np.nan, columns, evaluator)
        best = Search(Subject(sample, tree, {"count": (kind, None)})).explain(differing)[0]
        assert best.reproduced.sum() == differing.sum()
        return best


@pytest.mark.parametrize("kind", [INT64, FLOAT64], ids=str)
@pytest.mark.parametrize(("low", "high"), [(None, 3), (2, None), (1, 4)])
def test_a_bound_is_a_clip_with_that_bound(kind: Type, low: int | None, high: int | None) -> None:
    counts = [None if place % 10 == 0 else place * 7 % 8 for place in range(ROWS)]
    given = [None if count is None else float(count) if kind == FLOAT64 else count for count in counts]
    lowest, highest = -9 if low is None else low, 9 if high is None else high
    bounded = [None if count is None else min(max(count, lowest), highest) for count in given]
    (edit,) = explain(kind, given, bounded).edits  # type: ignore[arg-type]
    assert edit.kind == "clip"
    assert {name: edit.parameters[name] for name in ("low", "high")} == {"low": low, "high": high}
