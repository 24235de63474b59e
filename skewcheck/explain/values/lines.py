"""Straight lines through most of some points: found exactly, whatever the other points do (room: explain, values)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skewcheck.explain.values.series import NEAR, Bools, Floats, agree_numbers

TRIALS = 300
FEWEST = 4
"""Points on a line that two points do not decide already."""

DISTINCT = 4
"""Different points that a line with two constants must go through, and one more than a line with one must, where there
are as many: a line goes through any two."""


@dataclass(frozen=True, eq=False)
class Line:
    """y = slope · x + offset.

    Attributes:
        slope: The factor.
        offset: What is added.
        on: The points on it.
    """

    slope: float
    offset: float
    on: Bools

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self.slope == 1.0 and self.offset == 0.0


def find_line(x: Floats, y: Floats, *, near: float = NEAR) -> Line | None:
    """The line on which most points lie; None where no more points than chance would have lie on one.

    A point that has a NaN is on no line. The simplest line wins that has about as many points: y = x · c before
    y = x + c before any other, and short constants before long ones.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < FEWEST:
        return None
    x, y = np.where(known, x, np.nan), np.where(known, y, np.nan)
    scale = float(np.median(np.abs(y[known])))
    different = len(np.unique(x[known]))
    best: tuple[float, Line] | None = None
    for slope, offset in _propose(x[known], y[known], near, scale):
        for line in _shorten(slope, offset):
            on = _is_on(x, y, *line, near, scale)
            points = int(on.sum())
            wanted = DISTINCT if line[1] and line[0] != 1.0 else DISTINCT - 1
            if points < FEWEST or len(np.unique(x[on])) < max(2, min(wanted, different)):
                continue
            # A constant is a simpler thing to say than two, so it may have slightly fewer points.
            score = points - (0.5 if line[1] else 0.0) - (0.5 if line[0] != 1.0 else 0.0)
            if best is None or score > best[0]:
                best = (score, Line(line[0], line[1], on))
    return best[1] if best is not None else None


def fit_band(x: Floats, y: Floats, width: float) -> Line | None:
    """The line from which no point is farther than half a width, as where `y` was rounded; None where there is none."""
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3 * FEWEST or len(np.unique(x[known])) < 3:
        return None
    from scipy.optimize import linprog  # a third of a second to load, and seldom needed

    with np.errstate(over="ignore", invalid="ignore"):
        center, spread = float(x[known].mean()), float(x[known].std()) or 1.0
        z = (x[known] - center) / spread
    if not (np.isfinite(spread) and np.isfinite(z).all()):
        return None
    ones = np.ones_like(z)
    above, below = np.column_stack([z, ones, -ones]), np.column_stack([-z, -ones, -ones])
    found = linprog(
        [0.0, 0.0, 1.0],
        A_ub=np.vstack([above, below]),
        b_ub=np.concatenate([y[known], -y[known]]),
        bounds=[(None, None), (None, None), (0, None)],
    )
    if not found.success or found.x[2] > 0.5 * width * (1 + 1e-6) or found.x[0] == 0:
        return None
    slope = float(found.x[0] / spread)
    return Line(slope, float(found.x[1] - slope * center), known)


def round_shortest(value: float, *, near: float = NEAR) -> float:
    """The number with the fewest digits that is as good as this one; a reciprocal of a short number counts as short."""
    if value == 0 or not np.isfinite(value):
        return value
    for digits in range(1, 13):
        # Two digits more must be right than it has: any number is near to some number of nine digits.
        bound = min(near, 10.0 ** -(digits + 2)) * abs(value)
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= bound:
            return short
        inverse = float(f"{1 / value:.{digits}g}")
        if inverse and abs(1 / inverse - value) <= bound and digits < 7:
            return 1 / inverse
    return value


def _propose(x: Floats, y: Floats, near: float, scale: float) -> list[tuple[float, float]]:
    """A few lines worth looking at: the best ratio, the best difference, and the best of lines through two points."""
    proposals: list[tuple[float, float]] = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio, difference = _most_common(y / x, near), _most_common(y - x, near)
    if ratio is not None:
        proposals.append((ratio, 0.0))
    if difference is not None:
        proposals.append((1.0, difference))
    generator = np.random.default_rng(0)
    first, second = generator.integers(len(x), size=(2, TRIALS))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slopes = (y[second] - y[first]) / (x[second] - x[first])
        offsets = y[first] - slopes * x[first]
    usable = np.isfinite(slopes) & np.isfinite(offsets) & (slopes != 0)
    # Of two points that are close the line is rough, so a rough bound finds it and least squares make it exact.
    rough = max(near, 1e-7)
    counts = [
        int(_is_on(x, y, slope, offset, rough, scale).sum()) if fine else 0
        for slope, offset, fine in zip(slopes, offsets, usable, strict=True)
    ]
    best = [place for place in np.argsort(counts)[::-1][:3] if counts[place] >= FEWEST]
    return proposals + [_refine(x, y, slopes[place], offsets[place], near, scale) for place in best]


def _refine(x: Floats, y: Floats, slope: float, offset: float, near: float, scale: float) -> tuple[float, float]:
    """The least-squares line through the points of a rough line, twice, with a bound that narrows."""
    for bound in (max(near, 1e-7), max(near, 1e-8), near):
        on = _is_on(x, y, slope, offset, bound, scale)
        if len(np.unique(x[on])) < 2:
            break
        center_x, center_y = x[on].mean(), y[on].mean()
        spread = x[on] - center_x
        slope = float((spread * (y[on] - center_y)).sum() / (spread * spread).sum())
        offset = float(center_y - slope * center_x)
    return slope, offset


def _shorten(slope: float, offset: float) -> list[tuple[float, float]]:
    """The line itself, and the same with short constants where they are as good."""
    short = round_shortest(slope)
    candidates = [(short, round_shortest(offset)), (short, offset), (slope, round_shortest(offset)), (slope, offset)]
    return list(dict.fromkeys(candidates))


def _is_on(x: Floats, y: Floats, slope: float, offset: float, near: float, scale: float) -> Bools:
    with np.errstate(invalid="ignore", over="ignore"):
        return agree_numbers(slope * x + offset, y, near=near, scale=scale)


def _most_common(values: Floats, near: float) -> float | None:
    """The value that most are near to; None where no two are."""
    values = np.sort(values[np.isfinite(values)])
    if len(values) < FEWEST:
        return None
    bound = np.maximum(np.abs(values) * near * 4, 1e-300)
    ends = np.searchsorted(values, values + bound, side="right")
    counts = ends - np.arange(len(values))
    place = int(np.argmax(counts))
    if counts[place] < FEWEST:
        return None
    return float(np.median(values[place : ends[place]]))
