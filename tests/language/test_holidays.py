"""Holidays are dates of a list, on the wall clock of a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.clock import read_zone
from skewcheck.language.expressions import render
from skewcheck.language.types import TIMESTAMP
from tests.adversarial import INSTANTS
from tests.both_engines import apply, column

T = column("t", TIMESTAMP)
LISTED = [date(1900, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29), date(2024, 11, 3)]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Apia"])
def test_a_holiday_is_a_listed_date_on_the_wall_clock(zone: str) -> None:
    instants = [
        datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)
        for day in LISTED[1:]
        for hours in range(-30, 54, 3)
    ]
    local = [instant.astimezone(read_zone(zone)).date() for instant in instants]
    found = apply(lambda t: t.is_holiday(LISTED, zone), [(instant,) for instant in instants])
    assert found == [day in LISTED for day in local]
    until = [next(((day - today).days for day in LISTED if day >= today), None) for today in local]
    assert apply(lambda t: t.days_to_holiday(LISTED, zone), [(instant,) for instant in instants]) == until


@settings(max_examples=25)
@given(days=st.lists(st.dates(), min_size=1, max_size=20, unique=True), others=st.lists(st.dates(), max_size=20))
def test_any_list_of_dates_is_searched(days: list[date], others: list[date]) -> None:
    asked = [*days, *others]
    rows = [(datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC),) for day in asked]
    assert apply(lambda t: t.is_holiday(days), rows) == [day in days for day in asked]
    until = [min(((day - today).days for day in days if day >= today), default=None) for today in asked]
    assert apply(lambda t: t.days_to_holiday(days), rows) == until


def test_a_date_outside_the_list_is_no_holiday_and_a_missing_instant_is_missing() -> None:
    found = apply(lambda t: t.is_holiday(["2024-12-25"]), [(instant,) for instant in INSTANTS])
    assert found == [None if instant is None else False for instant in INSTANTS]


def test_the_order_and_the_form_of_the_dates_do_not_matter() -> None:
    given_as = [["2024-12-26", "2024-12-25"], (date(2024, 12, 25), "2024-12-26"), {"2024-12-25", "2024-12-26"}]
    assert {render(T.is_holiday(dates)) for dates in given_as} == {"t.is_holiday(dates=('2024-12-25', '2024-12-26'))"}


def test_days_to_a_holiday_are_in_days() -> None:
    assert T.days_to_holiday(["2024-12-25"]).unit == "day"


@pytest.mark.parametrize(
    ("dates", "match"),
    [
        ([], "at least one date"),
        ("2024-12-25", "list of dates"),
        (None, "list of dates"),
        (5, "list of dates"),
        (["2024-12-25", date(2024, 12, 25)], "2024-12-25 more than once"),
        (["20241225"], "'20241225'"),
        (["2024-W52-3"], "'2024-W52-3'"),
        (["2023-02-29"], "'2023-02-29'"),
        (["2024-12-25T00:00:00"], "T00"),
        (["٢٠٢٤-12-25"], "dates must be dates"),
        ([datetime(2024, 12, 25, tzinfo=UTC)], "datetime.datetime"),
        ([20241225], "20241225"),
        ([None], "None"),
    ],
)
@pytest.mark.parametrize("name", ["is_holiday", "days_to_holiday"])
def test_a_list_that_cannot_be_meant_is_refused(name: str, dates: Any, match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        getattr(T, name)(dates)


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(DeclarationError, match="IANA"):
        T.is_holiday(["2024-12-25"], "Moon")
