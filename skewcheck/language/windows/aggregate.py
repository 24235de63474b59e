"""The base of every aggregate: its types, its constants, the parts it keeps, and what it makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar

from skewcheck.language.types import INT64, Type, vector
from skewcheck.language.windows.parts import Part

MOST = 4096
"""The most places and elements."""

REGISTRY: dict[str, type[Aggregate]] = {}
"""Every aggregate by its name."""


@dataclass(frozen=True)
class Aggregate:
    """The base of every aggregate. A subclass's dataclass fields are its constants.

    Class attributes:
        name: What a declaration calls it.
        takes: The types of the column that it accepts.
        gives: The type of the result; None for that of the column.
        of_events: Whether it can also be of the events themselves.
        keeps_unit: Whether the result has the column's unit.

    Attributes:
        whole: Whether the column is Int64; the declaration sets it.
    """

    name: ClassVar[str]
    takes: ClassVar[tuple[Type, ...]]
    gives: ClassVar[Type | None] = None
    of_events: ClassVar[bool] = False
    keeps_unit: ClassVar[bool] = False
    whole: bool = field(default=False, kw_only=True)

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            REGISTRY[cls.name] = cls

    def check(self, column: Type | None) -> None:
        """Refuse constants that cannot be meant for a column of a type; None stands for the events themselves.

        Raises:
            ValueError: With what was expected.
        """

    def result_type(self, column: Type | None) -> Type:
        """The type of the result."""
        return self.gives or column or INT64

    def result_unit(self, unit: str | None) -> str | None:
        """The unit of the result, given the column's."""
        return unit if self.keeps_unit else None

    def parts(self) -> tuple[Part, ...]:
        """What it keeps of the events."""
        raise NotImplementedError

    def finish(self, *states: Any, **named: Any) -> Any:
        """The value, None where it is missing; a Timestamp in microseconds since 1970. A subclass names the states."""
        raise NotImplementedError

    def value_at(self, at: int, *states: Any) -> Any:  # noqa: ARG002 (few values move with the instant)
        """The value at an instant, in microseconds since 1970."""
        return self.finish(*states)


@dataclass(frozen=True)
class Placed(Aggregate):
    """The base of an aggregate that gives the value in a place, counted from 1."""

    place: int = 1

    def check(self, _column: Type | None) -> None:
        """A place counts from 1."""
        check_size("place", self.place)


@dataclass(frozen=True)
class VectorOf(Aggregate):
    """The base of an aggregate that gives `k` values as a vector, with `fill` in the places that stay empty."""

    k: int
    fill: float | None = None

    def check(self, _column: Type | None) -> None:
        """A size of a vector, and a finite number or none."""
        check_size("k", self.k)
        if self.fill is not None and (type(self.fill) not in (int, float) or not isfinite(self.fill)):
            raise ValueError(f"fill is {self.fill!r}, expected a finite number")

    def result_type(self, _column: Type | None) -> Type:
        """A vector of k."""
        return vector(self.k)


def check_size(name: str, size: Any, least: int = 1) -> None:
    """Refuse a size or place that is none.

    Raises:
        ValueError: It is not a whole number from `least` on, or is above `MOST`.
    """
    if type(size) is not int or not least <= size <= MOST:
        raise ValueError(f"{name} is {size!r}, expected a whole number from {least} to {MOST}")
