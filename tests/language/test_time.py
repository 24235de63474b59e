"""Parts of instants: the wall clock of a zone on both sides of every change, and the ends of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skewcheck.language.clock import read_zone
from tests.adversarial import CLOCK_CHANGES, INSTANTS, ZONES
from tests.both_engines import apply

TABLED = [instant for instant in INSTANTS if instant is not None and 1900 <= instant.year < 2100]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("year", lambda local: local.year),
        ("month", lambda local: local.month),
        ("day_of_week", lambda local: local.weekday()),
        ("is_weekend", lambda local: local.weekday() >= 5),
        ("hour", lambda local: local.hour),
        ("minute", lambda local: local.minute),
    ],
)
def test_a_part_is_that_of_the_wall_clock(part: str, expected: Any, zone: str) -> None:
    instants = [
        *TABLED,
        *(change + timedelta(microseconds=offset) for change in CLOCK_CHANGES for offset in (-1, 0, 1)),
    ]
    found = apply(lambda t: getattr(t, part)(zone), [(instant,) for instant in instants])
    assert found == [expected(instant.astimezone(read_zone(zone))) for instant in instants]


def test_the_first_and_the_last_instant_have_parts() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert apply(lambda t: t.year(), [(first,), (last,), (None,)]) == [1, 9999, None]
    assert apply(lambda t: t.month(), [(first,), (last,)]) == [1, 12]
    assert apply(lambda t: t.day_of_week(), [(first,), (last,)]) == [0, 4]
    assert apply(lambda t: t.hour("America/New_York"), [(first,), (last,)]) == [19, 18]


def test_an_hour_that_comes_twice_is_one_hour_and_one_that_never_comes_is_skipped() -> None:
    autumn, spring = datetime(2013, 11, 3, 5, 30, tzinfo=UTC), datetime(2013, 3, 10, 6, 30, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert apply(lambda t: t.hour("America/New_York"), [(autumn,), (autumn + hour,), (autumn + 2 * hour,)]) == [1, 1, 2]
    assert apply(lambda t: t.hour("America/New_York"), [(spring,), (spring + hour,)]) == [1, 3]


def test_seconds_between_instants_are_exact_to_the_microsecond() -> None:
    start = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    pairs = [
        (start, start),
        (start + timedelta(microseconds=1), start),
        (start, start + timedelta(days=1)),
        (None, start),
    ]
    assert apply(lambda t, u: t.seconds_since(u), pairs) == [0.0, 1e-6, -86400.0, None]
    ends = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC))
    assert apply(lambda t, u: t.seconds_since(u), [ends]) == [315537897599999999 / 1e6]


def test_a_cycle_goes_on_below_zero_and_above_its_period() -> None:
    steps = [(-25,), (-1,), (0,), (6,), (23,), (24,), (2**63 - 1,), (-(2**63),), (None,)]
    sines = apply(lambda n: n.cyclic_sine(24), steps)
    assert sines[0] == sines[1] == sines[4] == -0.25881904510252074
    assert sines[2] == sines[5] == 0.0
    assert sines[3] == 1.0
    assert sines[-1] is None
    cosines = apply(lambda n: n.cyclic_cosine(24), steps[:-1])
    assert all(abs(s * s + c * c - 1) < 1e-15 for s, c in zip(sines, cosines, strict=False))
