"""Python and DuckDB give the same bits, whatever the operators are combined into."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import FLOAT64, INT64
from tests.adversarial import STRATEGIES, VALUES
from tests.both_engines import apply, column, evaluate
from tests.trees import COLUMNS, GROWTHS, any_trees, draw_state


def is_short(value: Any) -> bool:
    """Whether a value may be joined to itself again and again without filling memory."""
    return not isinstance(value, str) or len(value) <= 1000


def some_rows(random: Random, count: int) -> list[dict[str, Any]]:
    hard = {name: [value for value in VALUES[type_] if is_short(value)] for name, type_ in COLUMNS.items()}
    return [{name: random.choice(values) for name, values in hard.items()} for _ in range(count)]


@given(data=st.data(), random=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_random_expressions_agree_on_hard_values(data: st.DataObject, random: Random) -> None:
    expressions = {f"output_{place}": data.draw(any_trees(6)) for place in range(3)}
    state = draw_state(data.draw, *expressions.values())
    evaluate(expressions, some_rows(random, 40), state)


@given(data=st.data())
@settings(max_examples=60)
def test_random_expressions_agree_on_any_value(data: st.DataObject) -> None:
    expressions = {"output": data.draw(any_trees(3))}
    state = draw_state(data.draw, *expressions.values())
    row = st.fixed_dictionaries({name: STRATEGIES[type_].filter(is_short) for name, type_ in COLUMNS.items()})
    evaluate(expressions, data.draw(st.lists(row, min_size=1, max_size=8)), state)


def test_random_expressions_are_made_of_every_operator_that_needs_no_unit() -> None:
    assert {growth.name for growth in GROWTHS} == set(REGISTRY) - {"to"}


@pytest.mark.parametrize("count", [100, 400])
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


FOUND = {
    "DuckDB moves a TRY_CAST to the other side of a comparison": (
        lambda n: (n + n <= 0) | (n * n > 5) | (n - 7 < 3),
        [(2**62,), (-(2**62) - 1,), (-(2**63),), (1,), (None,)],
    ),
    "an Int64 beside a Float64 constant is compared as a Float64": (
        lambda n: (n == 2.0**53) & (n >= 2.0**53) & (n <= 2.0**53),
        [(2**53,), (2**53 + 1,), (2**53 - 1,), (2**53 + 2,)],
    ),
    "a sum with a constant that a comparison could absorb": (
        lambda n: (n + 1 > 2**63 - 1) | (n - 1 < -(2**63) + 5),
        [(2**63 - 1,), (2**63 - 2,), (-(2**63),), (0,)],
    ),
    "a Float64 sum with a constant that a comparison could absorb": (
        lambda x: (x + 0.1 == 0.30000000000000004) & (x * 3 > 0.6),
        [(0.2,), (0.20000000000000004,), (0.19999999999999998,)],
    ),
    "arithmetic with constants that cancel": (
        lambda x, n: ((x + 1e16) - 1e16 == x) & (x * 0 == 0) & (n * 0 == 0) & (n - n == 0),
        [(1.0, 5), (0.5, -(2**63)), (math.inf, None), (1e300, 2**63 - 1)],
    ),
    "the microseconds of an instant that was computed before": (
        lambda t: t.shift(seconds=90).hour() + t.shift(seconds=90).minute(),
        [(datetime(2012, 2, 29, 23, 59, tzinfo=UTC),), (None,)],
    ),
    "text with a NUL before white space": (lambda s: s.strip() == "\x00", [("\x00 ",), (" \x00",), ("\x00",)]),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_once_differed_or_could_agrees(name: str) -> None:
    apply(*FOUND[name])
