"""Instants: the time of day, truncation, differences, and cyclic encoding.

A part of an instant is read in UTC or on the wall clock of an IANA zone; parts of its date are in `calendar.py`. A
zone's offsets are a table in the generated code, so that no engine's own time zone database decides. The table covers
the years 1900 to 2099; before and after them the nearest offset holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from skewcheck.language import calendar, clock
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.numbers import check_count
from skewcheck.language.terms import Term, call
from skewcheck.language.types import FLOAT64, INT64, TIMESTAMP

INSTANT = (TIMESTAMP,)

_EXAMPLE = datetime(2012, 3, 1, 2, 30, 59, 999_999, tzinfo=UTC)
"""In New York the evening before, which is a leap day."""
_BEFORE_1970 = datetime(1969, 12, 31, 23, 59, 58, 1, tzinfo=UTC)
_SUMMER_BEGINS = datetime(2013, 3, 10, 7, tzinfo=UTC)
"""When 1:59:59 was followed by 3:00 in New York."""
_FIRST_HALF_PAST_ONE = datetime(2013, 11, 3, 5, 30, tzinfo=UTC)
_SECOND_HALF_PAST_ONE = datetime(2013, 11, 3, 6, 30, tzinfo=UTC)
"""Summer time ends in New York: after 1:59:59 it is 1:00 again."""


@dataclass(frozen=True)
class WallClockPart(Operator):
    """The base of what is read off the wall clock in `zone`; missing stays missing."""

    zone: str = "UTC"
    group, takes, gives = "time", (INSTANT,), INT64

    def check(self) -> None:
        """The zone must be an IANA name."""
        clock.read_zone(self.zone)

    def local(self, instant: Term) -> Term:
        """Microseconds on the wall clock."""
        return clock.local_microseconds(instant, self.zone)


@operator
@dataclass(frozen=True)
class Hour(WallClockPart):
    """The hour of the day, 0 to 23 (Int64), in UTC or in `zone`; an hour that comes twice is the same both times."""

    name = "hour"
    examples = (
        Example(lambda x: x.hour(), (((_EXAMPLE,), 2), ((_BEFORE_1970,), 23), ((None,), None))),
        Example(
            lambda x: x.hour("America/New_York"),
            (
                ((_EXAMPLE,), 21),
                ((_SUMMER_BEGINS,), 3),
                ((_FIRST_HALF_PAST_ONE,), 1),
                ((_SECOND_HALF_PAST_ONE,), 1),
                ((None,), None),
            ),
        ),
    )

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // clock.HOUR % 24


@operator
@dataclass(frozen=True)
class Minute(WallClockPart):
    """The minute of the hour, 0 to 59 (Int64), in UTC or in `zone`."""

    name = "minute"
    examples = (
        Example(lambda x: x.minute(), (((_EXAMPLE,), 30), ((_BEFORE_1970,), 59), ((None,), None))),
        Example(lambda x: x.minute("Asia/Kathmandu"), (((_EXAMPLE,), 15), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // clock.MINUTE % 60


@operator
@dataclass(frozen=True)
class Second(WallClockPart):
    """The whole second of the minute, 0 to 59 (Int64), in UTC or in `zone`; it differs where offsets had seconds."""

    name = "second"
    examples = (
        Example(lambda x: x.second(), (((_EXAMPLE,), 59), ((_BEFORE_1970,), 58), ((None,), None))),
        # Liberia was 44 minutes and 30 seconds behind.
        Example(lambda x: x.second("Africa/Monrovia"), (((_BEFORE_1970,), 28), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // clock.SECOND % 60


@operator
@dataclass(frozen=True)
class SecondOfDay(WallClockPart):
    """Whole seconds that the wall clock shows since midnight, 0 to 86399 (Int64, in seconds), in UTC or in `zone`.

    On a day on which the clock changes that is not the time that has passed since midnight.
    """

    name = "second_of_day"
    examples = (
        Example(lambda x: x.second_of_day(), (((_EXAMPLE,), 9059), ((_BEFORE_1970,), 86398), ((None,), None))),
        Example(lambda x: x.second_of_day("America/New_York"), (((_SUMMER_BEGINS,), 10800), ((None,), None))),
    )

    def result_unit(self, *_units: str | None) -> str | None:
        """Seconds."""
        return "second"

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // clock.SECOND % 86_400


_LENGTHS = {"minute": clock.MINUTE, "hour": clock.HOUR, "day": clock.DAY}
_FIRST_DAYS = {
    "week": calendar.first_of_week,
    "month": calendar.first_of_month,
    "quarter": calendar.first_of_quarter,
    "year": calendar.first_of_year,
}


@operator
@dataclass(frozen=True)
class Truncate(Operator):
    """The instant at which the period began that the wall clock is in: a Timestamp, in UTC or in `zone`.

    `unit` is "minute", "hour", "day", "week" (from Monday, as in ISO 8601), "month", "quarter" or "year". The period
    begins when the wall clock first shows its start or a later time: where the start comes twice, at the first of the
    two (so all of an hour that comes twice has one beginning); where the clock skips it, at the change. Missing where
    that is before the year 1.
    """

    unit: str
    zone: str = "UTC"
    name, group, takes, gives = "truncate", "time", (INSTANT,), TIMESTAMP
    examples = (
        Example(
            lambda x: x.truncate("week"),
            (
                ((_EXAMPLE,), datetime(2012, 2, 27, tzinfo=UTC)),
                ((_BEFORE_1970,), datetime(1969, 12, 29, tzinfo=UTC)),
                ((None,), None),
            ),
        ),
        Example(
            lambda x: x.truncate("hour", "America/New_York"),
            (
                ((_SUMMER_BEGINS,), _SUMMER_BEGINS),
                ((_FIRST_HALF_PAST_ONE,), datetime(2013, 11, 3, 5, tzinfo=UTC)),
                ((_SECOND_HALF_PAST_ONE,), datetime(2013, 11, 3, 5, tzinfo=UTC)),
            ),
        ),
        # Summer time began at midnight, so the day began at one.
        Example(
            lambda x: x.truncate("day", "America/Sao_Paulo"),
            (((datetime(2018, 11, 4, 12, tzinfo=UTC),), datetime(2018, 11, 4, 3, tzinfo=UTC)),),
        ),
        Example(
            lambda x: x.truncate("quarter", zone="Asia/Tokyo"),
            (
                ((_EXAMPLE,), datetime(2011, 12, 31, 15, tzinfo=UTC)),
                ((datetime(1, 1, 1, tzinfo=UTC),), None),
                ((None,), None),
            ),
        ),
    )

    def check(self) -> None:
        """A known unit and an IANA zone."""
        units = (*_LENGTHS, *_FIRST_DAYS)
        if self.unit not in units:
            raise ValueError(f"unit must be {', '.join(map(repr, units[:-1]))} or {units[-1]!r}, and is {self.unit!r}")
        clock.read_zone(self.zone)

    def expand(self, instant: Term) -> Term:
        """The start on the wall clock, led back to UTC."""
        length = _LENGTHS.get(self.unit, clock.DAY)
        local = clock.local_microseconds(instant, self.zone)
        if self.unit in _LENGTHS:
            start = local - local % length
        else:
            start = _FIRST_DAYS[self.unit](local // clock.DAY) * clock.DAY
        return call("instant", clock.first_microseconds(start, self.zone, step=length))


@operator
@dataclass(frozen=True)
class Shift(Operator):
    """The instant that is `seconds` whole seconds later, or earlier for a number below zero (Timestamp).

    Missing outside the years 1 to 9999.
    """

    seconds: int
    name, group, takes, gives = "shift", "time", (INSTANT,), TIMESTAMP
    examples = (
        Example(
            lambda x: x.shift(seconds=-3600),
            (
                ((_EXAMPLE,), datetime(2012, 3, 1, 1, 30, 59, 999_999, tzinfo=UTC)),
                ((datetime(1, 1, 1, 0, 59, 59, tzinfo=UTC),), None),
                ((None,), None),
            ),
        ),
    )

    def check(self) -> None:
        """A whole number, of at most all the years there are."""
        check_count("seconds", self.seconds, least=-_ALL_SECONDS)
        if self.seconds > _ALL_SECONDS:
            raise ValueError(f"seconds must be at most {_ALL_SECONDS}, and is {self.seconds}")

    def expand(self, instant: Term) -> Term:
        """A sum of microseconds."""
        return call("instant", call("microseconds", instant) + self.seconds * clock.SECOND)


_ALL_SECONDS = 9999 * 366 * 86_400


@operator
@dataclass(frozen=True)
class SecondsSince(Operator):
    """Seconds from the second instant to the first, negative where it is later (Float64, in seconds).

    Also written `x - y`. Missing where either is missing.
    """

    name, group, takes, gives = "seconds_since", "time", (INSTANT, INSTANT), FLOAT64
    examples = (
        Example(
            lambda x, y: x.seconds_since(y),
            (
                ((_EXAMPLE, datetime(2012, 3, 1, 2, 29, 59, 500_000, tzinfo=UTC)), 60.499999),
                ((datetime(2012, 3, 1, tzinfo=UTC), datetime(2012, 3, 2, tzinfo=UTC)), -86400.0),
                ((None, _EXAMPLE), None),
            ),
        ),
        Example(
            lambda x, y: x - y, (((_SECOND_HALF_PAST_ONE, _FIRST_HALF_PAST_ONE), 3600.0), ((_EXAMPLE, None), None))
        ),
    )

    def result_unit(self, *_units: str | None) -> str | None:
        """Seconds."""
        return "second"

    def expand(self, later: Term, earlier: Term) -> Term:
        """The difference of the microseconds, as the nearest Float64, divided by a million."""
        difference = call("microseconds", later) - call("microseconds", earlier)
        return call("to_float", difference) / 1e6


@dataclass(frozen=True)
class _Cyclic(Operator):
    """A coordinate of the point at x ÷ period of a full turn; exact tables, so no engine's sine decides."""

    period: int
    group, takes, gives = "time", ((INT64,),), FLOAT64

    def check(self) -> None:
        """A period of at most 10,000 steps."""
        check_count("period", self.period, least=2)
        if self.period > 10_000:
            raise ValueError(f"period must be at most 10000, and is {self.period}")


@operator
@dataclass(frozen=True)
class CyclicSine(_Cyclic):
    """sin(2π x ÷ period) for a whole number x, correctly rounded: with `cyclic_cosine`, a place on a circle."""

    name = "cyclic_sine"
    examples = (Example(lambda x: x.cyclic_sine(4), (((0,), 0.0), ((1,), 1.0), ((-1,), -1.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """A look-up of the remainder."""
        table = tuple(_sine(step, self.period) for step in range(self.period))
        return call("element", x % self.period, parameter=table)


@operator
@dataclass(frozen=True)
class CyclicCosine(_Cyclic):
    """cos(2π x ÷ period) for a whole number x, correctly rounded: with `cyclic_sine`, a place on a circle."""

    name = "cyclic_cosine"
    examples = (Example(lambda x: x.cyclic_cosine(4), (((0,), 1.0), ((1,), 0.0), ((6,), -1.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """A look-up of the remainder."""
        table = tuple(_sine(4 * step + self.period, 4 * self.period) for step in range(self.period))
        return call("element", x % self.period, parameter=table)


_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def _sine(step: int, period: int) -> float:
    """sin(2π step ÷ period) to the nearest Float64, by its series in fifty digits."""
    step %= period
    if 2 * step >= period:
        return 0.0 - (_sine(step - period // 2, period) if period % 2 == 0 else _sine(period - step, period))
    if 4 * step > period:
        return _sine(period - 2 * step, 2 * period)
    with localcontext() as context:
        context.prec = 50
        angle = 2 * _PI * step / period
        total = term = angle
        for order in range(1, 40):
            term = -term * angle * angle / ((2 * order) * (2 * order + 1))
            total += term
        return float(total)
