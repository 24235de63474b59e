"""Decimal grids: numbers that were rounded lie on one, others do not (room: explain, values)."""

from __future__ import annotations

import numpy as np

from skewcheck.explain.values.series import Floats

MODES = ("round", "half_even", "exact", "floor", "ceil", "cut")
MOST_DECIMALS = 10
WHOLE = 0.9
PARTIAL = 2
SHARE = 0.05
"""Share of the numbers that must lie on a grid for it to be looked at."""


def find_grid(values: Floats, wanted: Floats) -> list[int]:
    """Numbers of decimals to which `wanted` may be `values` rounded: the fewest that all have, and those that some do.

    NaN stands where nothing is known.
    """
    known = np.isfinite(values) & np.isfinite(wanted)
    values, wanted = values[known], wanted[known]
    if len(wanted) < 2:
        return []
    found: list[int] = []
    for decimals in range(MOST_DECIMALS + 1):
        power = 10.0**decimals
        with np.errstate(all="ignore"):
            off = np.abs(wanted * power - np.round(wanted * power))
            # A number that is far from training's was not rounded but changed.
            near = np.abs(wanted - values) * power <= 1.0 + 1e-6
        noise = np.minimum(1e-6 + np.abs(wanted) * power * 1e-12, 1e-3)
        on = (off <= noise) & near
        if on.mean() >= SHARE and (~_on_grid(values[on], power)).mean() > 0.5 and np.abs(wanted).max() * power < 2**50:
            whole = bool(on.mean() > WHOLE)
            if whole or len(found) < PARTIAL:
                found.append(decimals)
            if whole:
                break
    return found


def find_decimals(values: Floats) -> int | None:
    """The fewest decimals that nearly all numbers have; None where they have as many as a float can."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return None
    for decimals in range(7):
        if _on_grid(values, 10.0**decimals).mean() > 0.98:
            return decimals
    return None


def _on_grid(values: Floats, power: float) -> np.ndarray:
    scaled = values * power
    return np.asarray(np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(1.0, np.abs(scaled)))
