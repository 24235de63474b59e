"""Differences in the last digits: another library, another order of operations (room: explain)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skewcheck.explain.edits.base import Edit

if TYPE_CHECKING:
    from skewcheck.explain.searching import Subject


def find_last_digits(subject: Subject) -> Edit:
    """The edit that changes nothing: it explains values that are equal but for their last digits."""
    sample = subject.sample
    one, other = sample.served.numbers(), sample.replayed.numbers()
    with np.errstate(all="ignore"):
        off = np.abs(one - other)[sample.differing] / np.maximum(np.abs(one), np.abs(other))[sample.differing]
    off = off[np.isfinite(off) & (off <= subject.near)]
    largest = float(off.max()) if len(off) else 0.0
    text = subject.tree.nodes()[-1][0]
    return Edit(
        kind="environment",
        target=text,
        build=lambda node: node,
        says=f"Serving's values differ in their last digits only, by at most {largest:.1g} of themselves: other code, "
        "another library, or another order of operations.",
        fix="Serve the generated code, or audit with --tolerance 1e-9.",
        root="last digits",
        parameters={"largest": float(f"{largest:.1g}")},
        bits=5.0,
        shown=text,
    )
