"""Transcendental functions and the calendar, spelled in primitives.

A platform's libm differs from the next one's in the last bit. These kernels use + − × ÷, floor and comparison only,
so every engine that keeps IEEE order gives the same bits. The logarithms follow Sun's fdlibm (e_log.c, s_log1p.c;
error below one unit in the last place); the calendar follows Howard Hinnant's `civil_from_days`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal, restrict

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SQRT2 = 1.4142135623730951
_SMALLEST_NORMAL = 2.2250738585072014e-308
_LG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

ZONE_TABLE_YEARS = (1900, 2100)
"""Offsets of a time zone are tabled between the starts of these years; before and after, the nearest one holds."""


def log(x: Term) -> Term:
    """Natural logarithm; missing where x <= 0."""
    positive = restrict(x, x > 0.0)
    subnormal = positive < _SMALLEST_NORMAL
    normal = choose(subnormal, assume_finite(positive * 2.0**54), positive)
    mantissa, exponent = _split(normal)
    exponent = choose(subnormal, exponent - 54, exponent)
    return _log_of_parts(assume_finite(mantissa - 1.0), call("to_float", exponent), literal(0.0))


def log1p(x: Term) -> Term:
    """Natural logarithm of 1 + x; missing where x <= -1."""
    domain = restrict(x, x > -1.0)
    total = assume_finite(domain + 1.0)
    mantissa, exponent = _split(total)
    lost = choose(exponent > 1, assume_finite(literal(1.0) - (total - domain)), assume_finite(domain - (total - 1.0)))
    unscaled = equal(exponent, 0)
    fraction = choose(unscaled, domain, assume_finite(mantissa - 1.0))
    correction = choose(unscaled, literal(0.0), assume_finite(call("quotient", lost, total)))
    return _log_of_parts(fraction, call("to_float", exponent), correction)


def _split(x: Term) -> tuple[Term, Term]:
    """A positive normal x as (m, k) with x = m 2^k and m from sqrt(1/2) to sqrt(2)."""
    exponent = call("exponent", x)
    mantissa = assume_finite(x * call("power_of_two", literal(0) - exponent))
    high = mantissa > _SQRT2
    return choose(high, assume_finite(mantissa * 0.5), mantissa), choose(high, exponent + 1, exponent)


def _log_of_parts(f: Term, k: Term, correction: Term) -> Term:
    """log(1 + f) + k log(2) + correction, for f from sqrt(1/2) - 1 to sqrt(2) - 1."""
    half_square = literal(0.5) * f * f
    s = call("quotient", f, assume_finite(f + 2.0))
    z = s * s
    w = z * z
    even = w * (literal(_LG[1]) + w * (literal(_LG[3]) + w * _LG[5]))
    odd = z * (literal(_LG[0]) + w * (literal(_LG[2]) + w * (literal(_LG[4]) + w * _LG[6])))
    rest = even + odd
    low = k * _LN2_LOW + correction
    return assume_finite(k * _LN2_HIGH - ((half_square - (s * (half_square + rest) + low)) - f))


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
