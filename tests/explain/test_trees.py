"""Expressions are read back from their text, frozen, and changed node by node."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.explain.parsing import parse_expression
from skewcheck.explain.trees import InapplicableError, Tree, freeze, make, number, with_values
from skewcheck.language.expressions import expand, render
from skewcheck.language.types import FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import column
from tests.trees import COLUMNS, any_trees, draw_state

TYPES: dict[str, tuple[Any, str | None]] = {name: (type_, None) for name, type_ in COLUMNS.items()}


@given(any_trees(3))
def test_what_is_printed_is_read_back(expression: Any) -> None:
    found = parse_expression(render(expression), TYPES)
    # A text with a quote of both kinds or a function without a text of its own is not read; what is read is the same.
    assert found is None or (render(found) == render(expression) and found.type == expression.type)


@pytest.mark.parametrize(
    "text",
    [
        "amount.log1p().standardize()",
        "(-(amount * 2.0))",
        "(~(amount <= 3.0))",
        "name.strip().lower().vocabulary(size=20)",
        "paid_at.hour(zone='America/New_York')",
        "((amount > 1.0) & (amount < 2.0)).choose(amount, missing('Float64'))",
        "name.one_hot(categories=('a', 'b'))",
    ],
)
def test_texts_of_all_shapes_are_read(text: str) -> None:
    columns: dict[str, tuple[Any, str | None]] = {
        "amount": (FLOAT64, None),
        "name": (STRING, None),
        "paid_at": (TIMESTAMP, None),
    }
    found = parse_expression(text, columns)
    assert found is not None
    assert render(found) == text


@pytest.mark.parametrize(
    "text", ["nothing", "amount.nonsense()", "amount.log1p(", "__import__('os')", "helper(amount)"]
)
def test_what_is_no_expression_is_not_read(text: str) -> None:
    assert parse_expression(text, {"amount": (FLOAT64, None)}) is None


@given(st.data())
def test_a_frozen_tree_computes_what_the_state_gives(data: Any) -> None:
    expression = data.draw(any_trees(2))
    state = draw_state(data.draw, expression)
    tree = freeze(expression, state)
    assert expand(tree.root, {}) is expand(expression, state)


def amount_tree() -> Tree:
    expression = column("amount", FLOAT64).log1p().standardize()
    return freeze(expression, {render(expression): {"mean": 2.0, "std": 0.5}})


def test_a_node_is_changed_by_its_text_and_keeps_it() -> None:
    tree = amount_tree()
    moved = tree.replace("amount", lambda node: make("multiply", node, number(2.0)))
    again = moved.replace("amount.log1p().standardize()", lambda node: with_values(node, {"mean": 1.0}))
    assert [text for text, _ in again.nodes()] == ["amount", "amount.log1p()", "amount.log1p().standardize()"]
    assert moved.term() is not tree.term()
    assert again.columns == ("amount",)


def test_an_int64_is_widened_where_a_float64_is_wanted() -> None:
    tree = freeze(column("count", INT64).to_float().log1p(), {})
    assert tree.replace("count.to_float()", lambda node: node.operands[0]).term() is not None


def test_a_change_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InapplicableError):
        amount_tree().replace("amount", lambda _: column("name", STRING))
    with pytest.raises(InapplicableError):
        amount_tree().replace("balance", lambda node: node)
