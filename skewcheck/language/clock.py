"""The wall clock of a time zone, spelled in primitives.

A zone is a table of offsets in the generated code, so that no engine asks a time zone database of its own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from skewcheck.language.terms import Term, call

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_FOREVER = 2**62

ZONE_TABLE_YEARS = (1900, 2100)
"""Offsets of a time zone are tabled between the starts of these years; before and after, the nearest one holds."""


def local_microseconds(instant: Term, zone: str) -> Term:
    """Microseconds of the wall clock in an IANA zone, as if it were UTC."""
    utc = call("microseconds", instant)
    if zone == "UTC":
        return utc
    edges, offsets = zone_table(zone)
    return utc + call("interval", utc, parameter=(edges, offsets))


def local_days(instant: Term, zone: str) -> Term:
    """The date on the wall clock in an IANA zone, as whole days since 1970-01-01."""
    return local_microseconds(instant, zone) // DAY


def first_microseconds(local: Term, zone: str, *, step: int) -> Term:
    """The instant at which the wall clock of a zone first showed `local` or later, in microseconds since 1970.

    Where the wall clock shows a time twice it is the first of the two; where it skips one, the instant of the change.

    Args:
        local: The start of a period on the wall clock, which the clock had reached.
        zone: An IANA zone.
        step: Microseconds of which every start of such a period is a multiple, at most a day.
    """
    if zone == "UTC":
        return local
    edges, offsets, skipped = first_instant_table(zone, step)
    plain = local - call("interval", local, parameter=(edges, offsets))
    return call("coalesce", call("lookup", local, parameter=skipped), plain) if skipped else plain


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


@cache
def first_instant_table(zone: str, step: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int], ...]]:
    """How the wall clock leads back to the instant at which it first showed a time or a later one.

    Gives ascending times of the wall clock, the offset before the first and after each of them, and, for starts of
    periods that the clock skipped, the instant of the change. A period that begins in a skipped hour is met only after
    it, so of each skipped stretch its last multiple of `step` is enough. All in microseconds.
    """
    changes, offsets = zone_table(zone)
    edges: list[int] = []
    used = [offsets[0]]
    skipped: list[tuple[int, int]] = []
    ends = (*changes, _FOREVER)
    reached = ends[0] + offsets[0]
    for change, end, offset in zip(changes, ends[1:], offsets[1:], strict=True):
        first = change + offset
        start = first // step * step
        if reached <= start < first and start - used[-1] != change:
            skipped.append((start, change))
        if end + offset > reached:
            edges.append(max(reached, first))
            used.append(offset)
            reached = end + offset
    return tuple(edges), tuple(used), tuple(skipped)


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
