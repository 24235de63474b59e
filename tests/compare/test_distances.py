"""Distances between distributions, against figures worked out elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.compare.distances import (
    count_deciles,
    divergence,
    largest_difference,
    largest_gap,
    normalised_difference,
)
from skewcheck.stability import stability_index

NAN = float("nan")

REFERENCE = np.array([10 * (((i * 7919) % 10007) / 10007) ** 2 for i in range(10000)])
CURRENT = np.array([10 * (((j * 6271) % 10009) / 10009) ** 2 + 0.5 for j in range(5000)])

counts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 100), min_size=1)


def shares(text: str) -> dict[str, float]:
    return {f"bin {place}": float(share) for place, share in enumerate(text.split())}


def test_the_stability_index_of_bins_that_both_have_needs_no_floor() -> None:
    even = shares(" ".join(["0.1"] * 10))
    other = shares("0.05 0.05 0.1 0.1 0.1 0.1 0.1 0.1 0.15 0.15")
    assert stability_index(even, other) == pytest.approx(0.109861228867)


@pytest.mark.parametrize(
    ("floor", "expected"),
    [(1e-2, 0.229547013501), (1e-3, 0.478226203544), (1e-4, 0.712399107502), (1e-6, 1.173595388703)],
)
def test_an_empty_bin_counts_as_its_floor(floor: float, expected: float) -> None:
    assert stability_index(shares("0.5 0.5 0"), shares("0.4 0.5 0.1"), floor=floor) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("floor", "expected"), [(1e-2, 1.151353823725), (1e-4, 3.051816363099), (1e-6, 4.895380205841)]
)
def test_a_category_that_one_side_lacks_counts_as_its_floor(floor: float, expected: float) -> None:
    a, b = {"a": 500, "b": 300, "c": 200}, {"a": 450, "b": 350, "d": 200}
    assert stability_index(a, b, floor=floor) == pytest.approx(expected)


def test_numbers_are_binned_by_the_deciles_of_the_reference() -> None:
    assert stability_index(*count_deciles(REFERENCE, CURRENT)) == pytest.approx(1.4697394825)
    assert stability_index(*count_deciles(REFERENCE, REFERENCE)) == 0


def test_one_outlier_changes_little() -> None:
    current = CURRENT.copy()
    current[0] = 1e6
    assert stability_index(*count_deciles(REFERENCE, current)) == pytest.approx(1.4695940599)


def test_missing_values_have_a_bin_of_their_own() -> None:
    reference = np.arange(100_000) % 1000 + 0.0
    current = np.where(np.arange(100_000) // 1000 % 20 == 0, NAN, reference)
    assert stability_index(*count_deciles(reference, current)) == pytest.approx(0.312673608831)


def test_a_number_of_one_value_has_one_bin() -> None:
    a, b = count_deciles(np.zeros(10), np.ones(10))
    assert (a, b) == ({0: 10.0}, {1: 10.0})
    with pytest.raises(ValueError, match="reference"):
        count_deciles(np.array([NAN]), np.ones(1))


def test_the_largest_gap_is_that_of_the_cumulative_shares() -> None:
    assert largest_gap(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6, NAN])) == 0.5
    assert largest_gap(REFERENCE, REFERENCE) == 0
    thousand = np.arange(1000.0)
    assert largest_gap(np.tile(thousand, 20), np.tile(thousand, 19)) == 0
    with pytest.raises(ValueError, match="both sides"):
        largest_gap(np.array([NAN]), np.ones(1))


@given(counts, counts)
def test_distances_are_symmetric_and_within_their_bounds(a: dict[str, int], b: dict[str, int]) -> None:
    for measure in (largest_difference, normalised_difference, divergence):
        assert 0 <= measure(a, b) <= 1
        assert measure(a, b) == pytest.approx(measure(b, a))
        assert measure(a, a) == pytest.approx(0, abs=1e-12)
    assert stability_index(a, b) >= 0
    assert stability_index(a, b) == pytest.approx(stability_index(b, a))


@given(counts, counts)
def test_the_divergence_is_that_of_its_definition(a: dict[str, int], b: dict[str, int]) -> None:
    p, q = ({name: rows / sum(side.values()) for name, rows in side.items()} for side in (a, b))
    middle = {name: (p.get(name, 0) + q.get(name, 0)) / 2 for name in {*p, *q}}
    bits = sum(side[name] * math.log2(side[name] / middle[name]) for side in (p, q) for name in side) / 2
    assert divergence(a, b) == pytest.approx(bits, abs=1e-9)
