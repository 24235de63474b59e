"""Terms are interned, know their bounds, and let no infinity be absorbed."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import terms
from skewcheck.language.primitives import PRIMITIVES
from skewcheck.language.terms import (
    Term,
    assume_finite,
    call,
    choose,
    column,
    equal,
    finite,
    literal,
    missing,
    restrict,
)
from skewcheck.language.types import BOOL, FLOAT64, INT64, INT64_MAX, INT64_MIN, STRING, TIMESTAMP
from tests.adversarial import INTEGERS, STRATEGIES
from tests.both_engines import evaluate_terms

X, Y = column("x", FLOAT64), column("y", FLOAT64)
M, N = column("m", INT64), column("n", INT64)
B = column("b", BOOL)


@pytest.mark.parametrize(
    "build",
    [
        lambda: column("x", FLOAT64),
        lambda: literal(1.5),
        lambda: (X + 1.0) * Y,
        lambda: call("locate", X, parameter=(1.0, 2.0)),
    ],
)
def test_terms_that_are_built_alike_are_one_object(build: Callable[[], Term]) -> None:
    assert build() is build()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (literal(1), literal(1.0)),
        (literal(1), literal(True)),
        (literal(0.0), literal(-0.0)),
        (column("x", FLOAT64), column("x", INT64)),
        (missing(FLOAT64), missing(INT64)),
        (X + Y, Y + X),
        (call("locate", X, parameter=(0.0,)), call("locate", X, parameter=(-0.0,))),
        (X + Y, assume_finite(X + Y)),
    ],
)
def test_terms_that_differ_in_any_bit_are_not_one_object(left: Term, right: Term) -> None:
    assert left is not right


def test_terms_that_nobody_holds_are_forgotten() -> None:
    gc.collect()
    before = len(terms._interned)
    kept = column("seldom", FLOAT64) + 12345.678
    assert len(terms._interned) == before + 3
    del kept
    gc.collect()
    assert len(terms._interned) == before


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_float_constant_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite or missing"):
        literal(value)


def test_what_could_absorb_an_infinity_gets_a_finite_term_before_it() -> None:
    overflowing = X * Y
    assert not overflowing.finite
    assert (overflowing + 1.0).arguments[0] is overflowing
    assert (literal(1.0) / overflowing).arguments[1] is finite(overflowing)
    assert (overflowing < 1.0).arguments[0] is finite(overflowing)
    assert choose(B, overflowing, 0.0).arguments[1] is finite(overflowing)
    assert call("coalesce", overflowing, literal(0.0)).arguments[0] is finite(overflowing)


HUGE = {"x": 1e300, "y": 1e300, "m": 0, "n": 0, "b": True}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (literal(1.0) / (X * Y), None),
        (call("is_missing", X * Y), True),
        (call("coalesce", X * Y, literal(7.0)), 7.0),
        ((X * Y) - (X * Y), None),
        ((X * Y) * 0.0, None),
        (X * Y < 1.0, None),
        (choose(X * Y > 1.0, literal(1.0), 2.0), 2.0),
        (call("floor", X * Y), None),
        (call("locate", X * Y, parameter=(1.0,)), None),
        (call("square_root", X * Y), None),
        (terms.pack(X, X * Y), None),
        ((X * Y) / 2.0, None),
    ],
)
def test_a_result_that_overflows_is_missing_from_then_on(term: Term, expected: Any) -> None:
    assert evaluate_terms({"result": term}, [HUGE]) == [{"result": expected}]


@pytest.mark.parametrize(
    ("term", "bounds"),
    [
        (literal(3) + 4, (7, 7)),
        (N % 7, (0, 6)),
        (N % 7 - 3, (-3, 3)),
        ((N % 7) * -2, (-12, 0)),
        (N // 1000, (INT64_MIN // 1000, INT64_MAX // 1000)),
        (choose(B, N % 7, 100), (0, 100)),
        (call("coalesce", N % 7, literal(-1)), (-1, 6)),
        (restrict(N % 7, B), (0, 6)),
        (call("locate", X, parameter=(1.0, 2.0)), (0, 2)),
        (call("interval", N, parameter=((0,), (-5, 5))), (-5, 5)),
        (call("lookup", N, parameter=((1, 10), (2, 20))), (10, 20)),
        (call("digest", column("s", STRING)), (0, 2**32 - 1)),
        (N + 1, (INT64_MIN + 1, INT64_MAX)),
        (literal(INT64_MAX) + 1, (INT64_MAX, INT64_MAX)),
        (literal(INT64_MIN) * 2, (INT64_MIN, INT64_MIN)),
        (call("microseconds", column("t", TIMESTAMP)), (-62_135_596_800_000_000, 253_402_300_799_999_999)),
    ],
)
def test_the_bounds_of_a_whole_number_follow_from_how_it_is_made(term: Term, bounds: tuple[int, int]) -> None:
    assert term.bounds == bounds


def test_a_sum_that_is_known_to_fit_is_not_checked() -> None:
    assert (N % 7 + 1).name == "integer_add"
    assert (N + 1).name == "checked_add"
    assert (N * -1).name == "checked_multiply"


def test_a_remainder_that_changes_nothing_is_left_out() -> None:
    assert (N % 7) % 7 is N % 7
    assert (N % 7) % 6 is not N % 7


small = st.integers(-50, 50)

integer_terms = st.recursive(
    st.sampled_from([M, N]) | (small | st.sampled_from(INTEGERS[1:])).map(literal),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, st.integers(1, 10**6)).map(lambda pair: pair[0] // pair[1]),
        st.tuples(inner, st.integers(1, 10**6)).map(lambda pair: pair[0] % pair[1]),
        st.tuples(inner, inner).map(lambda pair: choose(B, *pair)),
        st.tuples(inner, inner).map(lambda pair: call("coalesce", *pair)),
        inner.map(lambda term: restrict(term, B)),
        st.tuples(inner, small).map(lambda pair: call("lookup", pair[0], parameter=((pair[1], 5), (pair[1] + 1, -5)))),
        st.tuples(inner, small).map(lambda pair: call("interval", pair[0], parameter=((pair[1],), (-3, 3)))),
    ),
    max_leaves=12,
)


@given(
    term=integer_terms,
    rows=st.lists(st.fixed_dictionaries({"m": STRATEGIES[INT64], "n": STRATEGIES[INT64], "b": STRATEGIES[BOOL]})),
)
def test_a_value_always_lies_within_the_bounds(term: Term, rows: list[dict[str, Any]]) -> None:
    low, high = term.bounds
    assert INT64_MIN <= low <= high <= INT64_MAX
    for row in evaluate_terms({"result": term}, rows):
        assert row["result"] is None or low <= row["result"] <= high
        assert row["result"] is not None or not term.present


T, F, NONE = literal(True), literal(False), missing(BOOL)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (T & B, B), (B & T, B), (F & B, F), (B & F, F), (T | B, T), (B | T, T), (F | B, B), (B | F, B),
        (~T, F), (call("is_missing", literal(1.0)), F), (call("is_missing", missing(FLOAT64)), T),
        (call("coalesce", literal(1.0), X), literal(1.0)), (call("coalesce", missing(FLOAT64), X), X),
        (choose(T, X, Y), X), (choose(F, X, Y), Y), (choose(NONE, X, Y), Y),
        (restrict(X, T), X), (restrict(X, F), missing(FLOAT64)), (restrict(X, NONE), missing(FLOAT64)),
        (missing(FLOAT64) + X, missing(FLOAT64)), (equal(X, missing(FLOAT64)), NONE),
    ],
)  # fmt: skip
def test_what_constants_decide_is_decided_at_once(term: Term, expected: Term) -> None:
    assert term is expected


def test_walk_gives_each_term_once_after_those_that_it_reads() -> None:
    shared = X + Y
    root = (shared * shared) / (shared + X)
    order = terms.walk(root, shared)
    assert len(order) == len({id(term) for term in order})
    for place, term in enumerate(order):
        assert all(argument in order[:place] for argument in term.arguments)


def test_every_primitive_says_what_it_means() -> None:
    for name, primitive in PRIMITIVES.items():
        assert name == primitive.name
        assert primitive.meaning.endswith(".")
        assert not primitive.keeps_infinity or not primitive.finite
