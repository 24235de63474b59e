"""The small solvers: thresholds, grids, tables, hashes, agreement and bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.explain.values.bits import bits_of_number, bits_of_residual, bits_of_subset
from skewcheck.explain.values.grids import find_decimals, find_grid
from skewcheck.explain.values.hashes import HASHES, find_buckets, murmur_3
from skewcheck.explain.values.series import agree, make_series
from skewcheck.explain.values.tables import find_table
from skewcheck.explain.values.thresholds import find_threshold
from skewcheck.explain.values.units import find_units


def test_a_threshold_is_the_shortest_number_between_the_sides() -> None:
    values = np.arange(0, 20, 0.1)
    assert find_threshold(values, (values >= 10.0).astype(float), included=True) == 10.0
    assert find_threshold(values, (values > 7.55).astype(float), included=False) == pytest.approx(7.5, abs=0.1)


def test_a_threshold_is_solved_from_the_rows_below_it_alone() -> None:
    values = np.array([18.0, 19.0, 22.0, 24.5, 25.0, 30.0])
    known = np.where((values >= 20) & (values < 25), 0.0, np.nan)
    assert find_threshold(values, known, included=True) == 25.0


def test_sides_that_are_mixed_have_no_threshold() -> None:
    values = np.arange(100.0)
    assert find_threshold(values, (values % 2 == 0).astype(float), included=True) is None


def test_rounded_values_betray_their_decimals() -> None:
    values = np.random.default_rng(0).normal(0, 3, 500)
    assert 2 in find_grid(values, np.round(values, 2))
    assert find_grid(values, values * 1.5) == []
    assert find_decimals(np.round(values, 3)) == 3
    assert find_decimals(values) is None


def test_a_table_has_only_the_categories_that_changed() -> None:
    keys, before = ["a", "b", "c", "a", "b"], [1, 2, 3, 1, 2]
    assert find_table(keys, [1, 5, None, 1, 5], before) == {"b": 5}
    assert find_table(["a"] * 10, list(range(10)), [0] * 10) is None


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("crc32", b"123456789", 0xCBF43926),
        ("adler32", b"Wikipedia", 0x11E60398),
        ("fnv-1a, 32 bits", b"foobar", 0xBF9CF968),
        ("fnv-1a, 64 bits", b"foobar", 0x85944171F73967E8),
        ("murmur3, 32 bits", b"hello", 0x248BFA47),
        ("hashCode of Java", b"hello", 99162322),
        ("md5, first 4 bytes", b"abc", 0x90015098),
    ],
)
def test_hashes_are_those_of_their_names(name: str, text: bytes, number: int) -> None:
    assert HASHES[name](text) == number


def test_murmur_with_a_seed() -> None:
    assert murmur_3(b"", 1) == 0x514E28B7


def test_buckets_are_found_from_codes() -> None:
    numbers = [HASHES["crc32"](f"city {place}".encode()) for place in range(50)]
    assert find_buckets(numbers, [number % 500 for number in numbers], 500) == 500
    assert find_buckets(numbers, [number % 512 for number in numbers], 500) == 512
    assert find_buckets(numbers, [place % 500 for place in range(50)], 500) is None


def test_units_are_of_one_dimension_and_differ() -> None:
    found = {name: (factor, offset) for name, factor, offset in find_units("mile")}
    assert found["kilometer"] == (1.609344, 0.0)
    assert "second" not in found
    assert "mile" not in found
    factor, offset = {name: line for name, *line in find_units("degF")}["degC"]
    assert 212 * factor + offset == pytest.approx(100.0)


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=30))
def test_a_column_agrees_with_itself_and_missing_with_missing(values: list[float | None]) -> None:
    series = make_series("Float64", values)
    assert agree(series, series).all()
    assert not agree(series, make_series("Float64", [None if v is not None else 1.0 for v in values])).any()


def test_floats_agree_within_nine_digits_and_nothing_else_does() -> None:
    left = make_series("Float64", [1.0, 1.0, 0.0])
    assert agree(left, make_series("Float64", [1.0 + 1e-12, 1.0 + 1e-6, 1e-15])).tolist() == [True, False, False]
    assert agree(left, make_series("Float64", [1.0, 1.0, 1e-15]), scale=1.0).all()
    assert agree(make_series("Int64", [2**60]), make_series("Int64", [2**60 + 1])).tolist() == [False]
    assert agree(make_series("String", ["a", None]), make_series("String", ["a", ""])).tolist() == [True, False]


def test_short_numbers_cost_less_than_long_ones() -> None:
    assert bits_of_number(0.0) < bits_of_number(0.18) < bits_of_number(1.609344) < bits_of_number(math.pi)


def test_a_residual_costs_less_the_nearer_it_is() -> None:
    found = make_series("Float64", [1.0] * 4)
    costs = bits_of_residual(found, make_series("Float64", [1.0, 1.0001, 1.5, None]))
    assert costs[0] == 0
    assert costs[1] < costs[2] < costs[3]


def test_a_subset_costs_nothing_where_all_are_chosen() -> None:
    assert bits_of_subset(10, 10) == 0 == bits_of_subset(0, 10)
    assert bits_of_subset(5, 10) == pytest.approx(10)
