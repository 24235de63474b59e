"""Instants: the time of day beside every change of the clock, truncation, differences, and the ends of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.clock import read_zone
from skewcheck.language.expressions import expand
from skewcheck.language.types import TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, INSTANTS, ZONES
from tests.both_engines import apply, column, evaluate, load_terms

T, U = column("t", TIMESTAMP), column("u", TIMESTAMP)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
TABLED = [instant for instant in INSTANTS if instant is not None and 1900 <= instant.year < 2100]
NEAR_CHANGES = [change + timedelta(microseconds=offset) for change in CLOCK_CHANGES for offset in (-1, 0, 1)]


@pytest.mark.parametrize("zone", [*ZONES, "Africa/Monrovia"])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("hour", lambda local: local.hour),
        ("minute", lambda local: local.minute),
        ("second", lambda local: local.second),
        ("second_of_day", lambda local: local.hour * 3600 + local.minute * 60 + local.second),
    ],
)
def test_a_part_is_that_of_the_wall_clock(part: str, expected: Any, zone: str) -> None:
    instants = [*TABLED, *NEAR_CHANGES]
    found = apply(lambda t: getattr(t, part)(zone), [(instant,) for instant in instants])
    assert found == [expected(instant.astimezone(read_zone(zone))) for instant in instants]


def test_the_first_and_the_last_instant_have_a_time_of_day() -> None:
    assert apply(lambda t: t.second_of_day(), [(FIRST,), (LAST,), (None,)]) == [0, 86399, None]
    assert apply(lambda t: t.hour("America/New_York"), [(FIRST,), (LAST,)]) == [19, 18]


def test_an_hour_that_comes_twice_is_one_hour_and_one_that_never_comes_is_skipped() -> None:
    autumn, spring = datetime(2013, 11, 3, 5, 30, tzinfo=UTC), datetime(2013, 3, 10, 6, 30, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert apply(lambda t: t.hour("America/New_York"), [(autumn,), (autumn + hour,), (autumn + 2 * hour,)]) == [1, 1, 2]
    assert apply(lambda t: t.hour("America/New_York"), [(spring,), (spring + hour,)]) == [1, 3]


def truncate_date(local: datetime, unit: str) -> datetime:
    """The start of a period on a clock that never changes."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "minute": local.replace(second=0, microsecond=0),
        "hour": local.replace(minute=0, second=0, microsecond=0),
        "day": midnight,
        "week": midnight - timedelta(days=local.weekday()),
        "month": midnight.replace(day=1),
        "quarter": midnight.replace(month=(local.month - 1) // 3 * 3 + 1, day=1),
        "year": midnight.replace(month=1, day=1),
    }
    return starts[unit]


def truncate_in_zone(instant: datetime, unit: str, zone: str) -> datetime:
    """The same by Python's own rules: a time that comes twice is the first, one that is skipped is the change."""
    clock = read_zone(zone)
    start = truncate_date(instant.astimezone(clock).replace(fold=0), unit)
    found = start.astimezone(UTC)
    if found.astimezone(clock).replace(tzinfo=None) == start.replace(tzinfo=None):
        return found
    after, before = found, found - timedelta(days=1)
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(clock).utcoffset() == found.astimezone(clock).utcoffset():
            after = middle
        else:
            before = middle
    return after


UNITS = ["minute", "hour", "day", "week", "month", "quarter", "year"]


def compute(build: Callable[[Any], Any]) -> Callable[[datetime], Any]:
    transform_row = load_terms({"result": expand(build(T), {})})["transform_row"]
    return lambda instant: transform_row({"t": instant})["result"]


IN_UTC = {unit: compute(lambda t, unit=unit: t.truncate(unit)) for unit in UNITS}
CHANGING = ["America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns"]
IN_ZONES = {
    (unit, zone): compute(lambda t, unit=unit, zone=zone: t.truncate(unit, zone)) for unit in UNITS for zone in CHANGING
}


@given(instant=st.datetimes(timezones=st.just(UTC)), unit=st.sampled_from(UNITS))
def test_truncation_in_utc_is_that_of_the_calendar(instant: datetime, unit: str) -> None:
    assert IN_UTC[unit](instant) == truncate_date(instant, unit)


@given(
    instant=st.datetimes(datetime(1900, 2, 1), datetime(2099, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    unit=st.sampled_from(UNITS),
    zone=st.sampled_from(CHANGING),
)
def test_truncation_in_a_zone_is_the_instant_at_which_the_period_began(instant: datetime, unit: str, zone: str) -> None:
    assert IN_ZONES[unit, zone](instant) == truncate_in_zone(instant, unit, zone)


@pytest.mark.parametrize("zone", ["UTC", *CHANGING])
def test_truncation_beside_changes_of_the_clock_is_the_same_on_every_engine(zone: str) -> None:
    instants = [
        change + timedelta(hours=hours, minutes=minutes, microseconds=-1)
        for change in [*CLOCK_CHANGES, datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(1988, 4, 3, 3, 31, tzinfo=UTC)]
        for hours in (-24, -1, 0, 1, 24)
        for minutes in (0, 29, 31)
    ]
    truncated = {unit: T.truncate(unit, zone) for unit in UNITS}
    again = {f"{unit} again": expression.truncate(unit, zone) for unit, expression in truncated.items()}
    found = evaluate({**truncated, **again}, [{"t": instant} for instant in instants])
    for instant, row in zip(instants, found, strict=True):
        expected = {unit: truncate_in_zone(instant, unit, zone) for unit in UNITS}
        assert row == {**expected, **{f"{unit} again": begins for unit, begins in expected.items()}}


@pytest.mark.parametrize(
    ("zone", "unit", "instant", "begins"),
    [
        # 1:30 and again 1:30: one hour, which began at the first 1:00.
        ("America/New_York", "hour", datetime(2013, 11, 3, 5, 30, tzinfo=UTC), datetime(2013, 11, 3, 5, tzinfo=UTC)),
        ("America/New_York", "hour", datetime(2013, 11, 3, 6, 30, tzinfo=UTC), datetime(2013, 11, 3, 5, tzinfo=UTC)),
        (
            "America/New_York",
            "minute",
            datetime(2013, 11, 3, 6, 30, tzinfo=UTC),
            datetime(2013, 11, 3, 5, 30, tzinfo=UTC),
        ),
        ("America/New_York", "day", datetime(2013, 11, 4, 4, 59, tzinfo=UTC), datetime(2013, 11, 3, 4, tzinfo=UTC)),
        # From 2:45 the clock went to 3:45: the hour that is called 3 began there.
        ("Pacific/Chatham", "hour", datetime(2023, 9, 23, 14, 1, tzinfo=UTC), datetime(2023, 9, 23, 14, tzinfo=UTC)),
        # A day without a midnight.
        ("America/Sao_Paulo", "day", datetime(2018, 11, 4, 12, tzinfo=UTC), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("America/Toronto", "day", datetime(1919, 3, 31, 12, tzinfo=UTC), datetime(1919, 3, 31, 4, 30, tzinfo=UTC)),
        # A week without a Friday.
        ("Pacific/Apia", "week", datetime(2011, 12, 30, 10, tzinfo=UTC), datetime(2011, 12, 26, 10, tzinfo=UTC)),
        ("Pacific/Apia", "day", datetime(2011, 12, 30, 10, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        # Before and after the tabled years the nearest offset holds.
        ("Asia/Tokyo", "day", datetime(2500, 7, 1, 15, tzinfo=UTC), datetime(2500, 7, 1, 15, tzinfo=UTC)),
        ("Etc/GMT+5", "year", datetime(1, 6, 1, tzinfo=UTC), datetime(1, 1, 1, 5, tzinfo=UTC)),
        # The period began in the year 0.
        ("Asia/Tokyo", "day", FIRST, None),
        ("Etc/GMT+5", "minute", FIRST, FIRST),
        ("Etc/GMT+5", "day", FIRST, None),
        ("UTC", "week", FIRST, FIRST),
        ("UTC", "year", LAST, datetime(9999, 1, 1, tzinfo=UTC)),
        ("Asia/Tokyo", "year", LAST, datetime(9999, 12, 31, 15, tzinfo=UTC)),
        ("UTC", "month", None, None),
    ],
)
def test_a_period_began(zone: str, unit: str, instant: datetime | None, begins: datetime | None) -> None:
    rows = [{"t": instant}]
    assert evaluate({"result": T.truncate(unit, zone)}, rows) == [{"result": begins}]


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: T.truncate("fortnight"), "'fortnight'"),
        (lambda: T.truncate("Day"), "unit must be 'minute', .* or 'year'"),
        (lambda: T.truncate(None), "unit must be"),
        (lambda: T.truncate("day", "Mars"), "IANA"),
        (lambda: T.truncate(), "truncate"),
        (lambda: T.hour("GMT+1"), "IANA"),
        (lambda: T.second_of_day(3), "IANA"),
        (lambda: T.shift(seconds=0.5), "whole number"),
        (lambda: T.shift(seconds=True), "whole number"),
        (lambda: T.shift(seconds=10**12), "at most"),
        (lambda: T.shift(seconds=-(10**12)), "at least"),
        (lambda: T.hour().cyclic_sine(0), "period"),
        (lambda: T.hour().cyclic_sine(10_001), "at most 10000"),
        (lambda: T.hour().truncate("day"), "truncate takes Timestamp"),
        (lambda: T - 5, "seconds_since takes Timestamp"),
        (lambda: T + 5, "add takes"),
        (lambda: T + U, "add takes"),
    ],
)
def test_what_cannot_be_meant_is_refused(build: Callable[[], Any], match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        build()


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


def test_a_difference_of_instants_is_written_with_a_minus_and_is_in_seconds() -> None:
    difference = T - U
    assert str(difference) == "t.seconds_since(u)"
    assert difference.unit == "second"
    hours = (T - datetime(2024, 1, 1, tzinfo=UTC)).to("hour")
    before = (datetime(2024, 1, 1, tzinfo=UTC) - T).to("day")
    found = evaluate({"hours": hours, "before": before}, [{"t": datetime(2024, 1, 2, 12, tzinfo=UTC)}])
    assert found == [{"hours": 36.0, "before": -1.5}]


def test_the_time_of_day_is_in_seconds() -> None:
    assert T.second_of_day().unit == "second"
    assert evaluate({"hours": T.second_of_day().to("hour")}, [{"t": datetime(2024, 1, 1, 6, 30, tzinfo=UTC)}]) == [
        {"hours": 6.5}
    ]


def test_a_shift_leaves_the_years_there_are_as_missing() -> None:
    rows = [(FIRST,), (FIRST + timedelta(seconds=1),), (LAST,), (None,)]
    assert apply(lambda t: t.shift(seconds=-1), rows) == [None, FIRST, LAST - timedelta(seconds=1), None]
    assert apply(lambda t: t.shift(seconds=1), rows)[2] is None
    assert apply(lambda t: t.shift(seconds=0), rows) == [row[0] for row in rows]
    assert apply(lambda t: t.shift(seconds=-315_537_897_599), [(LAST,)]) == [FIRST + timedelta(microseconds=999_999)]


def test_a_cycle_goes_on_below_zero_and_above_its_period() -> None:
    steps = [(-25,), (-1,), (0,), (6,), (23,), (24,), (2**63 - 1,), (-(2**63),), (None,)]
    sines = apply(lambda n: n.cyclic_sine(24), steps)
    assert sines[0] == sines[1] == sines[4] == -0.25881904510252074
    assert sines[2] == sines[5] == 0.0
    assert sines[3] == 1.0
    assert sines[-1] is None
    cosines = apply(lambda n: n.cyclic_cosine(24), steps[:-1])
    assert all(abs(s * s + c * c - 1) < 1e-15 for s, c in zip(sines, cosines, strict=False))
