"""The wall clock of a zone is that of its time zone database, and leads back to the instant that it first showed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language import clock
from skewcheck.language.terms import Term, column
from skewcheck.language.types import INT64, TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, INSTANTS, ZONES
from tests.both_engines import load_terms

T = column("t", TIMESTAMP)


def compute(term: Term) -> Callable[[Any], Any]:
    transform_row = load_terms({"result": term})["transform_row"]
    return lambda value: transform_row({"t": value})["result"]


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


STEPS = {"minute": clock.MINUTE, "hour": clock.HOUR, "day": clock.DAY}
ODD_ZONES = ["America/St_Johns", "America/Sao_Paulo", "America/Toronto", "Africa/Monrovia", "Asia/Amman", "Etc/GMT+5"]


@cache
def stretches(zone: str) -> list[tuple[float, float, int]]:
    """From when until when which offset holds."""
    edges, offsets = clock.zone_table(zone)
    return list(zip((-math.inf, *edges), (*edges, math.inf), offsets, strict=True))


def first_shown(zone: str, local: int) -> int:
    """The first instant at which the wall clock shows a time or a later one, by looking at every offset."""
    found = ((max(start, local - offset), end) for start, end, offset in stretches(zone))
    return int(min(instant for instant, end in found if instant < end))


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("zone", [*ZONES[1:], *ODD_ZONES])
def test_the_start_of_a_period_leads_back_to_the_instant_that_first_showed_it(zone: str, step: int) -> None:
    """For every period in which the clock changes, and the ones beside it."""
    local = column("local", INT64)
    transform_row = load_terms({"result": clock.first_microseconds(local, zone, step=step)})["transform_row"]
    hour = clock.HOUR
    for edge in clock.zone_table(zone)[0]:
        for distance in (-25 * hour, -hour, -1, 0, 1, hour // 2, hour - 1, hour, 25 * hour):
            shown = edge + distance + offset_at(zone, edge + distance)
            start = shown - shown % step
            assert transform_row({"local": start})["result"] == first_shown(zone, start)


def offset_at(zone: str, instant: int) -> int:
    return next(offset for start, end, offset in stretches(zone) if start <= instant < end)
