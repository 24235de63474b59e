"""Canonical form: what it calls the same is the same, on every engine, for every value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.changes.canonical_form import _LAWS, _rebuild, digest, digest_fits, digest_term
from skewcheck.generate.golden import same_value
from skewcheck.language.expressions import Expression, expand, key_of
from skewcheck.language.terms import call, walk
from skewcheck.language.terms import column as column_term
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING
from skewcheck.parity.values import VALUES
from tests.both_engines import column, load_terms
from tests.trees import COLUMNS, any_trees, draw_state

A, B = column("a", FLOAT64), column("b", FLOAT64)
N, S, T = column("i", INT64), column("s", STRING), column("t", BOOL)

SAME = [
    (A + B, B + A),
    (A * B, B * A),
    (A - 1, A + -1.0),
    (A / 2, A * 0.5),
    (A / -8, A * -0.125),
    (A * 1.0, A),
    (A / 1.0, A),
    (~(A < B), B <= A),
    (~(A <= B), A > B),
    (~~T, T),
    (A == B, B == A),
    ((A > 1) & (B > 2) & T, T & ((B > 2) & (A > 1))),
    (T | (A > 1) | T, (A > 1) | T),
    (sk.when(A.is_missing()).then(7.0).otherwise(A), A.fill(7.0)),
    (N + 1, 1 + N),
    ((A + B).standardize(), (B + A).standardize()),
    ((A + B).standardize().min_max(), (B + A).standardize().min_max()),
]

DIFFERENT = [
    (A - B, B - A),
    (A / B, B / A),
    (A / 3, A * (1 / 3)),
    (A < B, B < A),
    (A > 1, A >= 1),
    ((A + B) + 1, A + (B + 1)),
    (T & (A > 1), T | (A > 1)),
    (A, A + 0.0 * B),
    (A.fill(1), A.fill(2)),
    (sk.when(B.is_missing()).then(7.0).otherwise(A), A.fill(7.0)),
    (A.standardize(), B.standardize()),
    (A.standardize(), A.min_max()),
    (A.quantile_bucket(4), A.quantile_bucket(5)),
    (S.vocabulary(size=3), S.vocabulary(size=4)),
    (column("and", BOOL), column("or", BOOL)),
]


@pytest.mark.parametrize(("left", "right"), SAME, ids=str)
def test_two_ways_to_write_one_thing_have_one_digest(left: Expression, right: Expression) -> None:
    assert digest(left) == digest(right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT, ids=str)
def test_two_things_have_two_digests(left: Expression, right: Expression) -> None:
    assert digest(left) != digest(right)


def test_every_law_is_used_above() -> None:
    names = {term.name for pair in SAME for side in pair for term in walk(expand(side, None))}
    assert set(_LAWS) - {"finite"} <= names


@pytest.mark.parametrize("name", ["not", "less", "and", "is_missing"])
def test_a_column_with_a_primitives_name_is_a_column(name: str) -> None:
    assert digest_term(call("not", column_term(name, BOOL))) != digest_term(column_term(name, BOOL))


@settings(max_examples=30)
@given(st.data())
def test_the_simpler_form_has_the_same_bits(data: st.DataObject) -> None:
    expression = data.draw(any_trees(3))
    term = expand(expression, draw_state(data.draw, expression))
    transform = load_terms({"plain": term, "simple": _rebuild(term)})["transform_row"]
    for _ in range(12):
        row = {name: data.draw(_values(type_)) for name, type_ in COLUMNS.items()}
        found = transform(row)
        assert same_value(found["plain"], found["simple"])


@pytest.mark.parametrize(("left", "right"), [pair for pair in SAME if "(" not in str(pair[0].type)], ids=str)
def test_what_is_called_the_same_has_the_same_bits_on_hard_values(left: Expression, right: Expression) -> None:
    if "standardize" in str(left):
        return
    transform = load_terms({"left": expand(left, {}), "right": expand(right, {})})["transform_row"]
    for a in VALUES[FLOAT64]:
        for b in (None, 0.0, -0.0, 1.0, -1.5, 5e-324, 1.7976931348623157e308, a):
            found = transform({"a": a, "b": b, "i": 3, "s": "x", "t": None if b is None else b > 0})
            assert same_value(found["left"], found["right"]), (a, b)


def _values(type_: Any) -> st.SearchStrategy[Any]:
    if type_.name == "Vector":
        return st.none() | st.lists(st.floats(-1e6, 1e6), min_size=type_.size, max_size=type_.size)
    return st.sampled_from(VALUES[type_])


def test_statistics_enter_with_their_values() -> None:
    expression = A.standardize()
    known = {key_of(expression): {"mean": 1.0, "std": 2.0}}
    other = {key_of(expression): {"mean": 1.0, "std": 3.0}}
    assert digest(expression, known) == digest(expression, known)
    assert digest(expression, known) != digest(expression, other)


def test_a_fit_is_named_by_what_it_reads() -> None:
    left, right = digest_fits((A + B).standardize()), digest_fits((B + A).standardize())
    assert list(left) != list(right)
    assert list(left.values()) == list(right.values())


RATE = TARIFF = 0.2
OTHER = 0.3


def helper(value: float) -> float:
    return value * RATE


def assistant(number: float) -> float:
    return number * TARIFF


def stranger(value: float) -> float:
    return value * OTHER


@sk.opaque
def original(x: float) -> float:
    kept = [item for item in (helper(x), 1.0) if item]
    return kept[0]


@sk.opaque
def renamed(amount: float) -> float:
    """With other names for everything."""
    held = [one for one in (assistant(amount), 1.0) if one]
    return held[0]


@sk.opaque
def changed(x: float) -> float:
    kept = [item for item in (stranger(x), 1.0) if item]
    return kept[0]


@sk.opaque
def swapped(x: float, y: float) -> float:
    return helper(y) - x


@sk.opaque
def straight(x: float, y: float) -> float:
    return helper(x) - y


def test_names_in_an_opaque_function_do_not_matter() -> None:
    assert digest(original(A)) == digest(renamed(A))


def test_what_its_names_stand_for_does() -> None:
    assert digest(original(A)) != digest(changed(A))
    assert digest(straight(A, B)) != digest(swapped(A, B))
