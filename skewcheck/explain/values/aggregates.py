"""Which aggregate over earlier rows a column is, so that two of them can be told apart (room: explain, values)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from skewcheck.explain.values.grids import find_decimals
from skewcheck.explain.values.series import Bools, Floats, agree_numbers

FUNCTIONS = ("sum", "mean", "count", "std")
SIDES = ("right", "left", "both", "neither")
"""Which end of the window belongs to it; "right" is the row itself and not the one that is just too old."""

MOST_ROWS = 400
"""The longest window by number of rows that is looked for."""

SPANS = (3600, 21600, 43200, 86400, 3 * 86400, 7 * 86400, 14 * 86400, 15 * 86400, 28 * 86400, 30 * 86400, 90 * 86400)
"""Windows in seconds that are looked for."""

MODES = ("exact", "round", "half_even", "floor", "ceil", "cut")

FITS = 0.98
"""Share of the rows that must come out."""

HEAD = 300
ASKED = 24
SOLVED = 0.9
"""First rows, and rows here and there, that must come out for an aggregate to be computed over all."""

FEWEST = 12
"""Rows with a value that it takes."""


@dataclass(frozen=True)
class Aggregate:
    """How a column is computed from earlier rows.

    Attributes:
        source: The column that is aggregated.
        function: One of `FUNCTIONS`.
        rows: How many rows the window has; None where time limits it.
        seconds: How many seconds it reaches back; None where rows limit it.
        closed: One of `SIDES`.
        min_periods: Values that must be in the window for there to be a result.
        mode: How the result is rounded, one of `MODES`.
        decimals: To how many decimals.
        by_entity: Whether the rows of one entity are taken alone.
    """

    source: str
    function: str
    rows: int | None
    seconds: int | None
    closed: str
    min_periods: int = 1
    mode: str = "exact"
    decimals: int = 0
    by_entity: bool = False


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows in the order of time.

    Attributes:
        sources: Columns that may be aggregated; NaN is missing.
        times: When, in seconds; ascending, or all NaN where that is not known.
        entities: The number of each row's entity; all 0 where that is not known.
    """

    sources: Mapping[str, Floats]
    times: Floats
    entities: npt.NDArray[np.int64]


def compute(found: Aggregate, rows: Ordered) -> Floats:
    """What the aggregate gives for every row; NaN where it has too few values."""
    order, groups = _arrange(rows, found.by_entity)
    x = rows.sources[found.source][order]
    start, end = _bounds(found, rows.times[order], groups)
    present = np.isfinite(x)
    center = float(np.mean(x[present])) if present.any() and found.function == "std" else 0.0
    values = np.where(present, x - center, 0.0)
    counts, sums = _cumulate(present.astype(float)), _cumulate(values)
    count, total = counts[end] - counts[start], sums[end] - sums[start]
    with np.errstate(all="ignore"):
        if found.function == "count":
            result = count
        elif found.function == "sum":
            result = total
        elif found.function == "mean":
            result = total / count
        else:
            squares = _cumulate(values * values)
            result = np.sqrt(np.maximum((squares[end] - squares[start] - total * total / count) / (count - 1), 0.0))
    result = np.where(count >= max(found.min_periods, 1 if found.function != "count" else 0), result, np.nan)
    placed = np.empty(len(x))
    placed[order] = _round(result, found.mode, found.decimals)
    return placed


def find_aggregate(y: Floats, rows: Ordered, *, like: Aggregate | None = None) -> Aggregate | None:
    """The aggregate that a column is; None where it is none that is looked for.

    Of several that fit, the one with the shortest window is taken.

    Args:
        y: The column.
        rows: The rows.
        like: Look only for the same function, over all rows or over those of one entity as this one.
    """
    known = np.isfinite(y)
    if known.sum() < FEWEST or len(np.unique(y[known])) < 4:
        return None
    decimals = find_decimals(y[known])
    modes = MODES[1:] if decimals is not None else MODES[:1]
    scale = float(np.median(np.abs(y[known])))
    slack = 1.001 * 10.0**-decimals if decimals is not None else 0.0
    for candidate in _propose(y, rows, slack + 1e-9 * max(scale, 1.0), like):
        raw = compute(candidate, rows)
        both = known & np.isfinite(raw)
        if both.sum() < max(FEWEST, FITS * known.sum()):
            continue
        close = np.abs(raw - y)[both] <= slack + 1e-9 * max(scale, 1.0)
        if close.mean() < FITS:
            continue
        # Which way a half goes may hang on the last bits of a sum.
        settled = both & ~_is_half(raw, decimals) if decimals is not None else both
        fits: list[tuple[float, int, Aggregate]] = []
        for mode in modes:
            rounded = replace(candidate, mode=mode, decimals=decimals or 0)
            agree = agree_numbers(compute(rounded, rows), y, scale=scale)
            if settled.any() and agree[settled].mean() >= FITS:
                fits.append((-agree[both].mean(), len(fits), rounded))
        if fits:
            return _find_periods(min(fits)[-1], y, rows)
    return None


def _is_half(values: Floats, decimals: int) -> Bools:
    """Where rounding has to decide between two neighbours that are as near."""
    scaled = values * 10.0**decimals
    return np.asarray(np.abs(scaled - np.floor(scaled) - 0.5) <= 1e-9 * np.maximum(1.0, np.abs(scaled)))


def differences(one: Aggregate, other: Aggregate) -> list[str]:
    """The names of what two aggregates do not have in common, those that say one thing together as one."""
    found = []
    if (one.mode, one.decimals) != (other.mode, other.decimals):
        found.append("rounding")
    if one.closed != other.closed:
        found.append("closed")
    if (one.rows, one.seconds) != (other.rows, other.seconds):
        found.append("length")
    found += [
        name
        for name in ("min_periods", "function", "source", "by_entity")
        if getattr(one, name) != getattr(other, name)
    ]
    return found


def adopt(one: Aggregate, other: Aggregate, difference: str) -> Aggregate:
    """The first aggregate with one difference taken over from the second."""
    names = {"rounding": ("mode", "decimals"), "length": ("rows", "seconds")}.get(difference, (difference,))
    return replace(one, **{name: getattr(other, name) for name in names})


def _propose(y: Floats, rows: Ordered, slack: float, like: Aggregate | None) -> Iterator[Aggregate]:
    """Aggregates that give the first rows, and for windows of rows a few later ones."""
    several = len(np.unique(rows.entities)) > 1
    head = Ordered({name: x[:HEAD] for name, x in rows.sources.items()}, rows.times[:HEAD], rows.entities[:HEAD])
    timed = bool(np.isfinite(rows.times).all())
    for source in rows.sources:
        for by_entity in (like.by_entity,) if like else (True, False) if several else (False,):
            for function in (like.function,) if like else FUNCTIONS:
                for closed in ("right", "left"):
                    start = Aggregate(source, function, 1, None, closed, by_entity=by_entity)
                    for length in _solve_lengths(start, y, rows, slack):
                        yield replace(start, rows=length)
                for closed in SIDES if timed else ():
                    for span in SPANS:
                        candidate = Aggregate(source, function, None, span, closed, by_entity=by_entity)
                        off = np.abs(compute(candidate, head) - y[:HEAD])
                        off = off[np.isfinite(off)]
                        if len(off) and (off <= slack).mean() >= FITS:
                            yield candidate


def _solve_lengths(start: Aggregate, y: Floats, rows: Ordered, slack: float) -> list[int]:
    """The lengths of a window of rows that give what a few rows have, all of them tried for each row."""
    order, groups = _arrange(rows, start.by_entity)
    x, wanted = rows.sources[start.source][order], y[order]
    present = np.isfinite(x)
    center = float(np.mean(x[present])) if present.any() and start.function == "std" else 0.0
    values = np.where(present, x - center, 0.0)
    counts, sums, squares = (_cumulate(column) for column in (present.astype(float), values, values * values))
    known = np.flatnonzero(np.isfinite(wanted))
    asked = known[np.unique(np.linspace(0, len(known) - 1, ASKED).astype(int))]
    lengths = np.arange(1, min(MOST_ROWS, len(x)) + 1)
    end = asked[:, None] + (1 if start.closed == "right" else 0)
    begin = np.maximum(groups[asked][:, None], end - lengths[None, :])
    with np.errstate(all="ignore"):
        count, total = counts[end] - counts[begin], sums[end] - sums[begin]
        square = squares[end] - squares[begin]
        found = {
            "count": count,
            "sum": total,
            "mean": total / count,
            "std": np.sqrt(np.maximum((square - total * total / count) / (count - 1), 0.0)),
        }[start.function]
        fits = (np.abs(found - wanted[asked][:, None]) <= slack).mean(axis=0) >= SOLVED
    return lengths[fits].tolist()


def _arrange(rows: Ordered, by_entity: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The order of computation, and for each place in it where its group begins."""
    total = len(rows.times)
    if not by_entity:
        return np.arange(total), np.zeros(total, dtype=np.int64)
    order = np.argsort(rows.entities, kind="stable")
    entities = rows.entities[order]
    begins = np.r_[True, entities[1:] != entities[:-1]]
    return order, np.maximum.accumulate(np.where(begins, np.arange(total), 0))


def _bounds(
    found: Aggregate, times: Floats, groups: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each place the first row of its window, and the first behind it."""
    place = np.arange(len(times))
    if found.rows is not None:
        end = place + 1 if found.closed == "right" else place
        return np.maximum(groups, np.minimum(end - found.rows, end)), np.maximum(end, groups)
    start, end = np.empty_like(place), np.empty_like(place)
    for begin in np.unique(groups):
        inside = np.flatnonzero(groups == begin)
        own = times[inside]
        lower: Literal["left", "right"] = "left" if found.closed in {"left", "both"} else "right"
        upper: Literal["left", "right"] = "right" if found.closed in {"right", "both"} else "left"
        start[inside] = inside[0] + np.searchsorted(own, own - (found.seconds or 0), side=lower)
        end[inside] = inside[0] + np.searchsorted(own, own, side=upper)
    return start, np.maximum(end, start)


def _cumulate(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _round(values: Floats, mode: str, decimals: int) -> Floats:
    if mode == "exact":
        return values
    power = 10.0**decimals
    # A sum of decimals may lie just below the number that it is.
    scaled = values * power
    near = np.round(scaled)
    scaled = np.where(np.abs(scaled - near) <= 1e-9 * np.maximum(1.0, np.abs(scaled)), near, scaled)
    functions: dict[str, Callable[[Floats], Floats]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "cut": np.trunc,
        "half_even": np.round,
    }
    rounded = functions[mode](scaled) if mode in functions else np.floor(scaled + 0.5)
    return np.asarray(rounded / power)


def _find_periods(found: Aggregate, y: Floats, rows: Ordered) -> Aggregate:
    """The least number of values with which there is a result."""
    counts = compute(replace(found, function="count", min_periods=0, mode="exact"), rows)
    known = np.isfinite(y)
    least = int(counts[known].min()) if known.any() else 1
    above: Bools = counts >= least
    return replace(found, min_periods=max(1, least)) if (above == known).mean() >= FITS else found
