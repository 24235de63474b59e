"""The calendar and the wall clock, spelled in primitives.

Dates follow Howard Hinnant's `civil_from_days`: whole-number arithmetic, exact for every instant of a Timestamp. A time
zone is a table of offsets in the generated code, so that no engine asks a time zone database of its own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from skewcheck.language.terms import Term, call, choose

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

ZONE_TABLE_YEARS = (1900, 2100)
"""Offsets of a time zone are tabled between the starts of these years; before and after, the nearest one holds."""


def local_microseconds(instant: Term, zone: str) -> Term:
    """Microseconds of the wall clock in an IANA zone, as if it were UTC."""
    utc = call("microseconds", instant)
    if zone == "UTC":
        return utc
    edges, offsets = zone_table(zone)
    return utc + call("interval", utc, parameter=(edges, offsets))


def days_since_1970(microseconds: Term) -> Term:
    """Whole days since 1970-01-01."""
    return microseconds // DAY


def year_of(microseconds: Term) -> Term:
    """Year of the proleptic Gregorian calendar."""
    year, month = _year_from_march_and_month(days_since_1970(microseconds))
    return choose(month <= 2, year + 1, year)


def month_of(microseconds: Term) -> Term:
    """Month, 1 to 12."""
    return _year_from_march_and_month(days_since_1970(microseconds))[1]


def _year_from_march_and_month(days: Term) -> tuple[Term, Term]:
    shifted = days + 719_468
    era = shifted // 146_097
    day_of_era = shifted % 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (year_of_era * 365 + year_of_era // 4 - year_of_era // 100)
    month_from_march = (day_of_year * 5 + 2) // 153
    month = choose(month_from_march < 10, month_from_march + 3, month_from_march - 9)
    return year_of_era + era * 400, month


@cache
def read_zone(zone: str) -> ZoneInfo:
    """An IANA time zone from the tzdata package, never from the machine, so that every machine tables the same.

    Raises:
        ValueError: There is no such zone.
    """
    refusal = f'zone must be a name of the IANA time zone database, such as "America/New_York", and is {zone!r}'
    if not isinstance(zone, str) or not re.fullmatch(r"[A-Za-z][\w+-]*(/[A-Za-z][\w+-]*)*", zone):
        raise ValueError(refusal)
    try:
        with files("tzdata.zoneinfo").joinpath(*zone.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=zone)
    except (OSError, ValueError) as error:
        raise ValueError(refusal) from error


@cache
def zone_table(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A zone's changes of offset: ascending instants, and the offset before the first and after each of them.

    Both in microseconds. The table is written into the generated code, so that no engine asks a time zone database
    of its own.
    """
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in ZONE_TABLE_YEARS)
    offset_at = _OffsetReader(read_zone(zone))
    edges: list[int] = []
    offsets = [offset_at(first)]
    for start in range(first, last, 86_400):
        low, high = start, start + 86_400
        while offset_at(low) != offset_at(high):
            edge = _first_change(offset_at, low, high)
            edges.append(edge * SECOND)
            offsets.append(offset_at(edge))
            low = edge
    return tuple(edges), tuple(offset * SECOND for offset in offsets)


class _OffsetReader:
    """Offset from UTC in seconds at an instant given in seconds since 1970."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def __call__(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self.zone).utcoffset() or timedelta()
        return offset.days * 86_400 + offset.seconds


def _first_change(offset_at: _OffsetReader, low: int, high: int) -> int:
    """The first second after `low` with another offset than `low`, by bisection within a day."""
    before = offset_at(low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle) == before:
            low = middle
        else:
            high = middle
    return high
