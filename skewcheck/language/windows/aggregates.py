"""Aggregates: each one small class with its types, its constants, the parts it keeps, and what it makes of them.

`finish` is given the parts' states in their order. Generated updaters hold it as it stands here, so it calls what
`parts` defines and names of the standard library alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from skewcheck.language.types import BOOL, FLOAT64, INT64, INT64_MAX, INT64_MIN, STRING, TIMESTAMP, Type
from skewcheck.language.units import multiply_units
from skewcheck.language.windows.aggregate import Aggregate, Placed, VectorOf, check_size
from skewcheck.language.windows.parts import (
    HASH_BITS,
    SMALLEST,
    Count,
    Distinct,
    Extremes,
    Part,
    Sketch,
    Total,
    Values,
    divide,
    pad,
)

NUMBERS = (FLOAT64, INT64)
ORDERED = (FLOAT64, INT64, TIMESTAMP)
ANY = (FLOAT64, INT64, BOOL, STRING, TIMESTAMP)


@dataclass(frozen=True)
class CountOf(Aggregate):
    """How many values there are, or events; 0 where there are none."""

    name, takes, gives, of_events = "count", ANY, INT64, True

    def parts(self) -> tuple[Part, ...]:
        """The count."""
        return (Count(),)

    def finish(self, count: int) -> int:
        """As it is."""
        return count


@dataclass(frozen=True)
class Sum(Aggregate):
    """The exact sum, rounded once; of Int64 an Int64. Missing where it does not fit."""

    name, takes, keeps_unit = "sum", NUMBERS, True

    def parts(self) -> tuple[Part, ...]:
        """The count and the sum."""
        return Count(), Total(self.whole)

    def finish(self, count: int, total: int) -> float | None:
        """The sum in the column's type."""
        if count == 0:
            return None
        if self.whole:
            return total if -(2**63) <= total < 2**63 else None
        return divide(total, 1 << SMALLEST)


@dataclass(frozen=True)
class Mean(Aggregate):
    """The sum as a Float64, divided by the count; missing where the sum does not fit."""

    name, takes, gives, keeps_unit = "mean", NUMBERS, FLOAT64, True

    def parts(self) -> tuple[Part, ...]:
        """The count and the sum."""
        return Count(), Total(self.whole)

    def finish(self, count: int, total: int) -> float | None:
        """The quotient."""
        rounded = divide(total, 1 if self.whole else 1 << SMALLEST)
        return None if count == 0 or rounded is None else rounded / count


@dataclass(frozen=True)
class Variance(Aggregate):
    """The population's variance (ddof 0), exact and rounded once; missing where it does not fit."""

    name, takes, gives = "variance", NUMBERS, FLOAT64

    def result_unit(self, unit: str | None) -> str | None:
        """The square of the unit."""
        return multiply_units(unit, unit)

    def parts(self) -> tuple[Part, ...]:
        """The count, the sum, and the sum of the squares."""
        return Count(), Total(self.whole), Total(self.whole, power=2)

    def finish(self, count: int, total: int, squares: int) -> float | None:
        """The mean of the squares without the square of the mean."""
        unit = 1 if self.whole else 1 << 2 * SMALLEST
        return divide(count * squares - total * total, count * count * unit) if count else None


@dataclass(frozen=True)
class StandardDeviation(Variance):
    """The square root of the variance as a Float64; missing where the variance is."""

    name = "standard_deviation"

    def result_unit(self, unit: str | None) -> str | None:
        """The unit itself."""
        return unit

    def finish(self, count: int, total: int, squares: int) -> float | None:
        """The root."""
        variance = Variance.finish(self, count, total, squares)
        return None if variance is None else sqrt(variance)


@dataclass(frozen=True)
class Min(Aggregate):
    """The least value."""

    name, takes, keeps_unit = "min", ORDERED, True

    def parts(self) -> tuple[Part, ...]:
        """The least value."""
        return (Extremes("value", greatest=False),)

    def finish(self, least: list[Any]) -> Any:
        """That value."""
        return least[0] if least else None


@dataclass(frozen=True)
class Max(Aggregate):
    """The greatest value."""

    name, takes, keeps_unit = "max", ORDERED, True

    def parts(self) -> tuple[Part, ...]:
        """The greatest value."""
        return (Extremes("value", greatest=True),)

    def finish(self, greatest: list[Any]) -> Any:
        """That value."""
        return greatest[0] if greatest else None


@dataclass(frozen=True)
class First(Placed):
    """The first value, or the `place`-th first; missing where there are not so many."""

    name, takes, keeps_unit = "first", ANY, True

    def parts(self) -> tuple[Part, ...]:
        """So many first entries."""
        return (Extremes("entry", greatest=False, size=self.place),)

    def finish(self, first: list[Any]) -> Any:
        """The value of the last of them."""
        return first[-1][2] if len(first) == self.place else None


@dataclass(frozen=True)
class Last(Placed):
    """The last value, or the `place`-th last; missing where there are not so many."""

    name, takes, keeps_unit = "last", ANY, True

    def parts(self) -> tuple[Part, ...]:
        """So many last entries."""
        return (Extremes("entry", greatest=True, size=self.place),)

    def finish(self, last: list[Any]) -> Any:
        """The value of the first of them."""
        return last[0][2] if len(last) == self.place else None


@dataclass(frozen=True)
class LastK(VectorOf):
    """The last `k` values as a vector, the last one first; of fewer, `fill` stands in the empty places.

    Missing without any value, and with fewer than `k` where there is no `fill`.
    """

    name, takes, keeps_unit = "last_k", (FLOAT64,), True

    def parts(self) -> tuple[Part, ...]:
        """The last entries."""
        return (Extremes("entry", greatest=True, size=self.k),)

    def finish(self, last: list[Any]) -> list[float] | None:
        """Their values."""
        return pad([entry[2] for entry in reversed(last)], self.k, self.fill)


@dataclass(frozen=True)
class TopK(VectorOf):
    """The `k` greatest values as a vector, the greatest first; of fewer, `fill` stands in the empty places.

    Missing without any value, and with fewer than `k` where there is no `fill`.
    """

    name, takes, keeps_unit = "top_k", (FLOAT64,), True

    def parts(self) -> tuple[Part, ...]:
        """The greatest values."""
        return (Extremes("value", greatest=True, size=self.k),)

    def finish(self, greatest: list[Any]) -> list[float] | None:
        """In descending order."""
        return pad(greatest[::-1], self.k, self.fill)


@dataclass(frozen=True)
class Quantile(Aggregate):
    """The quantile at a share from 0 to 1 (0.5 is the median), interpolated linearly, exact and rounded once.

    The share is the decimal number as it is written.
    """

    name, takes, gives, keeps_unit = "quantile", NUMBERS, FLOAT64, True
    share: float

    def check(self, _column: Type | None) -> None:
        """A share from 0 to 1."""
        if type(self.share) not in (int, float) or not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share!r}, expected a number from 0 to 1")

    def parts(self) -> tuple[Part, ...]:
        """Every value."""
        return (Values(),)

    def finish(self, values: list[Any]) -> float | None:
        """Between the two neighbours of the share's position."""
        if not values:
            return None
        ordered = sorted(values)
        position = Fraction(str(self.share)) * (len(ordered) - 1)
        below = position.numerator // position.denominator
        low, high = Fraction(ordered[below]), Fraction(ordered[min(below + 1, len(ordered) - 1)])
        return float(low + (high - low) * (position - below))


@dataclass(frozen=True)
class DistinctCount(Aggregate):
    """How many different values there are; 0 where there are none."""

    name, takes, gives = "distinct_count", ANY, INT64

    def parts(self) -> tuple[Part, ...]:
        """The values, each once."""
        return (Distinct(),)

    def finish(self, values: set[Any]) -> int:
        """Their number."""
        return len(values)


@dataclass(frozen=True)
class ApproximateDistinctCount(Aggregate):
    """How many different values there are, estimated from the `size` least of their hashes.

    Exact below `size`; above, the relative error is about 1 / √`size` (one standard deviation). It is the same on every
    path, also where parts were merged.
    """

    name, takes, gives = "approximate_distinct_count", (STRING, INT64), INT64
    size: int = 1024

    def check(self, _column: Type | None) -> None:
        """A size from 16 on."""
        check_size("size", self.size, least=16)

    def parts(self) -> tuple[Part, ...]:
        """The hashes."""
        return (Sketch(self.size),)

    def finish(self, hashes: list[int]) -> int:
        """The number, or how many lie as densely over all hashes as these do below the greatest of them."""
        if len(hashes) < self.size:
            return len(hashes)
        return ((self.size - 1) << HASH_BITS) // max(hashes[-1], 1)


@dataclass(frozen=True)
class MostFrequent(Placed):
    """The most frequent value, or the `place`-th most frequent; of equally frequent ones the least comes first.

    Missing where there are not so many different values.
    """

    name, takes, keeps_unit = "most_frequent", (BOOL, INT64, STRING), True

    def parts(self) -> tuple[Part, ...]:
        """Every value."""
        return (Values(),)

    def finish(self, values: list[Any]) -> Any:
        """By frequency, then value."""
        ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
        return ranked[self.place - 1][0] if len(ranked) >= self.place else None


@dataclass(frozen=True)
class Share(Aggregate):
    """The share of the values that equal `category`, from 0 to 1."""

    name, takes, gives = "share", (BOOL, INT64, STRING), FLOAT64
    category: Any

    def check(self, column: Type | None) -> None:
        """A value of the column's type."""
        kinds = {BOOL: bool, INT64: int, STRING: str}
        if column in kinds and type(self.category) is not kinds[column]:
            raise ValueError(f"category is {self.category!r}, expected a {column}")
        if column == INT64 and not INT64_MIN <= self.category <= INT64_MAX:
            raise ValueError(f"category is {self.category!r}, which is no Int64")

    def parts(self) -> tuple[Part, ...]:
        """The count of the category and of all."""
        return Count(self.category), Count()

    def finish(self, equal: int, count: int) -> float | None:
        """The quotient."""
        return equal / count if count else None


@dataclass(frozen=True)
class TimeSinceLast(Aggregate):
    """Seconds since the last event, or the last one that has a value."""

    name, takes, gives, of_events = "time_since_last", ANY, FLOAT64, True

    def result_unit(self, _unit: str | None) -> str | None:
        """Seconds."""
        return "second"

    def parts(self) -> tuple[Part, ...]:
        """The greatest event time."""
        return (Extremes("event", greatest=True),)

    def value_at(self, at: int, *states: Any) -> float | None:
        """The distance to the instant."""
        (newest,) = states
        return (at - newest[0]) / 1_000_000 if newest else None
