"""The types a value can have, and the rule for missing values.

Every type has one missing value. At the boundary of the language null and NaN are both read as missing, and so is an
infinity: a Float64 is finite or missing. A Timestamp is an instant in UTC with microseconds, in the years 1 to 9999.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

TIMESTAMP_MIN = -62_135_596_800_000_000
"""0001-01-01T00:00:00Z in microseconds since 1970."""
TIMESTAMP_MAX = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the language; `size` is the length of a Vector and None for every other type."""

    name: str
    size: int | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name}({self.size})"


FLOAT64 = Type("Float64")
INT64 = Type("Int64")
BOOL = Type("Bool")
STRING = Type("String")
TIMESTAMP = Type("Timestamp")

SCALARS = {scalar.name: scalar for scalar in (FLOAT64, INT64, BOOL, STRING, TIMESTAMP)}


def vector(size: int) -> Type:
    """The type of a list of exactly `size` Float64 values."""
    return Type("Vector", size)


def parse_type(text: str) -> Type:
    """The type that `str` prints as `text`.

    Raises:
        ValueError: There is no such type.
    """
    if text in SCALARS:
        return SCALARS[text]
    if matched := re.fullmatch(r"Vector\(([1-9][0-9]*)\)", text):
        return vector(int(matched[1]))
    raise ValueError(f"{text!r} is not a type; the types are {', '.join(SCALARS)} and Vector(n)")
