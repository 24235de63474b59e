"""Exact sums in SQL: every number becomes whole numbers ("digits") that an engine adds without rounding.

A Float64 is cut at fixed powers of two into digits of some bits each: x = Σ digit × 2^(low + width × place). Sums of
digits are whole numbers, so they can be added in any order, stored, and merged; the sum of x is computed from them.
How many digits there are depends on the least and the greatest number, which are looked up before.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from skewcheck.engines.sql import literal_text
from skewcheck.language.windows.parts import SMALLEST

SUM_BITS = 125
"""The bits of a sum that 128 bits, or 38 decimal digits, are sure to hold."""

SUM_WIDTH = 60
"""The bits of a digit, where there are several."""

SQUARE_WIDTH = 30
"""The bits of a digit whose products fit into an Int64."""

SQUARE_DIGITS = 5
"""How many of these there are at most: five products still fit."""


@dataclass(frozen=True, slots=True)
class Span:
    """The powers of two between which the numbers of a Float64 column lie.

    Attributes:
        low: Every number is a whole number of 2^low.
        high: Every number is below 2^high.
        count: There are at most so many numbers.
    """

    low: int
    high: int
    count: int

    def digits(self, width: int) -> int:
        """How many digits of so many bits there are."""
        return max(1, -(-(self.high - self.low) // width))

    @property
    def in_one(self) -> bool:
        """Whether a sum of all numbers fits into one whole number of 128 bits."""
        return self.high - self.low + self.count.bit_length() <= SUM_BITS

    @property
    def squares_in_digits(self) -> bool:
        """Whether the sum of squares is kept as sums of products of digits; the numbers themselves are otherwise."""
        return self.digits(SQUARE_WIDTH) <= SQUARE_DIGITS

    def covers(self, other: Span) -> bool:
        """Whether digits for these numbers hold those as well."""
        return self.low <= other.low and other.high <= self.high and other.count <= self.count


def measure_span(least: float | None, greatest: float | None, count: int) -> Span:
    """The span of numbers, given the least and greatest magnitude that is not zero, None where there is none."""
    if least is None or greatest is None:
        return Span(0, 1, count)
    return Span(max(math.frexp(least)[1] - 53, -SMALLEST), math.frexp(greatest)[1], count)


def write_measures(columns: Iterable[str], quote_name: Callable[[str], str]) -> str:
    """SQL text of what `read_spans` reads: three aggregates for each Float64 column."""
    return ", ".join(
        f"min(abs({name})) FILTER (WHERE {name} <> 0e0), max(abs({name})) FILTER (WHERE {name} <> 0e0), count({name})"
        for name in map(quote_name, columns)
    )


def read_spans(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Span]:
    """For each column the span of its numbers, given the row that `write_measures` asks for."""
    return {column: measure_span(*row[3 * place : 3 * place + 3]) for place, column in enumerate(columns)}


def times_power(text: str, exponent: int) -> str:
    """SQL text of a number times a power of two, in steps that are Float64 constants."""
    while exponent:
        step = max(-1000, min(1000, exponent))
        text, exponent = f"{text} * {literal_text(2.0**step)}", exponent - step
    return text


def write_digits(text: str, span: Span, width: int, cut: str) -> list[str]:
    """SQL text of each digit of a Float64, the lowest first: whole numbers, still as Float64.

    Args:
        text: SQL text of the number.
        span: The span of such numbers.
        width: The bits of a digit.
        cut: How the engine writes a Float64 without its fraction.
    """
    count = span.digits(width)
    cuts = [cut.format(times_power(text, -(span.low + width * place))) for place in range(count)]
    digits = []
    for place in range(count - 1):
        # A number this great ends above this digit; its quotient might not even be a Float64.
        end = span.low + width * (place + 1) + 52
        digit = f"{cuts[place]} - {times_power(cuts[place + 1], width)}"
        if end < sys.float_info.max_exp:
            digit = f"CASE WHEN abs({text}) < {literal_text(2.0**end)} THEN {digit} ELSE 0e0 END"
        digits.append(digit)
    return [*digits, cuts[-1]]


def write_whole_digits(text: str) -> list[str]:
    """SQL text of the digits of an Int64, of `SQUARE_WIDTH` bits each; the highest has the sign."""
    mask = 2**SQUARE_WIDTH - 1
    return [f"({text} & {mask})", f"(({text} >> {SQUARE_WIDTH}) & {mask})", f"({text} >> {2 * SQUARE_WIDTH})"]


def write_squares(digits: Sequence[str]) -> list[str]:
    """SQL text of the digits of a square, given those of the number; each is an Int64."""
    places: dict[int, list[str]] = {}
    for low, one in enumerate(digits):
        for high, other in enumerate(digits[low:], low):
            places.setdefault(low + high, []).append(f"{'' if low == high else '2 * '}{one} * {other}")
    return [" + ".join(places[place]) for place in sorted(places)]


def join_digits(sums: Sequence[int], width: int, low: int) -> int:
    """The whole number of 2^low... that digits stand for, shifted by `low` bits."""
    return sum(digit << (width * place) for place, digit in enumerate(sums)) << low
