"""A column of values in memory, and when two of them agree (room: explain, plain values)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

NEAR = 1e-9
"""Relative difference up to which two floats agree: what other rounding on the way can make of one number."""


@dataclass(frozen=True, eq=False)
class Series:
    """A column of values.

    Attributes:
        kind: The name of their type: Float64, Int64, Bool, String, Timestamp (microseconds) or Vector.
        data: The values; anything stands where one is missing. A Vector has two dimensions.
        missing: Where a value is missing.
    """

    kind: str
    data: npt.NDArray[Any]
    missing: Bools

    def __len__(self) -> int:
        return len(self.missing)

    @property
    def present(self) -> Bools:
        """Where a value is there."""
        return ~self.missing

    def numbers(self) -> Floats:
        """The values as floats, NaN where missing; for String and Vector NaN throughout."""
        if self.kind in {"String", "Vector"}:
            return np.full(len(self), np.nan)
        found = self.data.astype(np.float64)
        found[self.missing] = np.nan
        return found

    def listed(self) -> list[Any]:
        """The values as Python objects that can be keys, None where missing."""
        rows = self.data.tolist()
        return [
            None if gone else tuple(row) if isinstance(row, list) else row
            for row, gone in zip(rows, self.missing.tolist(), strict=True)
        ]

    def take(self, rows: npt.NDArray[Any]) -> Series:
        """Some of the rows, by a mask or by places."""
        return Series(self.kind, self.data[rows], self.missing[rows])

    @property
    def scale(self) -> float:
        """The magnitude of a middling number of them, 0 where there is none."""
        numbers = np.abs(self.data[self.present].astype(np.float64)) if self.kind == "Float64" else np.array([])
        numbers = numbers[np.isfinite(numbers)]
        return float(np.median(numbers)) if len(numbers) else 0.0


def make_series(kind: str, values: Sequence[Any]) -> Series:
    """A column of Python values; None is missing, and so is NaN."""
    missing = np.array([value is None or value != value for value in values], dtype=bool)
    if kind == "Vector":
        width = next((len(value) for value in values if value is not None), 0)
        rows = [[np.nan] * width if value is None else value for value in values]
        return Series(kind, np.array(rows, dtype=np.float64).reshape(len(values), width), missing)
    empty, dtype = {
        "Float64": (0.0, np.float64),
        "Int64": (0, np.int64),
        "Timestamp": (0, np.int64),
        "Bool": (False, np.bool_),
        "String": ("", object),
    }[kind]
    plain = [empty if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]
    return Series(kind, np.array(plain, dtype=dtype), missing)


def agree(left: Series, right: Series, *, near: float = NEAR, scale: float = 0.0) -> Bools:
    """Where two columns have the same value; missing agrees with missing.

    Args:
        left: A column.
        right: Another, of the same type or both of numbers.
        near: Relative difference up to which floats agree.
        scale: A magnitude that the difference may also be relative to: that of the numbers they were computed from.
    """
    if left.kind == right.kind and left.kind != "Float64":
        if left.kind == "Vector":
            if left.data.shape != right.data.shape:
                return left.missing & right.missing
            with np.errstate(invalid="ignore", over="ignore"):
                bound = near * np.maximum(np.abs(left.data), np.abs(right.data))
                same = (np.abs(left.data - right.data) <= bound).all(axis=1)
        else:
            same = np.asarray(left.data == right.data, dtype=bool)
    else:
        same = agree_numbers(left.numbers(), right.numbers(), near=near, scale=scale)
    return np.where(left.missing | right.missing, left.missing & right.missing, same)


def agree_numbers(left: Floats, right: Floats, *, near: float = NEAR, scale: float = 0.0) -> Bools:
    """Where two columns of floats agree; a NaN never does."""
    with np.errstate(invalid="ignore", over="ignore"):
        bound = near * np.maximum(np.maximum(np.abs(left), np.abs(right)), scale)
        both = np.isfinite(left) & np.isfinite(right)
        return np.asarray((both & (np.abs(left - right) <= bound)) | (left == right))


def count_pairs(left: Series, right: Series, rows: Bools) -> int:
    """How many different pairs of values some rows have."""
    return len(set(zip(left.take(rows).listed(), right.take(rows).listed(), strict=True)))


def count_differences(left: Series, right: Series, rows: Bools) -> int:
    """How many different differences, to six digits, some rows of two columns have: 0 for what is no float."""
    if left.kind == "Vector" and left.data.shape == right.data.shape:
        apart = (right.data - left.data)[rows].ravel()
    elif left.kind == "Float64":
        apart = (right.numbers() - left.numbers())[rows]
    else:
        return 0
    return len({f"{number:.6g}" for number in apart[np.isfinite(apart)].tolist()})
