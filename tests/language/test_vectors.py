"""Vectors: packed, measured and scaled, present or missing as a whole."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.functions import pack
from skewcheck.language.types import FLOAT64, INT64, vector
from tests.both_engines import apply, column

numbers = st.floats(-1e6, 1e6)
triples = st.lists(numbers, min_size=3, max_size=3)


@given(st.lists(st.tuples(triples, triples), min_size=5, max_size=20))
@settings(max_examples=15, deadline=None)
def test_dot_norm_and_cosine_are_sums_in_order(rows: list[tuple[Any, ...]]) -> None:
    def dot(v: list[float], w: list[float]) -> float:
        return ((0.0 + v[0] * w[0]) + v[1] * w[1]) + v[2] * w[2]

    norms = [(math.sqrt(dot(v, v)), math.sqrt(dot(w, w))) for v, w in rows]
    assert apply(lambda v, w: v.dot(w), rows) == [dot(v, w) for v, w in rows]
    assert apply(lambda v, w: v.norm(), rows) == [norm for norm, _ in norms]
    assert apply(lambda v, w: v.cosine(w), rows) == [
        dot(v, w) / (left * right) if left * right else None for (v, w), (left, right) in zip(rows, norms, strict=True)
    ]


def test_packing_and_taking_apart_gives_the_numbers_back() -> None:
    rows = [(1.5, -2), (None, 3), (1e300, None), (0.0, 2**53 + 1)]
    assert apply(lambda x, n: pack(x, n, 7), rows) == [[1.5, -2.0, 7.0], None, None, [0.0, 2.0**53, 7.0]]
    assert apply(lambda x, n: pack(x, n, 7).element(1), rows) == [-2.0, None, None, 2.0**53]
    assert apply(lambda x, n: pack(x).element(0), rows) == [1.5, None, 1e300, 0.0]


def test_a_vector_is_missing_as_a_whole() -> None:
    rows = [([1.0, 2.0, 2.0], 1.0), (None, 2.0), ([1e200, 0.0, 0.0], 3.0)]
    assert apply(lambda v, x: v.is_missing(), rows) == [False, True, False]
    assert apply(lambda v, x: v.scale(x).norm(), rows) == [3.0, None, None]


def test_tiny_and_huge_vectors_have_no_cosine() -> None:
    rows = [([1e-170, 0.0, 0.0], [1e-170, 0.0, 0.0]), ([1e170, 0.0, 0.0], [1.0, 0.0, 0.0])]
    assert apply(lambda v, w: v.cosine(w), rows) == [None, None]


V, W = column("v", vector(3)), column("w", vector(2))
X, N = column("x", FLOAT64), column("n", INT64)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: V.element(3), r"index 3 is outside of a Vector\(3\), whose last is 2"),
        (lambda: V.element(-1), "index must be a whole number of at least 0, and is -1"),
        (lambda: V.element(True), "index must be a whole number"),
        (lambda: V.element(1.0), "index must be a whole number"),
        (lambda: X.element(0), "element takes Vector, and `x` is Float64"),
        (lambda: V.dot(W), r"one length, and these are Vector\(3\) and Vector\(2\)"),
        (lambda: V.cosine(W), r"one length, and these are Vector\(3\) and Vector\(2\)"),
        (lambda: V.dot(X), "dot takes Vector, and `x` is Float64"),
        (lambda: X.norm(), "norm takes Vector"),
        (lambda: V.scale(V), r"scale takes Float64, and `v` is Vector\(3\)"),
        (lambda: V + V, "add takes"),
        (lambda: pack(V), "pack takes Float64"),
        (lambda: pack(), "pack takes 1"),
        (lambda: pack(*[X] * 4097), "at most 4096 elements, and these are 4097"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_declared(build: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        build()


def test_an_int_beside_a_vector_is_widened() -> None:
    assert apply(lambda v, n: v.scale(n), [([1.0, -0.5, 2.0], 2), ([1.0, 1.0, 1.0], None)]) == [[2.0, -1.0, 4.0], None]
    assert str(V.scale(N)) == "v.scale(n.to_float())"
