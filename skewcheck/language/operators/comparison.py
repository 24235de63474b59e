"""Comparison: numbers by value, strings by code point, instants by time.

Both sides are of one type; an Int64 beside a Float64 is widened. A comparison with a missing value is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, equal
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type

COMPARABLE = (FLOAT64, INT64, STRING, TIMESTAMP, BOOL)
ORDERED = (FLOAT64, INT64, STRING, TIMESTAMP)


@dataclass(frozen=True)
class _Comparison(Operator):
    """All sides of one type and in one unit; numbers by value, strings by code point, instants by time."""

    group, gives, same_unit = "choice", BOOL, True
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = (ORDERED, ORDERED)

    def result_type(self, *types: Type) -> Type:
        """Bool, for values of one type."""
        if len(set(types)) > 1:
            raise ValueError(f"compares values of one type, and these are {' and '.join(map(str, types))}")
        return BOOL


@operator
@dataclass(frozen=True)
class Equals(_Comparison):
    """Whether two values are equal; missing where either is missing."""

    name, symbol = "equals", "=="
    takes = (COMPARABLE, COMPARABLE)
    examples = (Example(lambda x, y: x == y, (((1.0, 1.0), True), ((0.0, -0.0), True), ((None, 1.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Equality of values."""
        return equal(x, y)


@operator
@dataclass(frozen=True)
class Differs(_Comparison):
    """Whether two values differ; missing where either is missing."""

    name, symbol = "differs", "!="
    takes = (COMPARABLE, COMPARABLE)
    examples = (Example(lambda x, y: x != y, (((1.0, 2.0), True), ((None, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Not equal."""
        return ~equal(x, y)


@operator
@dataclass(frozen=True)
class Less(_Comparison):
    """Whether x comes before y; missing where either is missing."""

    name, symbol = "less", "<"
    examples = (Example(lambda x, y: x < y, (((1.0, 2.0), True), ((2.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return x < y


@operator
@dataclass(frozen=True)
class AtMost(_Comparison):
    """Whether x is y or comes before it; missing where either is missing."""

    name, symbol = "at_most", "<="
    examples = (Example(lambda x, y: x <= y, (((2.0, 2.0), True), ((3.0, 2.0), False), ((3.0, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return x <= y


@operator
@dataclass(frozen=True)
class Greater(_Comparison):
    """Whether x comes after y; missing where either is missing."""

    name, symbol = "greater", ">"
    examples = (Example(lambda x, y: x > y, (((2.0, 1.0), True), ((2.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return y < x


@operator
@dataclass(frozen=True)
class AtLeast(_Comparison):
    """Whether x is y or comes after it; missing where either is missing."""

    name, symbol = "at_least", ">="
    examples = (Example(lambda x, y: x >= y, (((2.0, 2.0), True), ((1.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return y <= x


@operator
@dataclass(frozen=True)
class Between(_Comparison):
    """Whether x lies from `low` to `high`, both included: `(x >= low) & (x <= high)`, so never where low is above high.

    False where x is outside one of them, else missing where any of the three is missing.
    """

    name = "between"
    takes = (ORDERED, ORDERED, ORDERED)
    examples = (
        Example(
            lambda x: x.between(1, 2.5),
            (((1.0,), True), ((2.5,), True), ((0.9,), False), ((2.6,), False), ((None,), None)),
        ),
        Example(
            lambda x, low, high: x.between(low, high),
            (
                (("b", "a", "c"), True),
                (("b", "c", "a"), False),
                (("b", "c", None), False),
                (("b", None, "c"), None),
                ((None, "a", "c"), None),
            ),
        ),
        Example(
            lambda x: x.between(datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
            (((datetime(2024, 2, 29, 12, tzinfo=UTC),), True), ((datetime(2024, 3, 1, 0, 0, 1, tzinfo=UTC),), False)),
        ),
    )

    def expand(self, x: Term, low: Term, high: Term) -> Term:
        """Two comparisons."""
        return (low <= x) & (x <= high)
