"""Constants: which Python values can stand in a declaration, and as what."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from skewcheck.errors import DeclarationError
from skewcheck.language.types import INT64_MAX, INT64_MIN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def plain_constant(value: object) -> bool | int | float | str | datetime:
    """A Python value as exactly a bool, int, float, str, or datetime in UTC.

    What a subclass prints as never reaches generated code.

    Raises:
        DeclarationError: The value is of no type of the language, or outside its range.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            raise DeclarationError(f"the constant {value:d} does not fit an Int64", remedy="Write it as a float.")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DeclarationError(
                f"the constant {value!r} is not a Float64: a Float64 is finite or missing",
                remedy='Use sk.missing("Float64") for a missing value.',
            )
        return float(value)
    if isinstance(value, str):
        try:
            return value.encode().decode()
        except UnicodeEncodeError as error:
            raise DeclarationError(
                f"the string {value!r} has a lone surrogate, which is no Unicode text", remedy="Remove it."
            ) from error
    if isinstance(value, datetime):
        return _plain_instant(value)
    if value is None:
        raise DeclarationError(
            "None is no constant",
            remedy='Use sk.missing("Float64") for a missing value, and x.is_missing() to ask for one.',
        )
    raise DeclarationError(
        f"a {type(value).__name__} ({value!r}) cannot be part of an expression",
        remedy="Use a column, or a bool, int, float, str or datetime constant.",
    )


def microseconds_since_1970(instant: datetime) -> int:
    """An instant as the whole number that engines hold."""
    return (instant - EPOCH) // _MICROSECOND


def _plain_instant(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise DeclarationError(
            f"the constant {value!r} has no time zone, so it is no instant",
            remedy="Give it one: datetime(2024, 1, 1, tzinfo=UTC).",
        )
    try:
        return EPOCH + timedelta(microseconds=microseconds_since_1970(value))
    except OverflowError as error:
        raise DeclarationError(
            f"the constant {value!r} lies outside the years 1 to 9999 in UTC", remedy="Use one inside them."
        ) from error
