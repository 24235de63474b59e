"""A table from one column of categories to another (room: explain, values)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

PURE = 0.9
"""Share of a category's rows that must agree on its value."""


def find_table(keys: Sequence[Any], values: Sequence[Any], before: Sequence[Any]) -> dict[Any, Any] | None:
    """For each category the value that it was given instead of the one before.

    Args:
        keys: The category of each row.
        values: The value that it was given, None where nothing is known.
        before: The value that it should have been given.

    Returns:
        The categories that have another value than before; None where categories do not decide the value.
    """
    counts: dict[Any, Counter[Any]] = defaultdict(Counter)
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            counts[key][value] += 1
    if not counts:
        return None
    given = {key: found.most_common(1)[0] for key, found in counts.items()}
    decided = sum(count for _, count in given.values())
    if decided < PURE * sum(sum(found.values()) for found in counts.values()):
        return None
    declared = dict(zip(keys, before, strict=True))
    return {key: value for key, (value, _) in given.items() if value != declared[key]}
