"""Parts of an instant, in UTC or on the wall clock of an IANA zone, and differences between instants.

The zone's offsets are a table in the generated code, so that no engine's own time zone database decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from skewcheck.language import clock
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.numbers import check_count
from skewcheck.language.terms import Term, call
from skewcheck.language.types import BOOL, FLOAT64, INT64, TIMESTAMP

INSTANT = (TIMESTAMP,)

_EXAMPLE = datetime(2012, 3, 1, 2, 30, 59, 999_999, tzinfo=UTC)
"""A Thursday, and in New York the evening before: a leap day."""


@dataclass(frozen=True)
class _Part(Operator):
    """A part of the wall clock in `zone`."""

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
class Hour(_Part):
    """The hour of the day, 0 to 23 (Int64), in UTC or in `zone`."""

    name = "hour"
    examples = (
        Example(lambda x: x.hour(), (((_EXAMPLE,), 2), ((None,), None))),
        Example(lambda x: x.hour("America/New_York"), (((_EXAMPLE,), 21), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // clock.HOUR % 24


@operator
@dataclass(frozen=True)
class Minute(_Part):
    """The minute of the hour, 0 to 59 (Int64), in UTC or in `zone`."""

    name = "minute"
    examples = (
        Example(lambda x: x.minute(), (((_EXAMPLE,), 30), ((None,), None))),
        Example(lambda x: x.minute("America/New_York"), (((_EXAMPLE,), 30), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """Floored division and remainder."""
        return self.local(instant) // (60 * clock.SECOND) % 60


@operator
@dataclass(frozen=True)
class DayOfWeek(_Part):
    """The day of the week, 0 for Monday to 6 for Sunday (Int64; Python's `weekday`), in UTC or in `zone`."""

    name = "day_of_week"
    examples = (
        Example(lambda x: x.day_of_week(), (((_EXAMPLE,), 3), ((None,), None))),
        Example(lambda x: x.day_of_week("America/New_York"), (((_EXAMPLE,), 2), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """1970-01-01 was a Thursday."""
        return (clock.days_since_1970(self.local(instant)) + 3) % 7


@operator
@dataclass(frozen=True)
class IsWeekend(_Part):
    """Whether it is Saturday or Sunday, in UTC or in `zone`."""

    name, gives = "is_weekend", BOOL
    examples = (
        Example(
            lambda x: x.is_weekend(),
            (
                ((datetime(2024, 3, 1, 23, 59, tzinfo=UTC),), False),
                ((datetime(2024, 3, 2, tzinfo=UTC),), True),
                ((datetime(2024, 3, 3, 23, 59, tzinfo=UTC),), True),
                ((datetime(2024, 3, 4, tzinfo=UTC),), False),
                ((None,), None),
            ),
        ),
        Example(lambda x: x.is_weekend("Asia/Tokyo"), (((datetime(2024, 3, 1, 15, tzinfo=UTC),), True),)),
    )

    def expand(self, instant: Term) -> Term:
        """The fifth or sixth day after Monday."""
        return (clock.days_since_1970(self.local(instant)) + 3) % 7 >= 5


@operator
@dataclass(frozen=True)
class Month(_Part):
    """The month, 1 to 12 (Int64), in UTC or in `zone`."""

    name = "month"
    examples = (
        Example(lambda x: x.month(), (((_EXAMPLE,), 3), ((None,), None))),
        Example(lambda x: x.month("America/New_York"), (((_EXAMPLE,), 2), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """The Gregorian calendar."""
        return clock.month_of(self.local(instant))


@operator
@dataclass(frozen=True)
class Year(_Part):
    """The year of the proleptic Gregorian calendar (Int64), in UTC or in `zone`."""

    name = "year"
    examples = (
        Example(
            lambda x: x.year(),
            (((datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),), 1969), ((datetime(1, 1, 1, tzinfo=UTC),), 1)),
        ),
        Example(lambda x: x.year("Asia/Tokyo"), (((datetime(1969, 12, 31, 15, tzinfo=UTC),), 1970), ((None,), None))),
    )

    def expand(self, instant: Term) -> Term:
        """The Gregorian calendar."""
        return clock.year_of(self.local(instant))


@operator
@dataclass(frozen=True)
class SecondsSince(Operator):
    """Seconds from the second instant to the first, negative where it is later (Float64)."""

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
