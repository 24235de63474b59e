"""NumPy computes the bits that DuckDB computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.execution import tabulate_rows
from skewcheck.engines.session import open_session
from skewcheck.explain.arrays import UnspelledError, compute, make_series
from skewcheck.explain.evaluating import read_columns
from skewcheck.explain.values.series import Series
from skewcheck.language.expressions import expand
from skewcheck.language.terms import finite
from skewcheck.language.types import INT64
from tests.adversarial import VALUES
from tests.trees import COLUMNS, any_trees, draw_state

ROWS = 40


def same_bits(left: Series, right: Series) -> bool:
    if (left.missing != right.missing).any():
        return False
    one, other = left.data[left.present], right.data[right.present]
    if left.kind in {"Float64", "Vector"}:
        # Zero has one value.
        return bool(((one + 0.0).tobytes() == (other + 0.0).tobytes()) or np.array_equal(one, other))
    return bool((one == other).all())


@settings(max_examples=40)
@given(st.data())
def test_random_expressions_have_the_bits_of_duckdb(data: Any) -> None:
    expressions = [data.draw(any_trees(3)) for _ in range(4)]
    state = draw_state(data.draw, *expressions)
    terms = {f"out.{place}": finite(expand(one, state)) for place, one in enumerate(expressions)}
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = [
        {"explain.place": place, **{name: VALUES[t][random.integers(len(VALUES[t]))] for name, t in COLUMNS.items()}}
        for place in range(ROWS)
    ]
    with open_session() as connection:
        connection.register("inputs", tabulate_rows({"explain.place": INT64, **COLUMNS}, rows))
        columns = read_columns(connection, "inputs", COLUMNS)
        expected = read_columns(
            connection, f"({write_query(terms)})", {name: term.type for name, term in terms.items()}
        )
    for name, term in terms.items():
        try:
            found = make_series(compute(term, columns, {}), term.type.name, ROWS)
        except UnspelledError:
            continue
        assert same_bits(found, expected[name]), str(expressions[int(name[4:])])
