"""Sets of characters: ascending ranges of code points, and how a pattern writes them."""

from __future__ import annotations

from collections.abc import Iterable

LAST = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)

Ranges = tuple[tuple[int, int], ...]


def single(character: str) -> Ranges:
    """The set of one character."""
    return ((ord(character), ord(character)),)


def normalise(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters in ascending ranges that do not touch; a surrogate is no character."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= _following(found[-1][1]):
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def _following(code: int) -> int:
    return SURROGATES[1] + 1 if code == SURROGATES[0] - 1 else code + 1


def _preceding(code: int) -> int:
    return SURROGATES[0] - 1 if code == SURROGATES[1] + 1 else code - 1


def complement(ranges: Ranges) -> Ranges:
    """Every other character."""
    found = []
    start = 0
    for low, high in ranges:
        if low > start:
            found.append((start, _preceding(low)))
        start = _following(high)
    return (*found, (start, LAST)) if start <= LAST else tuple(found)


def overlap(left: Ranges, right: Ranges) -> bool:
    """Whether some character is in both sets."""
    return any(low <= other_high and other_low <= high for low, high in left for other_low, other_high in right)


def write_set(ranges: Ranges) -> str:
    """One character, or a class; the shorter of a class and the negation of the others."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _write_character(ranges[0][0])
    others = complement(ranges)
    negated = ranges[-1][1] == LAST and bool(others)
    shown = "".join(_write_range(low, high) for low, high in (others if negated else ranges))
    return f"[^{shown}]" if negated else f"[{shown}]"


def _write_range(low: int, high: int) -> str:
    first = _write_character(low)
    if low == high:
        return first
    return f"{first}{'-' * (high > low + 1)}{_write_character(high)}"


def _write_character(code: int) -> str:
    """A character so that no engine takes it for a sign, inside a class or outside."""
    character = chr(code)
    if character == "\\" or code < 32 or 127 <= code < 161 or code == 173:
        return f"\\x{code:02x}"
    return f"\\{character}" if character in "^$.|?*+()[]{}-&~#" else character
