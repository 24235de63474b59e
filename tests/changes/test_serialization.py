"""Expressions cross from one process to another, and are the same there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.changes.expression_text import parse_expression
from skewcheck.changes.serialization import read_expression, read_value, write_expression, write_value
from skewcheck.errors import SkewcheckError
from skewcheck.language.examples import build_example
from skewcheck.language.expressions import Column, Expression, expand, render, walk
from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import column
from tests.trees import any_trees

RATE = 1.5


@sk.opaque
def raised(amount: float, name: str | None) -> float:
    return amount * RATE if name else amount


EXPRESSIONS = [build_example(example) for cls in REGISTRY.values() for example in cls.examples]
EXPRESSIONS += [
    raised(column("a", FLOAT64), column("s", STRING)),
    raised(1.0, column("s", STRING)),
    column("t", TIMESTAMP) > datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC),
    sk.missing("Float64").fill(column("a", FLOAT64)),
    -column("i", INT64) // 2,
    column("a", FLOAT64, "mile").to("kilometer"),
]


def cross(expression: Expression) -> Expression:
    return read_expression(json.loads(json.dumps(write_expression(expression))))


def check_same(left: Expression, right: Expression) -> None:
    assert expand(left, None) is expand(right, None)
    assert (render(left), left.type, left.unit) == (render(right), right.type, right.unit)


def test_every_expression_is_the_same_on_the_other_side() -> None:
    assert len(EXPRESSIONS) > 150
    for expression in EXPRESSIONS:
        check_same(expression, cross(expression))


@settings(max_examples=60)
@given(any_trees(3))
def test_any_tree_is_the_same_on_the_other_side(expression: Expression) -> None:
    check_same(expression, cross(expression))


def test_every_expression_is_read_from_its_text() -> None:
    for expression in EXPRESSIONS:
        columns = {node.operator.column: node for node in walk(expression) if isinstance(node.operator, Column)}
        check_same(expression, parse_expression(render(expression), columns, {"raised": raised.definition}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "unknown",
        "a.nothing()",
        "__import__('os')",
        "a.log1p().__class__",
        "[1]",
        "a < 1.0 < 2.0",
        "a+1.0",
        "f(a)",
    ],
)
def test_a_text_that_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(SkewcheckError, match="cannot be read"):
        parse_expression(text, {"a": column("a", FLOAT64)}, {})


def test_a_text_that_nests_without_end_is_refused() -> None:
    with pytest.raises(SkewcheckError):
        parse_expression("~" * 500 + "a", {"a": column("a", FLOAT64)}, {})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner).map(tuple) | st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_parameters_keep_every_bit_and_every_type(value: Any) -> None:
    found = read_value(json.loads(json.dumps(write_value(value))))
    assert repr(found) == repr(value)


def test_what_is_no_plain_data_is_refused() -> None:
    with pytest.raises(SkewcheckError, match="plain data"):
        write_value(object())


@pytest.mark.parametrize(
    "rows", [[], [["nothing", {}, [], "Float64", None]], [["column", {}, [], "Float64", None]], [[1]]]
)
def test_a_broken_graph_is_refused(rows: list[Any]) -> None:
    with pytest.raises(SkewcheckError):
        read_expression(rows)
