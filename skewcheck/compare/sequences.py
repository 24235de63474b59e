"""How far apart two sequences are (room: compare)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edits:
    """The fewest edits that turn one sequence into another, without replacing any element.

    Attributes:
        insert: Elements of the first that the second lacks at its place.
        delete: Elements of the second that the first lacks.
    """

    insert: int
    delete: int

    @property
    def total(self) -> int:
        """All edits."""
        return self.insert + self.delete


def count_edits(left: Sequence[Any] | None, right: Sequence[Any] | None) -> Edits:
    """The edits that turn the right sequence into the left one; None is an empty sequence.

    What both begin and end with is passed over, so that long sequences with one difference are quick.
    """
    left, right = left or (), right or ()
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    common = _longest_common(left, right)
    return Edits(len(left) - common, len(right) - common)


def _longest_common(left: Sequence[Any], right: Sequence[Any]) -> int:
    """Length of the longest sequence that both contain in order."""
    row = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for place, other in enumerate(right, start=1):
            before, row[place] = row[place], before + 1 if one == other else max(row[place], row[place - 1])
    return row[-1]
