"""Comparison, logic and choice, with every way in which something can be missing."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime
from typing import Any

import pytest

import skewcheck as sk
from tests.both_engines import apply

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


COMPARED = {
    "floats": [-math.inf, -1.0, -0.0, 0.0, 5e-324, 1.0, math.nan, None],
    "integers": [-(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1, None],
    "strings": ["", "\x00", "A", "Z", "a", "ab", "é", "\uffff", "😀", None],
    "truths": [False, True, None],
    "instants": [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
        None,
    ],
}


@pytest.mark.parametrize("kind", COMPARED)
def test_a_comparison_is_pythons_and_missing_where_either_side_is(kind: str) -> None:
    pairs = list(itertools.product(COMPARED[kind], repeat=2))

    def expected(compare: Any) -> list[Any]:
        return [None if _is_missing(x) or _is_missing(y) else compare(x, y) for x, y in pairs]

    assert apply(lambda x, y: x == y, pairs) == expected(lambda x, y: x == y)
    assert apply(lambda x, y: x != y, pairs) == expected(lambda x, y: x != y)
    if kind != "truths":
        assert apply(lambda x, y: x < y, pairs) == expected(lambda x, y: x < y)
        assert apply(lambda x, y: x <= y, pairs) == expected(lambda x, y: x <= y)
        assert apply(lambda x, y: x > y, pairs) == expected(lambda x, y: x > y)
        assert apply(lambda x, y: x >= y, pairs) == expected(lambda x, y: x >= y)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def test_an_int64_beside_a_float64_is_compared_as_one() -> None:
    assert apply(lambda x, y: x == y, [(2**53 + 1, 2.0**53), (2, 2.0), (2, 2.5)]) == [True, True, False]


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
        (lambda x: x.to_number() + 1, [(True,), (False,), (None,)], [2.0, 1.0, None]),
        (lambda x: x.fill(sk.missing("Float64")), [(1.0,), (None,)], [1.0, None]),
    ],
)
def test_means_this_on_both_engines(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    assert apply(build, rows) == expected
