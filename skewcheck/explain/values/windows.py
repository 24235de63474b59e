"""Statistics of the last so many values: solved for from single rows (room: explain, values)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skewcheck.explain.values.series import Floats

ROWS = 48
"""Rows that are asked, each for all windows."""

EXACT = 1e-8
"""Relative residual of a window that is the right one."""

AGREED = 0.6
"""Share of the rows asked that must be of one window."""

NEAT_SECONDS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000)


@dataclass(frozen=True)
class Window:
    """What serving standardises over.

    Attributes:
        rows: The last so many values; None where time or nothing limits it.
        seconds: The values of the last so many seconds; None where their number or nothing limits it.
        inclusive: Whether the value itself is among them.
        ddof: 0 for the population's standard deviation, 1 for a sample's.
        share: Share of the rows asked that agree.
    """

    rows: int | None
    seconds: float | None
    inclusive: bool
    ddof: int
    share: float

    def describe(self) -> str:
        """The window in words."""
        if self.rows is not None:
            span = f"the last {self.rows:,} requests"
        elif self.seconds is not None:
            span = f"the last {describe_seconds(self.seconds)}"
        else:
            span = "all requests since the service began"
        return span if self.inclusive else f"{span} before it"


def describe_seconds(seconds: float) -> str:
    """A span of time in its largest whole unit."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {name}s" if count > 1 else f"{name}"
    return f"{seconds:g} seconds"


def find_window(x: Floats, y: Floats, times: Floats) -> Window | None:
    """The window over which `x` was standardised to give `y`; None where there is none.

    Every row has one unknown, how far back its window reaches. For each of some rows every length is tried, and then
    the rule is sought that the lengths obey.

    Args:
        x: Values in the order in which they were served, none of them missing.
        y: What they became; NaN where that is not known.
        times: When, in microseconds, ascending; NaN where that is not known.
    """
    total = len(x)
    if total < 20:
        return None
    center = float(np.median(x))
    sums = np.concatenate([[0.0], np.cumsum(x - center)])
    squares = np.concatenate([[0.0], np.cumsum((x - center) ** 2)])
    known = np.flatnonzero(np.isfinite(y) & (np.arange(total) >= 8))
    if len(known) < 8:
        return None
    asked = known[np.unique(np.linspace(len(known) // 3, len(known) - 1, ROWS).astype(int))]
    best: Window | None = None
    for inclusive in (True, False):
        for ddof in (0, 1):
            lengths = [_solve_length(x, y, sums, squares, center, int(row), inclusive, ddof) for row in asked]
            window = _find_rule(asked, lengths, times, inclusive=inclusive, ddof=ddof)
            if window is not None and (best is None or window.share > best.share):
                best = window
    return best


def _solve_length(
    x: Floats, y: Floats, sums: Floats, squares: Floats, center: float, row: int, inclusive: bool, ddof: int
) -> tuple[int, float] | None:
    """How many values a row's window has, and the relative residual."""
    end = row + 1 if inclusive else row
    start = np.arange(0, max(1, end - 1))
    count = end - start
    with np.errstate(all="ignore"):
        mean = (sums[end] - sums[start]) / count
        variance = ((squares[end] - squares[start]) / count - mean**2) * count / (count - ddof)
        found = (x[row] - center - mean) / np.sqrt(variance)
        off = np.abs(found - y[row]) / max(1e-3, abs(y[row]))
    off = np.where(np.isfinite(off), off, np.inf)
    place = int(np.argmin(off))
    return (int(count[place]), float(off[place])) if math.isfinite(off[place]) else None


def _find_rule(
    asked: np.ndarray, lengths: list[tuple[int, float] | None], times: Floats, *, inclusive: bool, ddof: int
) -> Window | None:
    rows = [(int(row), found[0]) for row, found in zip(asked, lengths, strict=True) if found and found[1] <= EXACT]
    if len(rows) < AGREED * len(asked):
        return None
    counts = np.array([length for _, length in rows])
    values, often = np.unique(counts, return_counts=True)
    share = float(often.max() / len(asked))
    if share >= AGREED:
        return Window(int(values[np.argmax(often)]), None, inclusive, ddof, share)
    whole = np.array([length == row + (1 if inclusive else 0) for row, length in rows])
    if whole.sum() >= AGREED * len(asked):
        return Window(None, None, inclusive, ddof, float(whole.sum() / len(asked)))
    for seconds in NEAT_SECONDS:
        within = 0
        for row, length in rows:
            first = row - length + (1 if inclusive else 0)
            earlier = times[first - 1] if first > 0 else -np.inf
            within += bool(times[row] - times[first] <= seconds * 1e6 <= times[row] - earlier)
        if within >= AGREED * len(asked):
            return Window(None, float(seconds), inclusive, ddof, within / len(asked))
    return None
