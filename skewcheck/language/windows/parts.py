"""Parts: what is kept of some events, mergeable with what is kept of others. Every aggregate is made of a few.

Generated updaters hold these classes as they stand here, so they use the standard library alone.

An entry is a tuple (event time, created time, value) whose value is not missing; times are microseconds since 1970.
`add` and `merge` change their first argument or give another in its place, and never change the second.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from hashlib import md5
from typing import Any

Entry = tuple[int, int, Any]

SMALLEST = 1074
"""2^-1074 is the smallest Float64, and every Float64 is a whole number of it."""

HASH_BITS = 60


@dataclass(frozen=True)
class Part:
    """The base of every part; a subclass's dataclass fields are its constants."""

    def empty(self) -> Any:
        """What is kept of no events."""
        return []

    def add(self, state: Any, entry: Entry) -> Any:
        """What is kept with one more entry."""
        raise NotImplementedError

    def merge(self, one: Any, other: Any) -> Any:
        """What is kept of the events of both."""
        raise NotImplementedError

    def to_plain(self, state: Any) -> Any:
        """The state as JSON can hold it."""
        return state

    def from_plain(self, plain: Any) -> Any:
        """The inverse of `to_plain`."""
        return plain


@dataclass(frozen=True)
class Count(Part):
    """How many values there are, or how many that equal `category`."""

    category: Any = None

    def empty(self) -> int:
        """Zero."""
        return 0

    def add(self, state: int, entry: Entry) -> int:
        """One more, where the value is one that is counted."""
        return state + (self.category is None or entry[2] == self.category)

    def merge(self, one: int, other: int) -> int:
        """The sum."""
        return one + other


@dataclass(frozen=True)
class Total(Part):
    """The exact sum of the values, or of their `power`s: whole numbers of 2^-1074 (to that power) for Float64."""

    whole: bool
    power: int = 1

    def empty(self) -> int:
        """Zero."""
        return 0

    def add(self, state: int, entry: Entry) -> int:
        """The sum with one more value."""
        return state + to_units(entry[2], whole=self.whole) ** self.power

    def merge(self, one: int, other: int) -> int:
        """The sum of both."""
        return one + other


@dataclass(frozen=True)
class Extremes(Part):
    """The `size` greatest or least, ascending, of the values, of the event times, or of whole entries."""

    by: str
    greatest: bool
    size: int = 1

    def add(self, state: list[Any], entry: Entry) -> list[Any]:
        """The extremes with one more entry."""
        return self._insert(state, {"value": entry[2], "event": entry[0], "entry": entry}[self.by])

    def merge(self, one: list[Any], other: list[Any]) -> list[Any]:
        """The extremes of both."""
        for item in other:
            one = self._insert(one, item)
        return one

    def from_plain(self, plain: list[Any]) -> list[Any]:
        """Entries are tuples again."""
        return [tuple(item) if self.by == "entry" else item for item in plain]

    def _insert(self, state: list[Any], item: Any) -> list[Any]:
        insort(state, item)
        if len(state) > self.size:
            del state[0 if self.greatest else -1]
        return state


@dataclass(frozen=True)
class Distinct(Part):
    """The values, each once."""

    def empty(self) -> set[Any]:
        """No value."""
        return set()

    def add(self, state: set[Any], entry: Entry) -> set[Any]:
        """The values and this one."""
        state.add(entry[2])
        return state

    def merge(self, one: set[Any], other: set[Any]) -> set[Any]:
        """The values of both."""
        one |= other
        return one

    def to_plain(self, state: set[Any]) -> list[Any]:
        """A list in ascending order."""
        return sorted(state)

    def from_plain(self, plain: list[Any]) -> set[Any]:
        """A set again."""
        return set(plain)


@dataclass(frozen=True)
class Values(Part):
    """Every value, in no order."""

    def add(self, state: list[Any], entry: Entry) -> list[Any]:
        """The values and this one."""
        state.append(entry[2])
        return state

    def merge(self, one: list[Any], other: list[Any]) -> list[Any]:
        """The values of both."""
        one += other
        return one


@dataclass(frozen=True)
class Sketch(Part):
    """The `size` least hashes of the values, each once, ascending: enough to estimate how many values there are."""

    size: int

    def add(self, state: list[int], entry: Entry) -> list[int]:
        """The least hashes with one more value."""
        return self._insert(state, hash_value(entry[2]))

    def merge(self, one: list[int], other: list[int]) -> list[int]:
        """The least hashes of both."""
        for item in other:
            one = self._insert(one, item)
        return one

    def _insert(self, state: list[int], item: int) -> list[int]:
        place = bisect_left(state, item)
        if place < self.size and state[place : place + 1] != [item]:
            state.insert(place, item)
            del state[self.size :]
        return state


def to_units(value: Any, *, whole: bool) -> int:
    """A number as a whole number of 2^-1074; one that is whole anyway as itself."""
    if whole:
        return int(value)
    numerator, denominator = value.as_integer_ratio()
    return int(numerator * ((1 << SMALLEST) // denominator))


def hash_value(value: Any) -> int:
    """The first 60 bits of the MD5 of a text, or of a whole number's decimal digits."""
    return int(md5(str(value).encode(), usedforsecurity=False).hexdigest()[: HASH_BITS // 4], 16)


def divide(numerator: int, denominator: int) -> float | None:
    """The Float64 nearest to a quotient of whole numbers; missing where it does not fit."""
    try:
        return numerator / denominator
    except OverflowError:
        return None


def pad(values: list[Any], size: int, fill: float | None) -> list[float] | None:
    """A vector of some values, `fill` in the places that they leave empty."""
    if not values or (fill is None and len(values) < size):
        return None
    return [float(value) for value in (*values, *[fill] * (size - len(values)))]
