"""Hard values as Hypothesis strategies."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type, vector
from skewcheck.parity.values import CLOCK_CHANGES, FLOATS, INSTANTS, INTEGERS, STRINGS, ZONES
from skewcheck.parity.values import VALUES as SCALARS

__all__ = ["CLOCK_CHANGES", "FLOATS", "INSTANTS", "INTEGERS", "STRATEGIES", "STRINGS", "VALUES", "ZONES", "texts"]

VECTORS = [
    None,
    [0.0, -0.0, 0.0],
    [1.0, 2.0, 3.0],
    [1e16, 1.0, -1e16],
    [1.0, None, 2.0],
    [None, None, None],
    *([FLOATS[(start + step) % len(FLOATS)] for step in range(3)] for start in range(len(FLOATS))),
]

VALUES: dict[Type, list[Any]] = {**SCALARS, vector(3): VECTORS}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Text of any plane, without the lone surrogates that are no Unicode text."""

STRATEGIES: dict[Type, st.SearchStrategy[Any]] = {
    FLOAT64: st.sampled_from(FLOATS) | st.floats() | st.floats(-1e4, 1e4),
    INT64: st.sampled_from(INTEGERS) | st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100),
    BOOL: st.sampled_from([None, True, False]),
    STRING: st.sampled_from(STRINGS) | texts,
    vector(3): st.sampled_from(VECTORS) | st.lists(st.floats() | st.none(), min_size=3, max_size=3),
    TIMESTAMP: st.sampled_from(INSTANTS) | st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo")])),
}
"""For each type values of which many are hard."""
