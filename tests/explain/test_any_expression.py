"""Whatever the expression and whatever was served: the search ends, and what it says of a fault is true."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.engines.execution import tabulate_rows
from skewcheck.explain.evaluating import Evaluator, read_columns
from skewcheck.explain.sampling import Sample
from skewcheck.explain.searching import Search, Subject
from skewcheck.explain.trees import freeze
from skewcheck.explain.values.series import agree, make_series
from skewcheck.language.types import INT64
from tests.adversarial import VALUES
from tests.both_engines import database
from tests.trees import COLUMNS, any_trees, draw_state, trees

ROWS = 60
PLAIN = {"Float64": [0.5, 2.0, -3.25, 7.0, None], "Int64": [0, 3, -7, 12, None]}


@given(st.data())
def test_the_search_ends_for_any_pair_of_expressions(data: Any) -> None:
    expression = data.draw(any_trees(2))
    other = data.draw(trees(expression.type, 2))
    state = draw_state(data.draw, expression, other)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hard = data.draw(st.booleans())
    values = {name: VALUES[t] if hard else PLAIN.get(t.name, VALUES[t]) for name, t in COLUMNS.items()}
    rows = [
        {"explain.place": place, **{name: given[random.integers(len(given))] for name, given in values.items()}}
        for place in range(ROWS)
    ]
    with database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("inputs", tabulate_rows({"explain.place": INT64, **COLUMNS}, rows))
        columns = read_columns(connection, "inputs", COLUMNS)
        evaluator = Evaluator(connection, "inputs", columns)
        tree, wrong = freeze(expression, state), freeze(other, state)
        replayed, served = evaluator.evaluate([tree, wrong])
        if replayed is None or served is None:
            return
        served = make_series(served.kind, served.listed())
        differing = ~agree(served, replayed, near=0.0)
        ones = np.ones(ROWS)
        sample = Sample("any", "inputs", served, replayed, differing, ones, ones * np.nan, columns, evaluator)
        subject = Subject(sample, tree, {name: (t, None) for name, t in COLUMNS.items()})
        found = Search(subject).explain(differing)
        assert all(trial.score > 0 for trial in found[:1])
        for trial in found[:3]:
            (again,) = evaluator.evaluate([trial.tree])
            assert again is not None
            assert agree(again, served, scale=subject.scale)[trial.reproduced].all()
            assert not (trial.reproduced & ~differing).any()
