"""How long a window is: "30s", "15m", "1h", "7d", "2w" or "unbounded"."""

from __future__ import annotations

import re

UNBOUNDED = "unbounded"

SECOND = 1_000_000
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 604_800 * SECOND}
"""Microseconds of each unit."""

LONGEST = 36_500 * UNITS["d"]
"""A hundred years; beyond that instants would leave the calendar."""


def parse_duration(text: object) -> int:
    """The microseconds of a duration such as "7d".

    Raises:
        ValueError: It is not a whole number above zero with one of the units s, m, h, d, w, or is above 100 years.
    """
    matched = re.fullmatch(r"([1-9][0-9]{0,11})([smhdw])", text, re.ASCII) if isinstance(text, str) else None
    length = int(matched[1]) * UNITS[matched[2]] if matched else None
    if length is None or length > LONGEST:
        raise ValueError(f'{text!r} is not a duration; write "30s", "15m", "1h", "7d" or "2w", at most 36500d')
    return length


def parse_window(text: object) -> int | None:
    """The microseconds of a window, None where it is "unbounded".

    Raises:
        ValueError: It is neither a duration nor "unbounded".
    """
    if text == UNBOUNDED:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f'{error}, or "{UNBOUNDED}"') from None


def print_duration(microseconds: int | None) -> str:
    """The shortest text that `parse_window` reads as so many microseconds."""
    if microseconds is None:
        return UNBOUNDED
    unit = next(unit for unit in ("w", "d", "h", "m", "s") if microseconds % UNITS[unit] == 0)
    return f"{microseconds // UNITS[unit]}{unit}"
