"""Logic, choice and is_in, with every way in which something can be missing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import apply, column
from tests.declaring import make_service

B, C, N, S, T, X = (
    column(name, type_)
    for name, type_ in {"b": BOOL, "c": BOOL, "n": INT64, "s": STRING, "t": TIMESTAMP, "x": FLOAT64}.items()
)

TRUTHS = [True, False, None]
PAIRS = list(itertools.product(TRUTHS, TRUTHS))


def test_kleenes_logic() -> None:
    conjunction = [False if False in pair else None if None in pair else True for pair in PAIRS]
    disjunction = [True if True in pair else None if None in pair else False for pair in PAIRS]
    assert apply(lambda x, y: x & y, PAIRS) == conjunction
    assert apply(lambda x, y: x | y, PAIRS) == disjunction
    assert apply(lambda x: ~x, [(truth,) for truth in TRUTHS]) == [False, True, None]


def test_de_morgan() -> None:
    assert apply(lambda x, y: ~(x & y), PAIRS) == apply(lambda x, y: ~x | ~y, PAIRS)


@pytest.mark.parametrize(
    ("build", "rows", "expected"),
    [
        (
            lambda c, x: sk.when(c).then(x).otherwise(0),
            [(True, 1.5), (False, 1.5), (None, 1.5), (True, None), (False, None)],
            [1.5, 0.0, 0.0, None, 0.0],
        ),
        (lambda x: sk.when(x > 0).then("up").otherwise("down"), [(1.0,), (-1.0,), (None,)], ["up", "down", "down"]),
        (lambda c, d: sk.when(c).then(1).otherwise(sk.when(d).then(2).otherwise(3)), PAIRS[:4], [1, 1, 1, 2]),
        (lambda x: sk.when(x.is_missing()).then(-1.0).otherwise(x), [(None,), (2.0,)], [-1.0, 2.0]),
        (lambda x: x.fill(0.5), [(math.nan,), (math.inf,), (None,), (1.0,)], [0.5, 0.5, 0.5, 1.0]),
        (lambda x, y: sk.coalesce(x, y, "none"), [(None, None), (None, "b"), ("a", "b")], ["none", "b", "a"]),
        (lambda x: x.is_missing(), [(math.nan,), (math.inf,), (None,), (0.0,)], [True, True, True, False]),
        (lambda x: (x * x).is_missing(), [(1e200,), (1.0,)], [True, False]),
        (lambda x: x.is_in(["a", "it's", ""]), [("it's",), ("",), ("A",), (None,)], [True, True, False, None]),
        (lambda x: x.is_in([1, -(2**63)]), [(-(2**63),), (1,), (2,), (None,)], [True, True, False, None]),
        (
            lambda x: x.is_in([0.0, 2.5, -1]),
            [(-0.0,), (2.5,), (-1.0,), (2.4,), (1e300,)],
            [True, True, True, False, False],
        ),
        (lambda x: x.is_in([-0.0]), [(0.0,), (5e-324,), (-5e-324,), (math.nan,)], [True, False, False, None]),
        (lambda x: x.is_in([2**53]), [(2.0**53,), (2.0**53 + 2,), (None,)], [True, False, None]),
        (lambda x: x.to_number() + 1, [(True,), (False,), (None,)], [2.0, 1.0, None]),
        (lambda x: x.fill(sk.missing("Float64")), [(1.0,), (None,)], [1.0, None]),
    ],
)
def test_means_this_on_both_engines(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    assert apply(build, rows) == expected


TRIPLES = list(itertools.product(TRUTHS, repeat=3))


def test_the_first_condition_that_is_true_decides() -> None:
    found = apply(lambda a, b, c: sk.when(a).then("a").when(b).then("b").when(c).then("c").otherwise("none"), TRIPLES)
    expected = [next((name for name, truth in zip("abc", row, strict=True) if truth), "none") for row in TRIPLES]
    assert found == expected


def test_a_chain_of_conditions_is_the_nested_choice() -> None:
    chained = sk.when(B).then(1).when(C).then(X).otherwise(N)
    assert str(chained) == str(sk.when(B).then(1).otherwise(sk.when(C).then(X).otherwise(N)))
    assert chained.type == FLOAT64


def test_a_chain_may_be_as_long_as_a_table() -> None:
    def build(n: Any) -> Any:
        choice = sk.when(n == 0).then(0)
        for step in range(1, 300):
            choice = choice.when(n == step).then(step * step)
        return choice.otherwise(-1)

    assert apply(build, [(0,), (7,), (299,), (300,), (None,)]) == [0, 49, 299 * 299, -1, -1]


def test_a_branch_can_be_an_instant() -> None:
    new_year = datetime(2024, 1, 1, tzinfo=UTC)
    found = apply(
        lambda t: sk.when(t < new_year).then(new_year).otherwise(t), [(datetime(2020, 1, 1, tzinfo=UTC),), (None,)]
    )
    assert found == [new_year, None]


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: sk.when(X).then(1).otherwise(2), "choose takes Bool"),
        (lambda: sk.when(B).then(1).when(X).then(2).otherwise(3), "choose takes Bool"),
        (lambda: sk.when(B).then(1).otherwise("a"), "one type"),
        (lambda: sk.when(B).then(1).when(C).then("a").otherwise("b"), "one type"),
        (lambda: sk.when(B).then(None).otherwise(1), "None"),
        (lambda: X.fill("a"), "one type"),
        (lambda: X & B, "both takes Bool"),
        (lambda: S.is_in([1]), "Int64 constants, and the value is String"),
        (lambda: X.is_in(["a"]), "String constants, and the value is Float64"),
        (lambda: N.is_in([1.5]), "Float64 constants, and the value is Int64"),
        (lambda: B.is_in(["a"]), "is_in takes"),
        (lambda: T.is_in(["2024"]), "is_in takes"),
        (lambda: S.is_in([True]), "all strings or all numbers, and"),
        (lambda: S.is_in(["a", 1]), "all strings or all numbers, and"),
        (lambda: X.is_in([1, 1.0]), "1.0 more than once"),
        (lambda: X.is_in([0.0, -0.0]), "more than once"),
        (lambda: X.is_in([math.nan]), "finite"),
        (lambda: S.is_in([]), "at least one"),
        (lambda: S.is_in("ab"), "must be a list"),
        (lambda: S.is_in([None]), "None"),
        (lambda: S.one_hot(["a", 1]), "all strings or all whole numbers, and"),
        (lambda: S.one_hot([1.5]), "all strings or all whole numbers"),
        (lambda: S.one_hot([True, False]), "all strings or all whole numbers"),
    ],
)
def test_what_cannot_be_meant_is_refused(build: Callable[[], Any], match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        build()


def test_a_choice_without_its_last_branch_is_refused_in_words() -> None:
    with pytest.raises(DeclarationError, match=r"returns a choice without its \.otherwise"):
        make_service({"b": BOOL}, result=lambda b: sk.when(b).then(1.0))


@settings(max_examples=30)
@given(
    constants=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9, unique=True),
    others=st.lists(st.floats()),
)
def test_a_float_is_in_a_list_where_it_equals_one_of_it(constants: list[float], others: list[float]) -> None:
    values = [*constants, *others, *(math.nextafter(value, math.inf) for value in constants)]
    expected = [value in constants if math.isfinite(value) else None for value in values]
    assert apply(lambda x: x.is_in(constants), [(value,) for value in values]) == expected
