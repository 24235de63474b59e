"""The population stability index: how far apart two distributions are (ground floor of the house)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Counts = Mapping[Any, float]
"""How often each value occurs, or its share."""

FLOOR = 1e-4
"""The least share that a bin has, so that an empty one gives no infinity."""


def stability_index(a: Counts, b: Counts, *, floor: float = FLOOR) -> float:
    """The population stability index: the sum of (q - p) ln(q / p) over all bins.

    Args:
        a: The reference.
        b: The current counts.
        floor: The least share of a bin, on both sides; the shares are not made to sum to 1 again.

    Raises:
        ValueError: A side is empty.
    """
    p, q = find_shares(a), find_shares(b)
    if not p or not q:
        raise ValueError("a stability index needs values on both sides")
    shares = [(max(p.get(value, 0.0), floor), max(q.get(value, 0.0), floor)) for value in dict.fromkeys([*p, *q])]
    return math.fsum((new - old) * math.log(new / old) for old, new in shares)


def find_shares(counts: Counts) -> dict[Any, float]:
    """The share of each value; empty where there is nothing to share."""
    total = math.fsum(counts.values())
    return {value: count / total for value, count in counts.items()} if total > 0 else {}
