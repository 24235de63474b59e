"""Expressions print as they are written, and functions of several values are their methods."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Expression, constant, render, walk
from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import column

X, Y, N, M = column("x", FLOAT64), column("y", FLOAT64), column("n", INT64), column("m", INT64)
B, S, R, T = column("b", BOOL), column("s", STRING), column("r", STRING), column("t", TIMESTAMP)


@pytest.mark.parametrize(
    ("expression", "text", "type_"),
    [
        (X + Y, "(x + y)", FLOAT64),
        (1 + X, "(1.0 + x)", FLOAT64),
        (X - 1, "(x - 1.0)", FLOAT64),
        (1 - X, "(1.0 - x)", FLOAT64),
        (N + 1, "(n + 1)", INT64),
        (N + 1.5, "(n.to_float() + 1.5)", FLOAT64),
        (N * X, "(n.to_float() * x)", FLOAT64),
        (2 / N, "(2.0 / n.to_float())", FLOAT64),
        (N / 2, "(n.to_float() / 2.0)", FLOAT64),
        (-N, "(-n)", INT64),
        (abs(X), "x.abs()", FLOAT64),
        (X == 1, "(x == 1.0)", BOOL),
        (N != 1, "(n != 1)", BOOL),
        (N > X, "(n.to_float() > x)", BOOL),
        ((N >= 1) & ~B, "((n >= 1) & (~b))", BOOL),
        (True & B, "(True & b)", BOOL),
        (B | (X <= 2), "(b | (x <= 2.0))", BOOL),
        (X.clip(0, 1), "x.clip(low=0.0, high=1.0)", FLOAT64),
        (N.log1p(), "n.to_float().log1p()", FLOAT64),
        (T.hour(), "t.hour()", INT64),
        (T.hour("Asia/Tokyo"), "t.hour(zone='Asia/Tokyo')", INT64),
        (S.vocabulary(minimum_count=2), "s.vocabulary(minimum_count=2)", INT64),
        (S.concat("-", R), "s.concat('-', r)", STRING),
        (sk.when(B).then(X).otherwise(0), "b.choose(x, 0.0)", FLOAT64),
        (sk.when(B).then(1).otherwise(2), "b.choose(1, 2)", INT64),
        (sk.when(B).then("a").otherwise(S), "b.choose('a', s)", STRING),
        (sk.coalesce(X, Y, 0), "x.fill(y).fill(0.0)", FLOAT64),
        (sk.minimum(X, Y, 3), "x.minimum(y).minimum(3.0)", FLOAT64),
        (sk.maximum(N, M), "n.maximum(m)", INT64),
        (sk.cross(S, R), "s.cross(r)", STRING),
        (sk.concat("a", S), "'a'.concat(s)", STRING),
        (X.fill(sk.missing("Float64")), "x.fill(missing('Float64'))", FLOAT64),
    ],
)
def test_prints_as_it_is_written_and_has_a_type(expression: Expression, text: str, type_: Any) -> None:
    assert str(expression) == render(expression) == text
    assert expression.type == type_
    assert text in repr(expression)


def test_every_operator_is_a_method_with_its_documentation() -> None:
    for name, cls in REGISTRY.items():
        assert getattr(Expression, name).__doc__ == cls.__doc__


def test_walk_gives_operands_first_and_shared_ones_once() -> None:
    shared = X + Y
    order = walk((shared * shared).log1p())
    assert [node.operator.name for node in order] == ["column", "column", "add", "multiply", "log1p"]


def test_a_deep_expression_prints_without_recursion() -> None:
    total = X
    for _ in range(3000):
        total = total + 1
    assert str(total).count("+") == 3000


def test_a_message_shows_the_beginning_of_a_long_expression() -> None:
    long = X
    for _ in range(100):
        long = long + 1
    with pytest.raises(DeclarationError) as caught:
        long.lower()
    assert f"`{str(long)[:79]}…` is Float64" in caught.value.message


def test_is_immutable() -> None:
    with pytest.raises(AttributeError):
        X.type = INT64  # type: ignore[misc]


@pytest.mark.parametrize("attribute", ["__len__", "__array__", "__wrapped__"])
def test_pythons_own_protocols_find_nothing(attribute: str) -> None:
    assert not hasattr(X, attribute)


def test_can_be_copied_and_pickled() -> None:
    for again in (copy.copy(X + 1), copy.deepcopy(X + 1), pickle.loads(pickle.dumps(X + 1))):
        assert str(again) == "(x + 1.0)"


def test_a_variadic_operator_takes_no_parameters() -> None:
    with pytest.raises(DeclarationError):
        S.concat(R, separator="-")


@pytest.mark.parametrize(("value", "like", "type_"), [(1, FLOAT64, FLOAT64), (1, INT64, INT64), (True, FLOAT64, BOOL)])
def test_a_whole_number_beside_a_float_is_meant_as_one(value: Any, like: Any, type_: Any) -> None:
    assert constant(value, like).type == type_
