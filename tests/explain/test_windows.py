"""The window over which values are standardised is solved for from single rows."""

from __future__ import annotations

import numpy as np
import pytest

from skewcheck.explain.values.series import Floats
from skewcheck.explain.values.windows import Window, describe_seconds, find_window

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(6.0, 1.0, 3000)
TIMES = np.cumsum(RANDOM.integers(1, 60, 3000)) * 1e6


def standardize_over(x: Floats, times: Floats, window: Window) -> Floats:
    """Every value standardised over its window; NaN where the window has too few values."""
    total = len(x)
    center = float(np.median(x)) if total else 0.0
    sums = np.concatenate([[0.0], np.cumsum(x - center)])
    squares = np.concatenate([[0.0], np.cumsum((x - center) ** 2)])
    end = np.arange(total) + (1 if window.inclusive else 0)
    if window.rows is not None:
        start = np.maximum(0, end - window.rows)
    elif window.seconds is not None:
        start = np.searchsorted(times, times - window.seconds * 1e6, side="right")
    else:
        start = np.zeros(total, dtype=int)
    count = end - start
    with np.errstate(all="ignore"):
        mean = (sums[end] - sums[start]) / count
        variance = ((squares[end] - squares[start]) / count - mean**2) * count / (count - window.ddof)
        deviation = np.sqrt(np.maximum(variance, 0.0))
        return np.asarray((x - center - mean) / np.where(deviation > 0, deviation, 1.0))


@pytest.mark.parametrize(
    "window",
    [
        Window(50, None, True, 0, 1.0),
        Window(333, None, False, 0, 1.0),
        Window(1000, None, True, 1, 1.0),
        Window(None, 3600.0, True, 0, 1.0),
        Window(None, None, True, 0, 1.0),
    ],
    ids=str,
)
def test_every_kind_of_window_is_found(window: Window) -> None:
    found = find_window(X, standardize_over(X, TIMES, window), TIMES)
    assert found == window


def test_half_of_the_rows_are_enough() -> None:
    y = standardize_over(X, TIMES, Window(200, None, True, 0, 1.0))
    found = find_window(X, np.where(np.arange(len(X)) % 2 == 0, np.nan, y), TIMES)
    assert found is not None
    assert found.rows == 200


def test_frozen_statistics_roll_over_no_window() -> None:
    assert find_window(X, (X - 5.9) / 1.1, TIMES) is None


def test_a_hand_made_window_is_what_numpy_gives() -> None:
    y = standardize_over(X, TIMES, Window(4, None, True, 1, 1.0))
    part = X[96:100]
    assert y[99] == pytest.approx((X[99] - part.mean()) / part.std(ddof=1))


def test_spans_are_said_in_their_largest_unit() -> None:
    assert [describe_seconds(seconds) for seconds in (60, 7200, 86400, 90)] == [
        "minute",
        "2 hours",
        "day",
        "90 seconds",
    ]
