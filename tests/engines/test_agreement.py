"""Python and DuckDB give the same bits, whatever the operators are combined into."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import FLOAT64, INT64
from tests.adversarial import STRATEGIES, VALUES
from tests.both_engines import column, evaluate
from tests.trees import COLUMNS, GROWTHS, any_trees, draw_state


def some_rows(random: Random, count: int) -> list[dict[str, Any]]:
    return [{name: random.choice(VALUES[type_]) for name, type_ in COLUMNS.items()} for _ in range(count)]


@given(data=st.data(), random=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_random_expressions_agree_on_hard_values(data: st.DataObject, random: Random) -> None:
    expressions = {f"output_{place}": data.draw(any_trees(4)) for place in range(3)}
    state = draw_state(data.draw, *expressions.values())
    evaluate(expressions, some_rows(random, 40), state)


@given(data=st.data())
@settings(max_examples=60)
def test_random_expressions_agree_on_any_value(data: st.DataObject) -> None:
    expressions = {"output": data.draw(any_trees(3))}
    state = draw_state(data.draw, *expressions.values())
    row = st.fixed_dictionaries({name: STRATEGIES[type_] for name, type_ in COLUMNS.items()})
    evaluate(expressions, data.draw(st.lists(row, min_size=1, max_size=8)), state)


def test_random_expressions_are_made_of_every_operator_that_needs_no_unit() -> None:
    assert {growth.name for growth in GROWTHS} == set(REGISTRY) - {"to"}


@pytest.mark.parametrize("count", [100, 1000])
def test_a_long_chain_agrees_however_deep_it_nests(count: int) -> None:
    x, y = column("x", FLOAT64), column("y", INT64)
    total, product = x, y
    for step in range(count):
        total = total + float(step)
        product = product + step
    rows = [{"x": 0.1, "y": 1}, {"x": None, "y": None}, {"x": -1e300, "y": 2**63 - 1}]
    found = evaluate({"total": total, "product": product}, rows)
    assert found[0]["product"] == 1 + count * (count - 1) // 2
    assert found[1] == {"total": None, "product": None}
