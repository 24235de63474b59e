"""The proleptic Gregorian calendar, spelled in primitives: dates as whole days since 1970-01-01.

Years, months and days follow Howard Hinnant's `civil_from_days`, whole-number arithmetic that is exact for every
instant of a Timestamp. Weeks are those of ISO 8601.
"""

from __future__ import annotations

from skewcheck.language.terms import Term, choose

MARCH_0 = 719_468
"""Days from 0000-03-01 to 1970-01-01. A year that begins in March has its leap day at its end."""
JANUARY_1 = 719_162
"""Days from 0001-01-01 to 1970-01-01."""


def year_of(days: Term) -> Term:
    """The year; the one before year 1 is 0."""
    year, month_from_march, _ = _from_march(days)
    return choose(month_from_march >= 10, year + 1, year)


def month_of(days: Term) -> Term:
    """The month, 1 to 12."""
    _, month_from_march, _ = _from_march(days)
    return choose(month_from_march >= 10, month_from_march - 9, month_from_march + 3)


def quarter_of(days: Term) -> Term:
    """The quarter of the year, 1 to 4."""
    return (month_of(days) + 2) // 3


def day_of_month(days: Term) -> Term:
    """The day of the month, 1 to 31."""
    _, month_from_march, day = _from_march(days)
    return day - _days_before_month(month_from_march) + 1


def day_of_year(days: Term) -> Term:
    """The day of the year, 1 to 366."""
    return days - first_of_year(days) + 1


def weekday_of(days: Term) -> Term:
    """The day of the week, 0 for Monday to 6 for Sunday."""
    # 1970-01-01 was a Thursday.
    return (days + 3) % 7


def is_weekend(days: Term) -> Term:
    """Whether it is Saturday or Sunday."""
    return weekday_of(days) >= 5


def iso_year_of(days: Term) -> Term:
    """The year in which the week's Thursday lies, to which ISO 8601 counts the week."""
    return year_of(_thursday(days))


def iso_week_of(days: Term) -> Term:
    """The ISO 8601 week, 1 to 53: how many Thursdays the year has had when this week is over."""
    return (day_of_year(_thursday(days)) - 1) // 7 + 1


def first_of_week(days: Term) -> Term:
    """The Monday of the week."""
    return days - weekday_of(days)


def first_of_month(days: Term) -> Term:
    """The first day of the month."""
    return days - day_of_month(days) + 1


def first_of_quarter(days: Term) -> Term:
    """The first day of January, April, July or October."""
    _, month_from_march, day = _from_march(days)
    # April, July and October are months 1, 4 and 7 after March; January begins the year.
    start = month_from_march - (month_from_march + 2) % 3
    later = days - day + _days_before_month(start)
    return choose(month_of(days) <= 3, first_of_year(days), later)


def first_of_year(days: Term) -> Term:
    """The first of January."""
    before = year_of(days) - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - JANUARY_1


def _thursday(days: Term) -> Term:
    return first_of_week(days) + 3


def _from_march(days: Term) -> tuple[Term, Term, Term]:
    """The year that began on the last first of March, months since then, and days since then."""
    shifted = days + MARCH_0
    era = shifted // 146_097
    day_of_era = shifted % 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day = day_of_era - (year_of_era * 365 + year_of_era // 4 - year_of_era // 100)
    month_from_march = (day * 5 + 2) // 153
    return year_of_era + era * 400, month_from_march, day


def _days_before_month(month_from_march: Term) -> Term:
    """Days from the first of March to the first of a month that is counted from March."""
    return (month_from_march * 153 + 2) // 5
