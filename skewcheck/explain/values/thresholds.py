"""A limit that tells values apart: the shortest number between the two sides (room: explain, values)."""

from __future__ import annotations

import numpy as np

from skewcheck.explain.values.series import Floats

CLEAN = 0.98
"""Share of the rows that must lie on their side of a limit."""


def find_threshold(values: Floats, reached: Floats, *, included: bool) -> float | None:
    """The limit that values must have reached; None where the rows do not tell.

    Args:
        values: All values: between two that are neighbours no limit can be told from another.
        reached: 1 where a value has reached the limit, 0 where it has not, NaN where nothing is known.
        included: Whether a value that is the limit has reached it.
    """
    known = np.isfinite(values) & np.isfinite(reached)
    above, below = values[known & (reached == 1)], values[known & (reached == 0)]
    seen = np.unique(values[np.isfinite(values)])
    if len(above) and (not len(below) or np.quantile(above, 1 - CLEAN) > np.quantile(below, CLEAN)):
        # The lowest that has reached it, and the next one below that.
        high = float(above.min())
        lower = seen[seen < high]
        low = float(lower[-1]) if len(lower) else high - abs(high) - 1.0
    elif len(below) and not len(above):
        low = float(below.max())
        higher = seen[seen > low]
        high = float(higher[0]) if len(higher) else low + abs(low) + 1.0
    else:
        return None
    # With the limit included it is in (low, high], otherwise in [low, high).
    return shortest_between(low, high, included=included)


def separate(values: Floats, reached: Floats, *, included: bool) -> float | None:
    """The shortest limit that tells the rows of which something is known apart; None where none does.

    The arguments are those of `find_threshold`. What is known of other rows than those that differ makes the limit
    shorter, since it may lie anywhere between the two sides.
    """
    known = np.isfinite(values) & np.isfinite(reached)
    above, below = values[known & (reached == 1)], values[known & (reached == 0)]
    if not len(above) or not len(below) or above.min() <= below.max():
        return None
    return shortest_between(float(below.max()), float(above.min()), included=included)


def shortest_between(low: float, high: float, *, included: bool) -> float:
    """The number with the fewest digits in an interval that holds one of its ends: the upper one if `included`."""
    for digits in range(1, 17):
        for candidate in (
            float(f"{high:.{digits}g}"),
            float(f"{low:.{digits}g}"),
            float(f"{(low + high) / 2:.{digits}g}"),
        ):
            if (low < candidate <= high) if included else (low <= candidate < high):
                return candidate
    return high if included else low
