"""Differences in the last digits: another library, another order of operations (room: explain)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skewcheck.explain.edits.base import Edit
from skewcheck.explain.values.series import agree

if TYPE_CHECKING:
    from skewcheck.explain.searching import Subject


def find_last_digits(subject: Subject) -> Edit:
    """The edit that changes nothing: it explains values that are equal but for their last digits."""
    sample = subject.sample
    one, other = sample.served.numbers(), sample.replayed.numbers()
    same = sample.differing & agree(sample.served, sample.replayed, near=subject.near, scale=subject.scale)
    with np.errstate(all="ignore"):
        apart = np.abs(one - other)[same]
        off = apart / np.maximum(np.abs(one), np.abs(other))[same]
    farthest = float(apart[np.isfinite(apart)].max(initial=0.0))
    off = off[np.isfinite(off) & (off <= subject.near)]
    largest = float(off.max()) if len(off) else 0.0
    near_zero = not len(off)
    text = subject.tree.nodes()[-1][0]
    return Edit(
        kind="environment",
        target=text,
        build=lambda node: node,
        says=f"Serving's values are at most {farthest:.1g} off, where one side is zero or next to it: what other code "
        "leaves of a sum that comes to nothing."
        if near_zero
        else f"Serving's values differ in their last digits only, by at most {largest:.1g} of themselves: other code, "
        "another library, or another order of operations.",
        fix="Serve the generated code; a relative tolerance does not forgive what is next to zero."
        if near_zero
        else "Serve the generated code, or audit with --tolerance 1e-9.",
        root="last digits",
        parameters={"farthest": float(f"{farthest:.1g}")} if near_zero else {"largest": float(f"{largest:.1g}")},
        bits=5.0,
        shown=text,
    )
