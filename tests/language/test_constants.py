"""A constant is exactly a value of the language, whatever class it comes as."""

from __future__ import annotations

import enum
import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from skewcheck.errors import DeclarationError
from skewcheck.language.constants import microseconds_since_1970, plain_constant


class Colour(enum.IntEnum):
    """A whole number with a name."""

    RED = 1


class Word(str):
    """Text that prints as code."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "os.system('ls')"


class Moment(datetime):
    """A time that prints as code."""

    def __repr__(self) -> str:
        return "now()"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (True, True),
        (Colour.RED, 1),
        (2**63 - 1, 2**63 - 1),
        (-0.0, -0.0),
        (Word("a"), "a"),
        (datetime(2024, 3, 31, 3, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2024, 3, 31, 1, tzinfo=UTC)),
        (
            datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
            datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
        ),
        (
            Moment(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ),
        (datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_becomes_plain(value: Any, plain: Any) -> None:
    found = plain_constant(value)
    assert type(found) is type(plain)
    assert repr(found) == repr(plain)


EAST, WEST = timezone(timedelta(hours=1)), timezone(timedelta(hours=-1))


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (2**63, "does not fit an Int64"),
        (-(2**63) - 1, "does not fit an Int64"),
        (math.nan, "finite or missing"),
        (-math.inf, "finite or missing"),
        ("\ud800", "lone surrogate"),
        (None, "None is no constant"),
        (b"a", "a bytes"),
        (date(2024, 1, 1), "a date"),
        ([1], "a list"),
        (datetime(2024, 1, 1), "no time zone"),  # noqa: DTZ001
        (datetime(1, 1, 1, tzinfo=EAST), "years 1 to 9999"),
        (datetime(9999, 12, 31, 23, 30, tzinfo=WEST), "years 1 to 9999"),
    ],
)
def test_is_refused(value: Any, match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        plain_constant(value)


def test_an_instant_is_whole_microseconds() -> None:
    assert microseconds_since_1970(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    assert microseconds_since_1970(datetime(1, 1, 1, tzinfo=UTC)) == -62_135_596_800_000_000
