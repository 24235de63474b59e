"""Buckets hold their lower edge, whatever their edges come from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.types import FLOAT64, INT64
from tests.both_engines import apply, column
from tests.fitted import fit_and_apply, statistics_of


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6, unique=True).map(sorted), st.data())
@settings(max_examples=25)
def test_a_bucket_counts_the_edges_that_are_not_above_the_value(edges: list[float], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from(edges) | st.floats(-1e301, 1e301), min_size=1, max_size=8))
    expected = [sum(edge <= value for edge in edges) for value in values]
    assert apply(lambda x: x.bucket(edges), [(value,) for value in values]) == expected


def test_infinity_and_nan_are_in_no_bucket() -> None:
    assert apply(lambda x: x.bucket((0.0,)), [(math.inf,), (-math.inf,), (math.nan,), (None,)]) == [None] * 4


def test_whole_numbers_have_buckets_too() -> None:
    assert apply(lambda n: n.bucket([0, 10]), [(-1,), (0,), (9,), (10,), (2**63 - 1,)]) == [0, 1, 1, 2, 2]
    assert column("n", INT64).bucket((1, 2)).type == INT64


@pytest.mark.parametrize(
    ("edges", "reason"),
    [
        ((), "at least one number"),
        ("12", "list of at least one"),
        (3.0, "list of at least one"),
        ((1.0, 1.0), "ascending"),
        ((0.0, -0.0), "ascending"),
        ((2.0, 1.0), "ascending"),
        ((0.0, math.inf), "finite"),
        ((math.nan,), "finite"),
        ((True, 2), "finite"),
        (("a",), "finite"),
    ],
)
def test_edges_that_cannot_be_meant_are_refused(edges: Any, reason: str) -> None:
    with pytest.raises(DeclarationError, match=f"bucket: .*{reason}"):
        column("x", FLOAT64).bucket(edges)


def test_edges_of_equal_width_are_numpys() -> None:
    values = [0.1, 0.7, -3.3, 12.9, 5.0]
    found = statistics_of(lambda x: x.equal_width_bucket(7), values)["edges"]
    assert found == pytest.approx(np.linspace(-3.3, 12.9, 8)[1:-1].tolist(), rel=1e-15)


def test_edges_of_equal_width_are_rounded_once() -> None:
    # In floats 1.7e308 − −1.7e308 overflows, and 0.1 × 3 is not 0.3.
    assert statistics_of(lambda x: x.equal_width_bucket(2), [-1.7e308, 1.7e308])["edges"] == [0.0]
    assert statistics_of(lambda x: x.equal_width_bucket(10), [0.0, 1.0])["edges"] == [n / 10 for n in range(1, 10)]


def test_values_beyond_the_training_range_are_in_the_outer_buckets() -> None:
    found = fit_and_apply(lambda x: x.equal_width_bucket(3), [0.0, 3.0], [-5.0, 0.99, 1.0, 2.0, 3.0, 50.0, None])
    assert found == [0, 0, 1, 2, 2, 2, None]


@pytest.mark.parametrize("buckets", [1, 0, 2.0, "3", True])
def test_at_least_two_buckets(buckets: Any) -> None:
    with pytest.raises(DeclarationError, match="buckets must be a whole number of at least 2"):
        column("x", FLOAT64).equal_width_bucket(buckets)
