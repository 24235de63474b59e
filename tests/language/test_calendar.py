"""The calendar is that of Python's datetime, from the first day of the year 1 to the last of the year 9999."""

from __future__ import annotations

import calendar as standard
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import calendar, terms
from skewcheck.language.clock import read_zone
from skewcheck.language.terms import Term
from skewcheck.language.types import INT64, TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, INSTANTS, ZONES
from tests.both_engines import apply, column, evaluate, load_terms

EPOCH = date(1970, 1, 1)


def days_since_1970(day: date) -> int:
    return (day - EPOCH).days


KERNELS: dict[str, tuple[Callable[[Term], Term], Callable[[date], Any]]] = {
    "year": (calendar.year_of, lambda day: day.year),
    "quarter": (calendar.quarter_of, lambda day: (day.month + 2) // 3),
    "month": (calendar.month_of, lambda day: day.month),
    "day": (calendar.day_of_month, lambda day: day.day),
    "day of year": (calendar.day_of_year, lambda day: day.timetuple().tm_yday),
    "weekday": (calendar.weekday_of, lambda day: day.weekday()),
    "weekend": (calendar.is_weekend, lambda day: day.weekday() in {standard.SATURDAY, standard.SUNDAY}),
    "iso year": (calendar.iso_year_of, lambda day: day.isocalendar().year),
    "iso week": (calendar.iso_week_of, lambda day: day.isocalendar().week),
    "first of week": (calendar.first_of_week, lambda day: days_since_1970(day - timedelta(days=day.weekday()))),
    "first of month": (calendar.first_of_month, lambda day: days_since_1970(day.replace(day=1))),
    "first of quarter": (
        calendar.first_of_quarter,
        lambda day: days_since_1970(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)),
    ),
    "first of year": (calendar.first_of_year, lambda day: days_since_1970(day.replace(month=1, day=1))),
}

DAYS = terms.column("days", INT64)
T = column("t", TIMESTAMP)
transform_row = load_terms({name: kernel(DAYS) for name, (kernel, _) in KERNELS.items()})["transform_row"]


def check_day(day: date) -> None:
    expected = {name: standard_of(day) for name, (_, standard_of) in KERNELS.items()}
    assert transform_row({"days": days_since_1970(day)}) == expected, day


@given(day=st.dates())
def test_every_part_of_a_date_is_that_of_datetime(day: date) -> None:
    check_day(day)


@pytest.mark.parametrize("year", [1, 4, 100, 400, 1582, *range(1896, 1905), 1970, *range(1996, 2029), 2100, 9996, 9999])
def test_every_day_of_a_year_has_its_parts(year: int) -> None:
    day = date(year, 1, 1)
    for passed in range(366 if standard.isleap(year) else 365):
        check_day(day + timedelta(days=passed))


def test_both_sides_of_every_new_year_have_their_parts() -> None:
    for year in range(2, 10_000, 3):
        check_day(date(year, 1, 1))
        check_day(date(year - 1, 12, 31))
        check_day(date(year, 3, 1) - timedelta(days=1))
        check_day(date(year, 3, 1))


PARTS = {
    "year": lambda local: local.year,
    "quarter": lambda local: (local.month + 2) // 3,
    "month": lambda local: local.month,
    "day": lambda local: local.day,
    "day_of_year": lambda local: local.timetuple().tm_yday,
    "day_of_week": lambda local: local.weekday(),
    "is_weekend": lambda local: local.weekday() >= 5,
    "iso_week": lambda local: local.isocalendar().week,
    "iso_year": lambda local: local.isocalendar().year,
}

TABLED = [instant for instant in INSTANTS if instant is not None and 1900 <= instant.year < 2100]


def evaluate_parts(zone: str, instants: list[datetime | None]) -> list[dict[str, Any]]:
    return evaluate({part: getattr(T, part)(zone) for part in PARTS}, [{"t": instant} for instant in instants])


@pytest.mark.parametrize("zone", ZONES)
def test_a_part_is_that_of_the_date_on_the_wall_clock(zone: str) -> None:
    instants = TABLED + [change + timedelta(hours=hours) for change in CLOCK_CHANGES for hours in range(-26, 27, 4)]
    local = [instant.astimezone(read_zone(zone)) for instant in instants]
    expected = [{part: standard_of(day) for part, standard_of in PARTS.items()} for day in local]
    assert evaluate_parts(zone, [*instants, None]) == [*expected, dict.fromkeys(PARTS)]


def test_the_first_and_the_last_instant_have_parts() -> None:
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
    expected = [{part: standard_of(end) for part, standard_of in PARTS.items()} for end in ends]
    assert evaluate_parts("UTC", [*ends]) == expected


def test_where_a_zone_carries_the_date_beyond_the_ends_the_calendar_goes_on() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert apply(lambda t: t.year("America/New_York"), [(first,)]) == [0]
    assert apply(lambda t: t.day_of_year("America/New_York"), [(first,)]) == [366]
    assert apply(lambda t: t.iso_week("America/New_York"), [(first,)]) == [52]
    assert apply(lambda t: t.year("Asia/Tokyo"), [(last,)]) == [10_000]
    assert apply(lambda t: t.iso_week("Asia/Tokyo"), [(last,)]) == [52]
