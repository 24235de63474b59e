"""What a windowed feature means, as plainly as the rule says it: of all events of the key, keep those that count.

Nothing here is fast. Every other path is tested to give what this gives, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from skewcheck.language.windows.declaration import WindowFeature


class Event(NamedTuple):
    """One event of a key: its event time and created time in microseconds since 1970, and its values by column.

    The created time is the event time where the source has none. A Timestamp is in microseconds since 1970 too.
    """

    time: int
    created: int
    values: Mapping[str, Any]


def evaluate(feature: WindowFeature, events: Iterable[Event], at: int) -> Any:
    """The value of a feature at an instant, in microseconds since 1970, given all events of the key."""
    parts = feature.aggregate.parts()
    states = [part.empty() for part in parts]
    for event in events:
        value = event.time if feature.column is None else clean(event.values.get(feature.column))
        if value is not None and feature.window.counts(event.time, event.created, at):
            entry = (event.time, event.created, value)
            states = [part.add(state, entry) for part, state in zip(parts, states, strict=True)]
    return feature.aggregate.value_at(at, *states)


def clean(value: Any) -> Any:
    """A value as it is aggregated: what is not finite is missing, and −0.0 is 0.0."""
    if isinstance(value, float):
        return value + 0.0 if isfinite(value) else None
    return value
