"""What is counted of every fault, whichever log it was planted in, and the floors that the counts are held to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAST_TOUCHED = 0.001
"""Share of the rows that a fault must touch to be counted."""

SINGLE_FLOOR, PAIR_FLOOR = 0.95, 0.8
"""Shares of single faults whose kind comes first, and of pairs of which both are named."""

ERROR_LIMITS = {"statistics": 1e-6, "unit": 1e-6, "stale": 1.0, "residual": 0.02}
"""The largest error by kind: relative, in steps of the source for what is stale, as a share for residuals."""


@dataclass(frozen=True)
class Judged:
    """One fault and what was said to it.

    Attributes:
        log: In which log it was planted.
        kinds: For each part of the fault the kinds that are true of it; the first is the planted one.
        what: The fault in words.
        touched: The share of the rows whose value it changed.
        detected: Whether it was seen.
        named: The kinds of the causes, those that explain most first.
        error: The error of the numbers that had to be solved; None where there are none.
        located: Whether the slice and the time were told; None where there are none to tell.
    """

    log: str
    kinds: tuple[tuple[str, ...], ...]
    what: str
    touched: float
    detected: bool
    named: tuple[str, ...]
    error: float | None = None
    located: bool | None = None

    @property
    def kind(self) -> str:
        """The kind of the first part."""
        return self.kinds[0][0]

    @property
    def first(self) -> bool:
        """Whether the first cause is right; of a fault of several parts, whether all are named."""
        if len(self.kinds) == 1:
            return bool(self.named) and self.named[0] in self.kinds[0]
        return self.within(len(self.named))

    def within(self, count: int) -> bool:
        """Whether every part is among the first causes."""
        named = list(self.named[:count])
        for wanted in self.kinds:
            found = next((kind for kind in named if kind in wanted), None)
            if found is None:
                return False
            named.remove(found)
        return True


def keep_counted(faults: Iterable[Judged]) -> list[Judged]:
    """Those that touch enough rows."""
    return [one for one in faults if one.touched >= LEAST_TOUCHED]


def find_failed(name: str, faults: Sequence[Judged]) -> list[str]:
    """The floors of single faults below which a scenario is."""
    unseen = sum(not one.detected for one in faults)
    failed = [f"{name}: {unseen} not detected"] if unseen else []
    if sum(one.first for one in faults) < SINGLE_FLOOR * len(faults):
        failed.append(f"{name}: kind first")
    return failed


def find_worst(faults: Iterable[Judged]) -> float | None:
    """The largest error of those whose kind comes first; None where nothing had to be solved."""
    return max((one.error for one in faults if one.first and one.error is not None), default=None)


def say_error(kind: str, error: float | None) -> str:
    """An error with its unit."""
    if error is None:
        return ""
    if math.isinf(error):
        return "not told"
    return {"stale": f"{error:.2f} steps", "residual": f"{100 * error:.1f} points"}.get(kind, f"{error:.1e}")
