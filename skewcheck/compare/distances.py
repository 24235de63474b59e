"""Distances between two distributions, each by a written rule (room: compare).

They are a second opinion: a distribution says nothing about a row, and a column whose every value is wrong by a little
is close to the right one by all of them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from skewcheck.stability import Counts, find_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECILES = 10


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of a number by bucket.

    Attributes:
        buckets: Low and high end and count of each; one without width holds a single value.
        missing: Values that are NaN.
    """

    buckets: Sequence[tuple[float, float, float]]
    missing: float = 0


def largest_difference(a: Counts, b: Counts) -> float:
    """L-infinity: the largest difference of one value's shares; 0 of two empty distributions."""
    p, q = find_shares(a), find_shares(b)
    return max((abs(p.get(value, 0.0) - q.get(value, 0.0)) for value in {*p, *q}), default=0.0)


def normalised_difference(a: Counts, b: Counts) -> float:
    """The largest difference of one value's counts over all counts of both: it sees ten times the rows, too."""
    total = sum(a.values()) + sum(b.values())
    return max((abs(a.get(value, 0.0) - b.get(value, 0.0)) / total for value in {*a, *b}), default=0.0)


def divergence(a: Counts, b: Counts) -> float:
    """Jensen and Shannon's divergence in bits, from 0 (the same) to 1 (nothing in common).

    Raises:
        ValueError: A side is empty.
    """
    from scipy.spatial.distance import jensenshannon

    p, q = find_shares(a), find_shares(b)
    if not p or not q:
        raise ValueError("a divergence needs values on both sides")
    values = list(dict.fromkeys([*p, *q]))
    distance = jensenshannon([p.get(value, 0.0) for value in values], [q.get(value, 0.0) for value in values], base=2)
    return min(float(distance) ** 2, 1.0)


def histogram_divergence(a: Histogram, b: Histogram) -> float:
    """The same of two histograms, over the union of their edges; a bucket's values count as spread evenly.

    A bucket without width meets only another of the same value. NaN and infinite ends meet nothing.

    Raises:
        ValueError: A side is empty.
    """
    edges = sorted({edge for side in (a, b) for low, high, _ in side.buckets for edge in (low, high)})
    finite = [edge for edge in edges if math.isfinite(edge)]
    return divergence(_rebin(a, finite, "a"), _rebin(b, finite, "b"))


def _rebin(histogram: Histogram, edges: Sequence[float], side: str) -> dict[Hashable, float]:
    """The counts of a histogram by narrower buckets; those that meet nothing are named after their side."""
    counts: dict[Hashable, float] = {}
    for place, (low, high, count) in enumerate(histogram.buckets):
        if not (math.isfinite(low) and math.isfinite(high)):
            parts: list[tuple[Hashable, float]] = [((side, place), count)]
        elif low == high:
            parts = [((low, low), count)]
        else:
            inner = [edge for edge in edges if low <= edge <= high]
            parts = [((lower, upper), count * (upper - lower) / (high - low)) for lower, upper in pairwise(inner)]
        for name, part in parts:
            counts[name] = counts.get(name, 0.0) + part
    if histogram.missing:
        counts[side, "nan"] = histogram.missing
    return counts


def count_deciles(reference: NDArray[Any], current: NDArray[Any]) -> tuple[dict[int, float], dict[int, float]]:
    """The counts of two arrays by the reference's deciles, open at both ends, with a bin for what is NaN.

    The deciles are NumPy's linear quantiles; where several are the same value, the bins between them fall away.

    Raises:
        ValueError: The reference has no value.
    """
    import numpy as np

    known = reference[~np.isnan(reference)]
    if not len(known):
        raise ValueError("deciles need a value in the reference")
    edges = np.unique(np.quantile(known, np.linspace(0, 1, DECILES + 1)[1:-1]))
    missing = len(edges) + 1

    def count(values: NDArray[Any]) -> dict[int, float]:
        bins = np.where(np.isnan(values), missing, np.searchsorted(edges, values, side="left"))
        return {place: float(rows) for place, rows in enumerate(np.bincount(bins, minlength=missing + 1)) if rows}

    return count(reference), count(current)


def largest_gap(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Kolmogorov and Smirnov's statistic: the largest gap between the two cumulative shares; NaN is left out.

    Raises:
        ValueError: A side has no value.
    """
    import numpy as np

    one, other = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(one) or not len(other):
        raise ValueError("a gap needs values on both sides")
    values = np.concatenate([one, other])
    # Whole numbers over a common denominator: two equal shares differ by exactly 0.
    below = np.searchsorted(one, values, side="right") * len(other)
    beside = np.searchsorted(other, values, side="right") * len(one)
    return float(np.abs(below - beside).max() / (len(one) * len(other)))
