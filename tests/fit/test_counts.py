"""Counts of values, whatever the order of the rows."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fit.test_statistics import compute

WORDS = ["a", "Z", "é", "😀", "\uffff", "", "ab", "a\x00", "\x00"]
values = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12) | st.lists(st.integers(-3, 3), min_size=1)


@given(values)
@settings(max_examples=50)
def test_the_mode_is_the_most_frequent_value_and_the_smallest_of_several(values: list[Any]) -> None:
    assert compute("mode", values) == min(values, key=lambda value: (-values.count(value), value))


@given(values)
@settings(max_examples=50)
def test_distinct_values_and_their_shares_are_in_ascending_order(values: list[Any]) -> None:
    counts = Counter(values)
    assert compute("distinct", values) == sorted(counts)
    assert compute("frequencies", values) == [[value, counts[value] / len(values)] for value in sorted(counts)]


@pytest.mark.parametrize(("values", "mode"), [([True, False], False), ([-0.0, 1.0], 0.0), ([2.5, 2.5, -1.0], 2.5)])
def test_a_mode_has_the_type_of_the_values(values: list[Any], mode: Any) -> None:
    assert repr(compute("mode", values)) == repr(mode)


def test_an_item_counts_once_for_each_text_that_has_it() -> None:
    texts = ["a;b;a", "b", "ab", "", ";"]
    found = compute("inverse_document_frequencies", texts, items=("a", "b", "", "'"), delimiter=";")
    assert found == [math.log(6 / (1 + texts_with)) + 1 for texts_with in (1, 2, 2, 0)]
