"""The smallest condition on columns that tells two sets of rows apart (room: explain, values)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skewcheck.explain.values.bits import bits_of_subset
from skewcheck.explain.values.series import Bools, Floats, Series

EXACT = 0.99
"""Share of the rows that a condition must tell right on either side."""

MOST_VALUES = 200
"""A column with more values than this is asked for bounds and for what is missing only."""

SECONDARY = 8.0
"""Bits that naming a secondary column costs beside."""

FEWEST = 3
"""Rows that a condition must hold for."""

MARGIN = 8.0
"""Bits that a condition must save."""

MISSING = "missing"


@dataclass(frozen=True)
class Condition:
    """A condition on one column.

    Attributes:
        column: The column.
        values: It has one of these; None where bounds or a missing value are meant.
        low: It is at least this; None for no bound.
        high: It is below this; None for no bound.
        missing: Whether it is missing; None where that is not asked.
        bits: How much it takes to say.
    """

    column: str
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    missing: bool | None = None
    bits: float = 0.0

    def holds(self, series: Series) -> Bools:
        """The rows in which it holds."""
        if self.missing is not None:
            return series.missing == self.missing
        if self.values is not None:
            wanted = set(self.values)
            return np.array([key in wanted for key in series.listed()], dtype=bool)
        numbers = series.numbers()
        with np.errstate(invalid="ignore"):
            inside = np.isfinite(numbers)
            inside &= numbers >= self.low if self.low is not None else True
            inside &= numbers < self.high if self.high is not None else True
        return inside

    def to_data(self) -> Any:
        """The condition as a report shows it."""
        if self.missing is not None:
            return {"is": MISSING} if self.missing else {"is not": MISSING}
        if self.values is not None:
            return self.values[0] if len(self.values) == 1 else list(self.values)
        bounds = (("at least", self.low), ("below", self.high))
        return {how: bound for how, bound in bounds if bound is not None}


@dataclass(frozen=True)
class Slice:
    """Conditions that hold together.

    Attributes:
        conditions: The conditions, at most two.
        precision: Share of the chosen rows among those in which they hold.
        recall: Share of the chosen rows in which they hold.
    """

    conditions: tuple[Condition, ...]
    precision: float
    recall: float

    @property
    def bits(self) -> float:
        """How much it takes to say."""
        return sum(condition.bits for condition in self.conditions)

    def reads(self, columns: Collection[str]) -> bool:
        """Whether a condition is about one of some columns."""
        return any(condition.column in columns for condition in self.conditions)

    def is_about(self, inputs: Collection[str]) -> bool:
        """Whether every condition is about one of some inputs, whatever the log puts before its name."""
        return all(condition.column.rpartition(".")[2] in inputs for condition in self.conditions)

    def holds(self, columns: Mapping[str, Series]) -> Bools:
        """The rows in which all conditions hold."""
        return np.logical_and.reduce([one.holds(columns[one.column]) for one in self.conditions])


def find_slice(
    columns: Mapping[str, Series],
    chosen: Bools,
    others: Bools,
    weights: Floats,
    unbounded: Collection[str] = (),
    secondary: Collection[str] = (),
) -> Slice | None:
    """The simplest conditions that hold for the chosen rows and not for the others; None where none tell them apart.

    Args:
        columns: What conditions can be about.
        chosen: Rows for which they must hold.
        others: Rows for which they must not.
        weights: How many rows each stands for.
        unbounded: Columns for which no bounds are proposed.
        secondary: Columns that are named where no other says it nearly as simply.
    """
    if chosen.sum() < FEWEST or others.sum() < 1:
        return None
    found: list[Slice] = []
    nearly: list[tuple[float, Condition]] = []
    for name, series in columns.items():
        for condition in _propose(name, series, chosen, others, weights, len(columns)):
            if name in unbounded and condition.values is None and condition.missing is None:
                continue
            precision, recall = _measure(condition.holds(series), chosen, others, weights)
            if precision >= EXACT and recall >= EXACT:
                found.append(Slice((condition,), precision, recall))
            elif recall >= EXACT:
                nearly.append((precision, condition))
    if not found:
        nearly.sort(key=lambda pair: (-pair[0], pair[1].bits))
        for _, first in nearly[:4]:
            found += _narrow(columns, first, chosen, others, weights, unbounded)
    best = min(found, key=lambda one: one.bits + SECONDARY * one.reads(secondary), default=None)
    # Naming the rows one by one must take clearly more: few rows can be told apart by many conditions.
    one_by_one = bits_of_subset(float(chosen.sum()), float((chosen | others).sum()))
    return best if best is not None and best.bits + MARGIN < one_by_one else None


def _narrow(
    columns: Mapping[str, Series],
    first: Condition,
    chosen: Bools,
    others: Bools,
    weights: Floats,
    unbounded: Collection[str],
) -> Iterator[Slice]:
    """A second condition, beside one that holds for all chosen rows and for too many others."""
    inside = first.holds(columns[first.column])
    for name, series in columns.items():
        if name == first.column:
            continue
        for condition in _propose(name, series, chosen & inside, others & inside, weights, len(columns)):
            if name in unbounded and condition.values is None and condition.missing is None:
                continue
            precision, recall = _measure(condition.holds(series) & inside, chosen, others, weights)
            if precision >= EXACT and recall >= EXACT:
                yield Slice((first, condition), precision, recall)


def _propose(
    name: str, series: Series, chosen: Bools, others: Bools, weights: Floats, among: int
) -> Iterator[Condition]:
    """The best condition of every form on one column."""
    if not chosen.any() or not others.any():
        return
    start = math.log2(max(2, among))
    for missing in (True, False):
        if series.missing.any() and not series.missing.all():
            yield Condition(name, missing=missing, bits=start + 1.0)
    if series.kind in {"String", "Bool", "Int64"}:
        keys = series.listed()
        if len(set(keys)) <= MOST_VALUES:
            condition = _propose_values(name, keys, chosen, others, weights, start)
            if condition is not None:
                yield condition
    if series.kind in {"Float64", "Int64", "Timestamp"}:
        yield from _propose_bounds(name, series.numbers(), chosen, others, start)


def _propose_values(
    name: str, keys: list[Any], chosen: Bools, others: Bools, weights: Floats, start: float
) -> Condition | None:
    inside: Counter[Any] = Counter()
    outside: Counter[Any] = Counter()
    for key, is_chosen, is_other, weight in zip(keys, chosen.tolist(), others.tolist(), weights.tolist(), strict=True):
        inside[key] += weight * is_chosen
        outside[key] += weight * is_other
    values = [key for key in inside if key is not None and inside[key] > outside[key]]
    distinct = len([key for key in inside if key is not None])
    if not values or len(values) == distinct:
        return None
    said = min(len(values), distinct - len(values))
    bits = start + said * math.log2(max(2, distinct)) + (1.0 if said < len(values) else 0.0)
    return Condition(name, values=tuple(sorted(values, key=str)), bits=bits)


def _propose_bounds(name: str, numbers: Floats, chosen: Bools, others: Bools, start: float) -> Iterator[Condition]:
    """The lowest and the highest value of the chosen rows, where few of the others are beyond."""
    inside = numbers[chosen & np.isfinite(numbers)]
    if len(inside) < FEWEST:
        return
    outside = numbers[others & np.isfinite(numbers)]
    low, high = _edge(inside, outside, upper=False), _edge(inside, outside, upper=True)
    cost = start + math.log2(max(2, len(inside) + len(outside)))
    if low is not None:
        yield Condition(name, low=low, bits=cost)
    if high is not None:
        yield Condition(name, high=high, bits=cost)
    if low is not None and high is not None:
        yield Condition(name, low=low, high=high, bits=2 * cost - start)


def _edge(inside: Floats, outside: Floats, *, upper: bool) -> float | None:
    """A bound that has nearly all inner values on one side and an outer value on the other."""
    share = 1 - (1 - EXACT) / 2
    if upper:
        last = float(np.quantile(inside, share, method="higher"))
        beyond = outside[outside > last]
        return float(beyond.min()) if len(beyond) else None
    first = float(np.quantile(inside, 1 - share, method="lower"))
    return first if (outside < first).any() else None


def _measure(holds: Bools, chosen: Bools, others: Bools, weights: Floats) -> tuple[float, float]:
    hit = float(weights[holds & chosen].sum())
    false = float(weights[holds & others].sum())
    total = float(weights[chosen].sum())
    return (hit / (hit + false) if hit else 0.0), (hit / total if total else 0.0)
