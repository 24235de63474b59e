"""How many bits it takes to say something: of two explanations the shorter one is given (room: explain, values)."""

from __future__ import annotations

import math

import numpy as np

from skewcheck.explain.values.series import NEAR, Floats, Series, agree

MOST = 40.0
"""Bits of a float of which nothing is known."""


def bits_of_number(number: float) -> float:
    """A constant: a short decimal takes few bits, a number with all its digits takes about sixty."""
    if number == 0:
        return 2.0
    digits, _, exponent = f"{number:.17g}".partition("e") if not math.isfinite(number) else repr(number).partition("e")
    significant = digits.replace(".", "").replace("-", "").strip("0")
    return 4.0 + min(53.0, 3.33 * max(1, len(significant))) + (4.0 if exponent else 0.0)


def bits_of_constant(value: bool | float | str | tuple[float, ...]) -> float:
    """A constant of any type: a number, a vector number by number, a text letter by letter."""
    if isinstance(value, str):
        return 8.0 * len(value)
    return sum(bits_of_number(float(one)) for one in (value if isinstance(value, tuple) else (value,)))


def bits_of_choice(among: int) -> float:
    """One of so many."""
    return math.log2(max(1, among))


def bits_of_subset(chosen: float, total: float) -> float:
    """Which of the rows, without a rule that says so."""
    if total <= 0 or chosen <= 0 or chosen >= total:
        return 0.0
    share = chosen / total
    return -total * (share * math.log2(share) + (1 - share) * math.log2(1 - share))


def bits_of_residual(found: Series, expected: Series, *, near: float = NEAR, scale: float = 0.0) -> Floats:
    """For each row, what is still to be said when `expected` is known and `found` is asked for: 0 where they agree.

    A float that is near costs less than one that is far off; any other value costs what one of its kind costs.
    """
    same = agree(found, expected, near=near, scale=scale)
    if found.kind == "Float64":
        left, right = found.numbers(), expected.numbers()
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            unit = near * np.maximum(np.maximum(np.abs(left), np.abs(right)), max(scale, 1e-300))
            costs = 3.0 + np.log2(1.0 + np.abs(left - right) / unit)
        costs = np.where(np.isfinite(costs), np.minimum(costs, MOST), MOST)
    else:
        costs = np.full(len(found), bits_of_value(found))
    return np.where(same, 0.0, costs)


def bits_of_value(found: Series) -> float:
    """One value of a column that is not a float."""
    if found.kind == "Bool":
        return 1.0
    if found.kind == "Vector":
        distinct = len(np.unique(found.data[found.present], axis=0)) if found.present.any() else 1
    else:
        distinct = len(set(found.listed()))
    return 1.0 + math.log2(1 + distinct)
