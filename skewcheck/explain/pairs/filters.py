"""Aggregates of which one side counts only some rows: those that a column beside them names (room: explain, pairs)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skewcheck.explain.values.aggregates import Aggregate, Ordered, find_aggregate
from skewcheck.explain.values.series import Floats

MOST_VALUES = 12
"""A column of more values than this filters no rows."""

MOST_FILTERS = 60
"""Filters that are tried."""

FEWEST = 0.01
"""Share of the rows that a filter must keep, and leave out."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows count: those in which a column has a value, or all but those; None is a missing value."""

    column: str
    value: str | None
    kept: bool

    def say(self, *, redact: bool = False) -> str:
        """The filter in words."""
        value = "a value" if redact else "missing" if self.value is None else self.value
        return f"{self.column} is {'' if self.kept else 'not '}{value}"


@dataclass(frozen=True, slots=True)
class Filtered:
    """Both sides as aggregates of which one is filtered, and the rows with the filtered source among their sources."""

    right: Aggregate
    wrong: Aggregate
    rows: Ordered
    filters: Mapping[str, Filter]


def find_filtered(
    right: Aggregate | None,
    wrong: Aggregate | None,
    sides: tuple[Floats, Floats],
    rows: Ordered,
    slices: Mapping[str, Sequence[str | None]],
) -> Filtered | None:
    """The side that is no aggregate over all rows, as one over some of them; None where it is not, or both are not.

    Args:
        right: How training's column is computed, if that is known.
        wrong: The same of serving's.
        sides: The columns of training and of serving.
        rows: The rows.
        slices: For each column that may be filtered by, its values as text.
    """
    known = right or wrong
    if known is None or (right is not None and wrong is not None):
        return None
    filters = {f"{known.source} where {one.say()}": one for one in _list_filters(slices)}
    if not filters:
        return None
    sources = {name: _apply(rows.sources[known.source], slices[one.column], one) for name, one in filters.items()}
    found = find_aggregate(sides[0 if right is None else 1], replace(rows, sources=sources), like=known)
    if found is None:
        return None
    both = replace(rows, sources={**rows.sources, found.source: sources[found.source]})
    ours = {found.source: filters[found.source]}
    return Filtered(right or found, wrong or found, both, ours)


def _list_filters(slices: Mapping[str, Sequence[str | None]]) -> list[Filter]:
    """Filters by the values that are not rare: one of them alone, then all but one."""
    found = []
    for column, values in slices.items():
        counts = Counter(values)
        if not 2 <= len(counts) <= MOST_VALUES:
            continue
        common = [(value, count) for value, count in counts.most_common() if count >= FEWEST * len(values)]
        # Of two values, all but the one is the other.
        found += [Filter(column, value, kept=True) for value, _ in common]
        found += [Filter(column, value, kept=False) for value, _ in common if len(counts) > 2]
    return found[:MOST_FILTERS]


def _apply(source: Floats, values: Sequence[str | None], found: Filter) -> Floats:
    chosen = np.fromiter((value == found.value for value in values), dtype=bool, count=len(values))
    return np.where(chosen == found.kept, source, np.nan)
