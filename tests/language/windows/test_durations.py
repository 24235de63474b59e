"""How a window's length is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language.windows.durations import LONGEST, SECOND, UNITS, parse_duration, parse_window, print_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("30s", 30), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * SECOND
    assert parse_window(text) == seconds * SECOND


def test_a_window_may_be_unbounded() -> None:
    assert parse_window("unbounded") is None
    assert print_duration(None) == "unbounded"


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "1.5h", " 1h", "1H", "1y", "36501d", "٣d", None, 7, True])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_window(text)


@given(st.integers(1, 10**6), st.sampled_from(sorted(UNITS)))
def test_a_printed_duration_reads_as_itself(number: int, unit: str) -> None:
    if number * UNITS[unit] <= LONGEST:
        length = parse_duration(f"{number}{unit}")
        assert parse_duration(print_duration(length)) == length
