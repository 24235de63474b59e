"""Holidays: dates from a list that the declaration gives, because every place and business has its own.

A date is the one on the wall clock of `zone`. Which dates are listed is part of the feature's meaning: a list that ends
in 2024 knows no holiday of 2025, so serving wants a list that reaches beyond the life of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from skewcheck.language import clock
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.time import INSTANT
from skewcheck.language.terms import Term, call, restrict
from skewcheck.language.types import BOOL, INT64

_EPOCH = date(1970, 1, 1)
_CHRISTMAS = ("2024-12-25", "2024-12-26")


@dataclass(frozen=True)
class _Holidays(Operator):
    """The base of what is asked of a list of dates."""

    dates: tuple[str, ...]
    zone: str = "UTC"
    group, takes = "time", (INSTANT,)

    def check(self) -> None:
        """Distinct dates, kept in order as ISO 8601 text, and an IANA zone."""
        object.__setattr__(self, "dates", _check_dates(self.dates))
        clock.read_zone(self.zone)

    def days(self) -> tuple[int, ...]:
        """The dates as days since 1970, ascending."""
        return tuple((date.fromisoformat(text) - _EPOCH).days for text in self.dates)


@operator
@dataclass(frozen=True)
class IsHoliday(_Holidays):
    """Whether the date is among `dates` (a list of "YYYY-MM-DD" or `datetime.date`), in UTC or in `zone`.

    False for every date that is not listed, also outside the years of the list; missing stays missing.
    """

    name, gives = "is_holiday", BOOL
    examples = (
        Example(
            lambda x: x.is_holiday(_CHRISTMAS),
            (
                ((datetime(2024, 12, 24, 23, 59, 59, tzinfo=UTC),), False),
                ((datetime(2024, 12, 25, tzinfo=UTC),), True),
                ((datetime(2024, 12, 26, 23, 59, 59, tzinfo=UTC),), True),
                ((datetime(2025, 12, 25, tzinfo=UTC),), False),
                ((None,), None),
            ),
        ),
        Example(
            lambda x: x.is_holiday([date(1969, 12, 31)], "Asia/Tokyo"),
            (
                ((datetime(1969, 12, 30, 15, tzinfo=UTC),), True),
                ((datetime(1969, 12, 31, 15, tzinfo=UTC),), False),
                ((None,), None),
            ),
        ),
    )

    def expand(self, instant: Term) -> Term:
        """A look-up whose result does not matter."""
        found = call("lookup", clock.local_days(instant, self.zone), parameter=tuple((day, 1) for day in self.days()))
        return restrict(~call("is_missing", found), ~call("is_missing", instant))


@operator
@dataclass(frozen=True)
class DaysToHoliday(_Holidays):
    """Days from the date to the next one among `dates` (as `is_holiday` takes them), 0 on it (Int64, in days).

    In UTC or in `zone`. Missing after the last of the dates; missing stays missing.
    """

    name, gives = "days_to_holiday", INT64
    examples = (
        Example(
            lambda x: x.days_to_holiday(_CHRISTMAS),
            (
                ((datetime(2024, 12, 1, 12, tzinfo=UTC),), 24),
                ((datetime(2024, 12, 25, 12, tzinfo=UTC),), 0),
                ((datetime(2024, 12, 26, 23, 59, 59, tzinfo=UTC),), 0),
                ((datetime(2024, 12, 27, tzinfo=UTC),), None),
                ((None,), None),
            ),
        ),
        Example(
            lambda x: x.days_to_holiday(_CHRISTMAS, zone="Asia/Tokyo"),
            (((datetime(2024, 12, 24, 14, 59, tzinfo=UTC),), 1), ((datetime(2024, 12, 24, 15, tzinfo=UTC),), 0)),
        ),
    )

    def result_unit(self, *_units: str | None) -> str | None:
        """Days."""
        return "day"

    def expand(self, instant: Term) -> Term:
        """A search for the date among the days after each of the dates."""
        today, days = clock.local_days(instant, self.zone), self.days()
        following = call("interval", today, parameter=(tuple(day + 1 for day in days), (*days, days[-1])))
        return restrict(following - today, today <= days[-1])


def _check_dates(dates: object) -> tuple[str, ...]:
    """Dates in order, as ISO 8601 text.

    Raises:
        TypeError: It is no list.
        ValueError: There is none, one is malformed, or one stands there twice.
    """
    if isinstance(dates, str) or not isinstance(dates, Iterable):
        raise TypeError(f"dates must be a list of dates, and is {dates!r}")
    texts = sorted(_check_date(value) for value in dates)
    if not texts:
        raise ValueError("dates must have at least one date, and has none")
    if twice := [text for text, count in Counter(texts).items() if count > 1]:
        raise ValueError(f"dates has {', '.join(twice)} more than once")
    return tuple(texts)


def _check_date(value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        try:
            if date.fromisoformat(value).isoformat() == value:
                return str(value)
        except ValueError:
            pass
    raise ValueError(f'dates must be dates such as "2024-12-25" or datetime.date(2024, 12, 25), and one is {value!r}')
