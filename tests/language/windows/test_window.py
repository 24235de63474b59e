"""Which events a window counts, at its edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language.windows.window import CLOSED, Closed, Window

HOUR = 3_600_000_000
T = 1_709_251_200_000_000


@pytest.mark.parametrize(
    ("closed", "old_edge", "new_edge"),
    [("right", False, True), ("left", True, False), ("both", True, True), ("neither", False, False)],
)
def test_closed_says_which_edges_belong_to_the_window(closed: Closed, old_edge: bool, new_edge: bool) -> None:
    window = Window(HOUR, closed)
    counted = {step: window.counts(T - HOUR + step, T - HOUR + step, T) for step in (-1, 0, 1)}
    assert counted == {-1: False, 0: old_edge, 1: True}
    counted = {step: window.counts(T + step, T + step, T) for step in (-1, 0, 1)}
    assert counted == {-1: True, 0: new_edge, 1: False}


@pytest.mark.parametrize("closed", CLOSED)
def test_an_unbounded_window_has_no_old_edge(closed: Closed) -> None:
    assert Window(None, closed).counts(-T, -T, T)
    assert Window(None, closed).counts(T, T, T) == (closed in ("right", "both"))


def test_a_late_event_counts_once_it_is_known() -> None:
    window = Window(HOUR)
    assert not window.counts(T, T + 60, T + 59)
    assert window.counts(T, T + 60, T + 60)
    assert not any(window.counts(T, T + HOUR, at) for at in (T, T + HOUR - 1, T + HOUR, T + HOUR + 1))


def test_an_event_that_is_known_before_it_happens_counts_once_it_happens() -> None:
    assert not Window(HOUR).counts(T, T - 60, T - 1)
    assert Window(HOUR).counts(T, T - 60, T)


@given(
    st.sampled_from(CLOSED),
    st.none() | st.integers(1, 5),
    st.integers(-8, 8),
    st.integers(-8, 8),
    st.integers(-8, 8),
)
def test_an_event_counts_from_one_instant_to_another(
    closed: Closed, length: int | None, event: int, created: int, at: int
) -> None:
    window = Window(length, closed)
    begin = max(event + window.delay, created)
    reaches = window.reach is None or at - event < window.reach
    assert window.counts(event, created, at) == (begin <= at and reaches)
