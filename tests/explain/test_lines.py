"""A straight line through most points is found exactly, whatever the others do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.explain.values.lines import find_line, fit_band, round_shortest

X = np.round(np.random.default_rng(3).gamma(2.0, 40.0, 400), 1)


@given(
    st.floats(-1e4, 1e4).filter(lambda number: abs(number) > 1e-4),
    st.floats(-1e4, 1e4),
    st.sampled_from([0.0, 0.2, 0.6]),
)
def test_slope_and_offset_come_back_to_nine_digits(slope: float, offset: float, wrong: float) -> None:
    y = slope * X + offset
    spoiled = np.random.default_rng(1).random(len(X)) < wrong
    line = find_line(X, np.where(spoiled, y + 1e3 + np.arange(len(X)) ** 2.1, y))
    assert line is not None
    assert line.on[~spoiled].mean() > 0.99
    assert line.slope * X.max() + line.offset == pytest.approx(
        slope * X.max() + offset, rel=1e-8, abs=1e-8 * abs(slope)
    )


def test_a_ratio_is_said_without_an_offset() -> None:
    line = find_line(X, X * 1.609344)
    assert line is not None
    assert (line.slope, line.offset) == (1.609344, 0.0)


def test_a_difference_is_said_without_a_factor() -> None:
    line = find_line(X, X - 273.15)
    assert line is not None
    assert (line.slope, line.offset) == (1.0, -273.15)


def test_points_on_no_line_have_none() -> None:
    assert find_line(X, np.random.default_rng(2).random(len(X))) is None


def test_missing_points_are_on_no_line() -> None:
    y = np.where(np.arange(len(X)) % 3 == 0, np.nan, X * 2)
    line = find_line(X, y)
    assert line is not None
    assert line.on.sum() == np.isfinite(y).sum()


def test_a_line_behind_rounded_values_is_found_within_their_grid() -> None:
    y = np.round(X * 0.37 + 1.5, 1)
    line = fit_band(X, y, 0.1)
    assert line is not None
    assert np.abs(line.slope * X + line.offset - y).max() <= 0.05 * (1 + 1e-6)
    assert fit_band(X, np.round(X * 0.37 + 1.5, 1) + np.sin(X), 0.1) is None


@pytest.mark.parametrize(
    ("long", "short"), [(0.30000000000000004, 0.3), (1 / 60 + 1e-18, 1 / 60), (86400.00000000001, 86400.0), (0.0, 0.0)]
)
def test_a_short_number_stands_for_one_that_is_as_good(long: float, short: float) -> None:
    assert round_shortest(long) == short


@given(st.floats(1e-3, 1e3))
def test_a_long_number_keeps_its_digits(number: float) -> None:
    assert round_shortest(number) == pytest.approx(number, rel=1e-9)
