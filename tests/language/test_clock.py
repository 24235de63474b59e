"""The calendar is the Gregorian one, and the wall clock of a zone that of its time zone database."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import clock
from skewcheck.language.terms import Term, column
from skewcheck.language.types import TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, INSTANTS, ZONES
from tests.both_engines import load_terms

T = column("t", TIMESTAMP)


def compute(term: Term) -> Callable[[Any], Any]:
    transform_row = load_terms({"result": term})["transform_row"]
    return lambda value: transform_row({"t": value})["result"]


PARTS = [
    ("year", clock.year_of, lambda t: t.year),
    ("month", clock.month_of, lambda t: t.month),
    ("days", clock.days_since_1970, lambda t: t.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()),
]


@pytest.mark.parametrize(("name", "kernel", "expected"), PARTS, ids=[name for name, *_ in PARTS])
@given(instant=st.datetimes(timezones=st.just(UTC)))
def test_the_calendar_is_that_of_datetime(
    name: str, kernel: Callable[[Term], Term], expected: Callable[[datetime], int], instant: datetime
) -> None:
    assert CALENDAR[name](instant) == expected(instant)


CALENDAR = {name: compute(kernel(clock.local_microseconds(T, "UTC"))) for name, kernel, _ in PARTS}


def test_every_first_and_last_day_of_a_month_in_eight_centuries_has_its_month_and_year() -> None:
    for year in range(1600, 2400):
        for month in range(1, 13):
            for day in (1, calendar.monthrange(year, month)[1]):
                instant = datetime(year, month, day, 23, 59, 59, 999_999, tzinfo=UTC)
                assert (CALENDAR["year"](instant), CALENDAR["month"](instant)) == (year, month)


LOCAL = {zone: compute(clock.local_microseconds(T, zone)) for zone in ZONES}


def wall_clock(instant: datetime, zone: str) -> int:
    local = instant.astimezone(clock.read_zone(zone)).replace(tzinfo=UTC)
    since = local - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_the_wall_clock_is_zoneinfos_on_both_sides_of_every_change(zone: str) -> None:
    edges = clock.zone_table(zone)[0]
    instants = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=edge) for edge in edges]
    for change in (*instants, *CLOCK_CHANGES):
        for offset in (-1, 0, 1):
            instant = change + timedelta(microseconds=offset)
            assert LOCAL[zone](instant) == wall_clock(instant, zone)


@pytest.mark.parametrize("zone", ZONES)
@given(instant=st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_wall_clock_is_zoneinfos_in_the_tabled_years(zone: str, instant: datetime) -> None:
    assert LOCAL[zone](instant) == wall_clock(instant, zone)


@pytest.mark.parametrize(
    "zone", ["", "Mars", "America", "../tzdata", "/etc/localtime", "zone.tab", "__init__", None, 5]
)
def test_what_is_no_zone_is_refused(zone: Any) -> None:
    with pytest.raises(ValueError, match="IANA"):
        clock.read_zone(zone)


def test_before_and_after_the_tabled_years_the_nearest_offset_holds() -> None:
    _, offsets = clock.zone_table("America/New_York")
    first, last = INSTANTS[1], INSTANTS[3]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert LOCAL["America/New_York"](first) - (first - epoch) // timedelta(microseconds=1) == offsets[0]
    assert LOCAL["America/New_York"](last) - (last - epoch) // timedelta(microseconds=1) == offsets[-1]
