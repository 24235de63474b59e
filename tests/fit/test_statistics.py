"""Statistics are exact and rounded once, so nothing about how they are computed can show in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skewcheck.errors import StateError
from skewcheck.fit.statistics import KINDS, NUMBERS, compute_statistic
from skewcheck.language.operator import Statistic
from tests.both_engines import database


def compute(kind: str, values: Sequence[Any], **parameters: Any) -> Any:
    """A statistic of plain values, or of pairs of a value and its key."""
    columns = {"value": values}
    if values and isinstance(values[0], tuple):
        columns = {"value": [value for value, _ in values], "key": [key for _, key in values]}
    with database().cursor() as connection:
        connection.register("given", pa.table(columns))
        return compute_statistic(
            connection, "SELECT * FROM given", Statistic(kind, kind, parameters=tuple(parameters.items()))
        )


def exact_mean(values: Sequence[float]) -> Fraction:
    return sum(map(Fraction, values), Fraction(0)) / len(values)


def exact_variance(values: Sequence[float]) -> Fraction:
    mean = exact_mean(values)
    return sum(((Fraction(value) - mean) ** 2 for value in values), Fraction(0)) / len(values)


def is_nearest_root(found: float, square: Fraction) -> bool:
    """Whether no other float lies nearer to the root of a fraction."""
    middle = Fraction(found)
    below, above = Fraction(math.nextafter(found, 0.0)), middle + Fraction(math.ulp(found))
    return ((below + middle) / 2) ** 2 <= square <= ((middle + above) / 2) ** 2


floats = st.floats(allow_nan=False, allow_infinity=False)
columns = st.lists(floats, min_size=1, max_size=30) | st.lists(
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.0, 1e300, -1e300, 1e16, 1e16 + 2, 0.1]),
    min_size=1,
    max_size=30,
)

CANCELLING = [1e300, 1.0, -1e300]
CLOSE = [1e16, 1e16 + 2]
POWERS = [sign * 2.0**power for power in range(-1074, 1024, 7) for sign in (1.0, -1.0)] + [0.5]


@given(columns)
@example(CANCELLING)
@example(CLOSE)
@example(POWERS)
@example([math.nextafter(2.0**power, 0) for power in range(-1022, 1024, 31)])
@example([1.7976931348623157e308] * 5)
@example([5e-324, 0.0, 0.0])
def test_the_mean_is_correctly_rounded(values: list[float]) -> None:
    assert compute("mean", values) == float(exact_mean(values))


@given(columns)
@example(CANCELLING)
@example(CLOSE)
@example(POWERS)
@example([1.7976931348623157e308, -1.7976931348623157e308])
@example([5e-324, 0.0, 0.0])
@example([0.1] * 10)
def test_the_standard_deviation_is_correctly_rounded(values: list[float]) -> None:
    found = compute("standard_deviation", values)
    variance = exact_variance(values)
    rounds_to_zero = variance <= Fraction(2) ** -2150
    assert found == 1.0 if rounds_to_zero else is_nearest_root(found, variance)


def test_a_large_column_does_not_overflow_the_sums() -> None:
    values = np.full(300_000, 1.7976931348623157e308)
    values[::2] *= -1
    assert compute("mean", values.tolist()) == 0.0
    assert compute("standard_deviation", values.tolist()) == 1.7976931348623157e308


@given(columns)
def test_minimum_and_range(values: list[float]) -> None:
    assert repr(compute("minimum", values)) == repr(min(values) + 0.0)
    width = max(values) - min(values)
    if math.isinf(width):
        with pytest.raises(StateError, match="too far apart"):
            compute("range", values)
    else:
        assert compute("range", values) == (width or 1.0)


@given(values=columns, buckets=st.integers(2, 12))
def test_quantile_edges_are_the_exact_type_7_quantiles_rounded_once(values: list[float], buckets: int) -> None:
    ordered = sorted(map(Fraction, values))
    edges = set()
    for place in range(1, buckets):
        position = Fraction(place, buckets) * (len(values) - 1)
        low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
        edges.add(float(low + (high - low) * (position - math.floor(position))))
    assert compute("quantile_edges", values, buckets=buckets) == sorted(edges)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
@example([0.0] * 10 + [708611.0] * 3)
def test_quantiles_are_numpys_linear_ones(values: list[float]) -> None:
    found = compute("quantile_edges", values, buckets=10)
    expected = np.quantile(values, [place / 10 for place in range(1, 10)], method="linear")
    # NumPy rounds the share, the position between two rows and the value there; a position's error is worth a gap.
    rounding = 2 * math.ulp(len(values)) * (max(values) - min(values)) + 2 * math.ulp(max(map(abs, values)))
    for edge in expected:
        assert min(abs(edge - other) for other in found) <= rounding
    assert compute("median", values) == pytest.approx(float(np.median(values)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "median"),
    [([3.0], 3.0), ([1.0, 2.0], 1.5), ([5.0, 1.0, 3.0], 3.0), ([1e308, 1.7e308], 1.35e308), ([-1.7e308, 1.7e308], 0.0)],
)
def test_the_median_of_an_even_number_is_between_the_two_in_the_middle(values: list[float], median: float) -> None:
    assert compute("median", values) == median


@pytest.mark.parametrize(
    ("values", "size", "minimum_count", "expected"),
    [
        (["b", "a", "b"], 10, 1, ["b", "a"]),
        (["b", "a", "c"], 10, 1, ["a", "b", "c"]),
        (["b", "a", "c"], 2, 1, ["a", "b"]),
        (["b", "a", "b"], 10, 2, ["b"]),
        (["Z", "a", "é", "😀", "\uffff", ""], 10, 1, ["", "Z", "a", "é", "\uffff", "😀"]),
        (["a\x00", "a", "a\x00b"], 10, 1, ["a", "a\x00", "a\x00b"]),
        (["A", "a"], 10, 1, ["A", "a"]),
    ],
)
def test_a_vocabulary_falls_by_count_and_then_follows_the_code_points(
    values: list[str], size: int, minimum_count: int, expected: list[str]
) -> None:
    assert compute("vocabulary", values, size=size, minimum_count=minimum_count) == expected


def test_a_vocabulary_that_nothing_is_frequent_enough_for_is_an_error() -> None:
    with pytest.raises(StateError, match="vocabulary is empty"):
        compute("vocabulary", ["a", "b"], size=10, minimum_count=2)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_without_values_there_is_no_statistic(kind: str) -> None:
    with pytest.raises(StateError, match="no value"):
        compute(kind, [], buckets=3, size=1, minimum_count=1)


@given(columns)
def test_the_quartile_range_is_exact_and_never_zero(values: list[float]) -> None:
    ordered = sorted(map(Fraction, values))
    quartiles = []
    for place in (1, 3):
        position = Fraction(place, 4) * (len(values) - 1)
        low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
        quartiles.append(low + (high - low) * (position - math.floor(position)))
    try:
        width = float(quartiles[1] - quartiles[0])
    except OverflowError:
        with pytest.raises(StateError, match="too far apart"):
            compute("quartile_range", values)
    else:
        assert compute("quartile_range", values) == (width or 1.0)


keys = st.sampled_from(["a", "b", "", "é", None]) | st.none()


@settings(max_examples=40)
@given(
    pairs=st.lists(st.tuples(st.floats(-1e6, 1e6), keys), min_size=1, max_size=20),
    kind=st.sampled_from(sorted(NUMBERS)),
)
def test_a_number_by_key_is_the_number_of_the_rows_with_that_key(pairs: list[Any], kind: str) -> None:
    groups: dict[str, list[float]] = {}
    for value, key in pairs:
        if key is not None:
            groups.setdefault(key, []).append(value)
    if not groups:
        with pytest.raises(StateError, match="no row with both a value and a key"):
            compute("by_key", pairs, statistic=kind, share=0.9)
    else:
        expected = [[key, compute(kind, groups[key], share=0.9)] for key in sorted(groups)]
        assert compute("by_key", pairs, statistic=kind, share=0.9) == expected


def test_a_key_whose_values_are_too_far_apart_is_an_error() -> None:
    with pytest.raises(StateError, match="too far apart"):
        compute("by_key", [(-1.7e308, "a"), (1.7e308, "a"), (1.0, "b")], statistic="range")
