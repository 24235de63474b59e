"""What is kept of the events for some windowed features, and the values that are made of it.

Features share what they have in common: a sum and a mean over one window keep one count and one total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.engines.windows.exact import SQUARE_WIDTH, SUM_WIDTH, Span, join_digits
from skewcheck.language.types import FLOAT64, INT64, Type
from skewcheck.language.windows.declaration import WindowFeature
from skewcheck.language.windows.parts import SMALLEST, Count, Distinct, Extremes, Part, Sketch, Total, to_units

AT = "#at"
"""The column with the instant of a request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One part of one column over one window.

    Attributes:
        part: The part.
        column: The column, None for the events themselves.
        type: Its type; Timestamp for the events themselves.
        reach: Microseconds for which an event counts, None for ever.
        names: The columns that hold it in a relation.
        span: The span of the column's numbers, where the part is a total of Float64.
    """

    part: Part
    column: str | None
    type: Type | None
    reach: int | None
    names: tuple[str, ...]
    span: Span | None = None

    @property
    def as_values(self) -> bool:
        """Whether a total is kept as the numbers themselves, whose squares have too many digits."""
        is_square = isinstance(self.part, Total) and self.part.power == 2
        return is_square and self.span is not None and not self.span.squares_in_digits

    def read_state(self, values: Sequence[Any]) -> Any:
        """The state of the part, given what the columns hold for one request."""
        part, first = self.part, values[0]
        if isinstance(part, Count):
            return first or 0
        if isinstance(part, Total):
            return self._read_total(part, values)
        if first is None:
            return part.empty()
        if isinstance(part, Extremes):
            items = first if part.size > 1 else [first]
            if part.by == "entry":
                items = [(item["event"], item["created"], item["value"]) for item in items]
            return sorted(items)
        if isinstance(part, Distinct):
            return set(first)
        if isinstance(part, Sketch):
            return sorted(first)
        return list(first)

    def _read_total(self, part: Total, values: Sequence[Any]) -> int:
        if self.as_values:
            return sum(to_units(value, whole=part.whole) ** part.power for value in values[0] or ())
        width = SUM_WIDTH if part.power == 1 else SQUARE_WIDTH
        low = 0 if self.span is None else (self.span.low + SMALLEST) * part.power
        return join_digits([int(value or 0) for value in values], width, low)


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that is kept for some features, each once, and for each feature its own."""

    kept: tuple[Kept, ...]
    of: Mapping[str, tuple[Kept, ...]]


def lay_out(features: Iterable[WindowFeature], spans: Mapping[str, Span], *, one_digit: bool) -> Layout:
    """What is kept for some features.

    Args:
        features: The features.
        spans: For each Float64 column that is summed the span of its numbers.
        one_digit: Whether the engine adds numbers of 128 bits, so that a digit may be as wide.
    """
    known: dict[tuple[Part, str | None, int | None], Kept] = {}
    of = {}
    for feature in features:
        column, own = feature.aggregated.column, []
        for part in feature.aggregate.parts():
            key = (part, feature.column, feature.window.reach)
            if key not in known:
                is_float = isinstance(part, Total) and column is not None and column.type == FLOAT64
                span = spans[column.name] if is_float and column else None
                known[key] = _keep(len(known), key, column.type if column else None, span, one_digit=one_digit)
            own.append(known[key])
        of[feature.name] = tuple(own)
    return Layout(tuple(known.values()), of)


def _keep(
    number: int,
    key: tuple[Part, str | None, int | None],
    type_: Type | None,
    span: Span | None,
    *,
    one_digit: bool,
) -> Kept:
    part, column, reach = key
    columns = 1
    if isinstance(part, Total) and part.power == 1 and span is not None:
        columns = 1 if one_digit and span.in_one else span.digits(SUM_WIDTH)
    elif isinstance(part, Total) and part.power == 2:
        digits = 3 if type_ == INT64 else span.digits(SQUARE_WIDTH) if span and span.squares_in_digits else 1
        columns = 2 * digits - 1
    names = tuple(f"#{number}_{place}" for place in range(columns))
    return Kept(part, column, type_, reach, names, span)


def summed_columns(features: Iterable[WindowFeature]) -> list[str]:
    """The Float64 columns that features sum, whose spans are to be measured."""
    columns = {
        feature.aggregated.column.name: None
        for feature in features
        if feature.aggregated.column is not None
        and feature.aggregated.column.type == FLOAT64
        and any(isinstance(part, Total) for part in feature.aggregate.parts())
    }
    return list(columns)


def finish_table(features: Iterable[WindowFeature], layout: Layout, parts: pa.Table) -> dict[str, pa.Array]:
    """The values of features, given for each request its instant and what is kept; without an instant none."""
    chosen = list(features)
    instants = parts.column(AT).to_pylist() if chosen else []
    names = dict.fromkeys(name for feature in chosen for kept in layout.of[feature.name] for name in kept.names)
    columns = {name: parts.column(name).to_pylist() for name in names}
    found = {}
    for feature in chosen:
        held = [(kept, [columns[name] for name in kept.names]) for kept in layout.of[feature.name]]
        values = []
        for row, at in enumerate(instants):
            states = [kept.read_state([column[row] for column in own]) for kept, own in held]
            values.append(None if at is None else feature.aggregate.value_at(at, *states))
        type_ = ARROW_TYPES[feature.type.name]
        plain = pa.int64() if pa.types.is_timestamp(type_) else type_
        found[feature.name] = pa.array(values, plain).cast(type_)
    return found
