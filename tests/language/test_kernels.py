"""The portable kernels are as exact as a good libm, and the calendar is the Gregorian one."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import kernels
from skewcheck.language.operators.time import CyclicCosine, CyclicSine
from skewcheck.language.terms import Term, column
from skewcheck.language.types import FLOAT64, INT64, TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, FLOATS, INSTANTS, ZONES
from tests.both_engines import load_terms

X, T = column("x", FLOAT64), column("t", TIMESTAMP)


def compute(term: Term, argument: str) -> Callable[[Any], Any]:
    transform_row = load_terms({"result": term})["transform_row"]
    return lambda value: transform_row({argument: value})["result"]


LOG, LOG1P = compute(kernels.log(X), "x"), compute(kernels.log1p(X), "x")


def within_one_ulp(found: float | None, expected: float) -> bool:
    return found is not None and abs(found - expected) <= math.ulp(expected)


@given(st.floats(min_value=5e-324, allow_infinity=False))
def test_log_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert within_one_ulp(LOG(x), math.log(x))


@given(
    st.floats(min_value=-1.0, allow_infinity=False, exclude_min=True)
    | st.floats(-1e-3, 1e-3)
    | st.floats(-1.0, 4.0, exclude_min=True)
)
def test_log1p_is_within_one_unit_in_the_last_place(x: float) -> None:
    assert within_one_ulp(LOG1P(x), math.log1p(x))


@pytest.mark.parametrize("x", [value for value in FLOATS if value is not None and math.isfinite(value)])
def test_logarithms_of_the_hard_values(x: float) -> None:
    assert within_one_ulp(LOG(x), math.log(x)) if x > 0 else LOG(x) is None
    assert within_one_ulp(LOG1P(x), math.log1p(x)) if x > -1 else LOG1P(x) is None


def test_log_of_every_power_of_two_is_within_one_unit_in_the_last_place() -> None:
    assert all(within_one_ulp(LOG(2.0**power), math.log(2.0**power)) for power in range(-1074, 1024))


PARTS = [
    ("year", kernels.year_of, lambda t: t.year),
    ("month", kernels.month_of, lambda t: t.month),
    ("days", kernels.days_since_1970, lambda t: t.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()),
]


@pytest.mark.parametrize(("name", "kernel", "expected"), PARTS, ids=[name for name, *_ in PARTS])
@given(instant=st.datetimes(timezones=st.just(UTC)))
def test_the_calendar_is_that_of_datetime(
    name: str, kernel: Callable[[Term], Term], expected: Callable[[datetime], int], instant: datetime
) -> None:
    assert CALENDAR[name](instant) == expected(instant)


CALENDAR = {name: compute(kernel(kernels.local_microseconds(T, "UTC")), "t") for name, kernel, _ in PARTS}


def test_every_first_and_last_day_of_a_month_in_eight_centuries_has_its_month_and_year() -> None:
    for year in range(1600, 2400):
        for month in range(1, 13):
            for day in (1, calendar.monthrange(year, month)[1]):
                instant = datetime(year, month, day, 23, 59, 59, 999_999, tzinfo=UTC)
                assert (CALENDAR["year"](instant), CALENDAR["month"](instant)) == (year, month)


LOCAL = {zone: compute(kernels.local_microseconds(T, zone), "t") for zone in ZONES}


def wall_clock(instant: datetime, zone: str) -> int:
    local = instant.astimezone(kernels.read_zone(zone)).replace(tzinfo=UTC)
    since = local - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_the_wall_clock_is_zoneinfos_on_both_sides_of_every_change(zone: str) -> None:
    edges = kernels.zone_table(zone)[0]
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
        kernels.read_zone(zone)


def test_before_and_after_the_tabled_years_the_nearest_offset_holds() -> None:
    _, offsets = kernels.zone_table("America/New_York")
    first, last = INSTANTS[1], INSTANTS[3]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert LOCAL["America/New_York"](first) - (first - epoch) // timedelta(microseconds=1) == offsets[0]
    assert LOCAL["America/New_York"](last) - (last - epoch) // timedelta(microseconds=1) == offsets[-1]


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899863")


def exact_cosine(turns: Decimal) -> Decimal:
    """cos(2π turns) in sixty digits, by halving the angle until its series is short."""
    with localcontext() as context:
        context.prec = 80
        angle = 2 * PI * turns / 2**20
        square, total, term = angle * angle, Decimal(1), Decimal(1)
        for order in range(1, 30):
            term = -term * square / ((2 * order - 1) * 2 * order)
            total += term
        for _ in range(20):
            total = 2 * total * total - 1
        return total


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 12, 24, 60, 365, 366])
def test_the_cyclic_tables_are_correctly_rounded(period: int) -> None:
    tables = {cls: cls(period).expand(column("step", INT64)).parameter for cls in (CyclicSine, CyclicCosine)}
    for place in range(period):
        turns = Decimal(place) / period
        for cls, shifted in ((CyclicCosine, turns), (CyclicSine, turns - Decimal("0.25"))):
            exact = exact_cosine(shifted)
            found = tables[cls][place]
            assert abs(Decimal(found) - exact) <= Decimal(math.ulp(found)) / 2 + Decimal("1e-26")
