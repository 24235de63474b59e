"""Parts of an instant's date, in UTC or on the wall clock of an IANA zone.

Dates are those of the proleptic Gregorian calendar, as in Python's `datetime`; at the two ends of time a zone's date
may lie in the year 0 or 10000. Missing stays missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from skewcheck.language import calendar, clock
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example
from skewcheck.language.operators.time import WallClockPart
from skewcheck.language.terms import Term
from skewcheck.language.types import BOOL

_EXAMPLE = datetime(2012, 3, 1, 2, 30, 59, 999_999, tzinfo=UTC)
"""A Thursday, and in New York the evening before: a leap day."""
_LAST_OF_1969 = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""A Wednesday, and in Tokyo 1970."""
_LAST_OF_2012 = datetime(2012, 12, 31, 5, tzinfo=UTC)
"""A Monday: day 366 of its year, in week 1 of 2013."""
_FIRST_OF_2021 = datetime(2021, 1, 1, 4, 59, 59, tzinfo=UTC)
"""A Friday, in week 53 of 2020, and in New York still 2020."""


@dataclass(frozen=True)
class _DatePart(WallClockPart):
    """A part of the date on the wall clock."""

    part_of: ClassVar[Callable[[Term], Term]]

    def expand(self, instant: Term) -> Term:
        """A function of the days since 1970."""
        return type(self).part_of(clock.local_days(instant, self.zone))


@operator
@dataclass(frozen=True)
class Year(_DatePart):
    """The year (Int64), in UTC or in `zone`."""

    name, part_of = "year", calendar.year_of
    examples = (
        Example(lambda x: x.year(), (((_LAST_OF_1969,), 1969), ((datetime(1, 1, 1, tzinfo=UTC),), 1), ((None,), None))),
        Example(lambda x: x.year("Asia/Tokyo"), (((_LAST_OF_1969,), 1970), ((None,), None))),
    )


@operator
@dataclass(frozen=True)
class Quarter(_DatePart):
    """The quarter of the year, 1 to 4 (Int64), in UTC or in `zone`."""

    name, part_of = "quarter", calendar.quarter_of
    examples = (
        Example(lambda x: x.quarter(), (((_EXAMPLE,), 1), ((_LAST_OF_1969,), 4), ((None,), None))),
        Example(lambda x: x.quarter("America/New_York"), (((_FIRST_OF_2021,), 4), ((None,), None))),
    )


@operator
@dataclass(frozen=True)
class Month(_DatePart):
    """The month, 1 to 12 (Int64), in UTC or in `zone`."""

    name, part_of = "month", calendar.month_of
    examples = (
        Example(lambda x: x.month(), (((_EXAMPLE,), 3), ((_LAST_OF_1969,), 12), ((None,), None))),
        Example(lambda x: x.month("America/New_York"), (((_EXAMPLE,), 2), ((None,), None))),
    )


@operator
@dataclass(frozen=True)
class Day(_DatePart):
    """The day of the month, 1 to 31 (Int64), in UTC or in `zone`."""

    name, part_of = "day", calendar.day_of_month
    examples = (
        Example(lambda x: x.day(), (((_EXAMPLE,), 1), ((_LAST_OF_1969,), 31), ((None,), None))),
        Example(lambda x: x.day("America/New_York"), (((_EXAMPLE,), 29), ((None,), None))),
    )


@operator
@dataclass(frozen=True)
class DayOfYear(_DatePart):
    """The day of the year, 1 to 366 (Int64), in UTC or in `zone`."""

    name, part_of = "day_of_year", calendar.day_of_year
    examples = (
        Example(lambda x: x.day_of_year(), (((_EXAMPLE,), 61), ((_LAST_OF_1969,), 365), ((None,), None))),
        Example(
            lambda x: x.day_of_year("America/New_York"),
            (((_EXAMPLE,), 60), ((_LAST_OF_2012,), 366), ((_FIRST_OF_2021,), 366), ((None,), None)),
        ),
    )


@operator
@dataclass(frozen=True)
class DayOfWeek(_DatePart):
    """The day of the week, 0 for Monday to 6 for Sunday (Int64; Python's `weekday`), in UTC or in `zone`."""

    name, part_of = "day_of_week", calendar.weekday_of
    examples = (
        Example(lambda x: x.day_of_week(), (((_EXAMPLE,), 3), ((_LAST_OF_1969,), 2), ((None,), None))),
        Example(lambda x: x.day_of_week("America/New_York"), (((_EXAMPLE,), 2), ((None,), None))),
    )


@operator
@dataclass(frozen=True)
class IsWeekend(_DatePart):
    """Whether it is Saturday or Sunday, in UTC or in `zone`."""

    name, gives, part_of = "is_weekend", BOOL, calendar.is_weekend
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


@operator
@dataclass(frozen=True)
class IsoWeek(_DatePart):
    """The week of ISO 8601, 1 to 53 (Int64), in UTC or in `zone`.

    Weeks begin on Monday, and week 1 has the year's first Thursday. So the first days of January may lie in week 52 or
    53, and the last of December in week 1: of the year that `iso_year` gives.
    """

    name, part_of = "iso_week", calendar.iso_week_of
    examples = (
        Example(
            lambda x: x.iso_week(),
            (
                ((_EXAMPLE,), 9),
                ((_LAST_OF_1969,), 1),
                ((_LAST_OF_2012,), 1),
                ((_FIRST_OF_2021,), 53),
                ((None,), None),
            ),
        ),
        Example(
            lambda x: x.iso_week("America/Los_Angeles"),
            (((_LAST_OF_2012,), 52), ((None,), None)),
        ),
    )


@operator
@dataclass(frozen=True)
class IsoYear(_DatePart):
    """The year to which ISO 8601 counts the week: the one in which its Thursday lies (Int64), in UTC or in `zone`."""

    name, part_of = "iso_year", calendar.iso_year_of
    examples = (
        Example(
            lambda x: x.iso_year(),
            (
                ((_EXAMPLE,), 2012),
                ((_LAST_OF_1969,), 1970),
                ((_LAST_OF_2012,), 2013),
                ((_FIRST_OF_2021,), 2020),
                ((None,), None),
            ),
        ),
        Example(
            lambda x: x.iso_year("America/Los_Angeles"),
            (((_LAST_OF_2012,), 2012), ((None,), None)),
        ),
    )
