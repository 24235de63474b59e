"""Windowed features kept up to date in memory, event by event, for values as of this very instant.

Generated updaters hold this module as it stands here, so it uses the standard library alone. An updater keeps the
events of the longest window, in slots of time that also hold what is kept of all their events. A value merges whole
slots, and goes through the events of the few that an edge of the window cuts or in which an event is not yet known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

FORMAT = "skewcheck/updater/1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
SLOTS = 64
"""How many slots the longest window is cut into."""


@dataclass(frozen=True)
class UpdaterFeature:
    """One windowed feature.

    Attributes:
        name: Its name.
        type: The type of its values.
        column: The column that it aggregates, None for the events themselves.
        reach: Microseconds for which an event counts, None for ever.
        aggregate: The aggregate, which has `parts` and `value_at`.
    """

    name: str
    type: str
    column: str | None
    reach: int | None
    aggregate: Any


@dataclass
class Slot:
    """The events of a stretch of time, the instant at which the last of them begins to count, and what is kept."""

    events: list[tuple[int, int, dict[str, Any]]]
    known: int
    states: list[Any]


@dataclass
class Held:
    """What is held of one key: slots by their number, and what is kept of events that were forgotten since."""

    slots: dict[int, Slot] = field(default_factory=dict)
    settled: list[Any] | None = None


class WindowUpdater:
    """The values of windowed features at any instant, from the events that were added.

    Events may come in any order and late. An event is a mapping with the join keys, the times and the columns; times
    are datetimes with a time zone, and other entries are ignored. It is not safe to use from several threads.
    """

    def __init__(
        self,
        definition: str,
        keys: Mapping[str, str],
        columns: Mapping[str, str],
        times: tuple[str, str | None],
        delay: int,
        features: list[UpdaterFeature],
    ) -> None:
        self.definition = definition
        self._keys, self._columns, self._times = dict(keys), dict(columns), times
        self._delay, self._features = delay, features
        self._reach = max((feature.reach for feature in features if feature.reach is not None), default=None)
        self._length = DAY if self._reach is None else -(-self._reach // SLOTS)
        needed = [(part, feature.column) for feature in features for part in feature.aggregate.parts()]
        self._kept = list(dict.fromkeys(needed))
        self._places = {
            feature.name: [self._kept.index((part, feature.column)) for part in feature.aggregate.parts()]
            for feature in features
        }
        self._groups: dict[int | None, list[int]] = {}
        for feature in features:
            group = self._groups.setdefault(feature.reach, [])
            group += [place for place in self._places[feature.name] if place not in group]
        self._held: dict[tuple[Any, ...], Held] = {}
        self._horizon: int | None = None

    def add(self, event: Mapping[str, Any]) -> None:
        """Add an event. One without a key or one of its times never counts.

        Raises:
            KeyError: It lacks a name.
            TypeError, ValueError: A value is of another type.
        """
        key = self._read_key(event)
        time = read_instant(self._times[0], event[self._times[0]])
        created = time if self._times[1] is None else read_instant(self._times[1], event[self._times[1]])
        values = {name: READERS[type_](name, event[name]) for name, type_ in self._columns.items()}
        if key is not None and time is not None and created is not None:
            self._add(self._held.setdefault(key, Held()), time, created, values)

    def values_at(self, keys: Mapping[str, Any], instant: datetime) -> dict[str, Any]:
        """The values of all features for a key at an instant; None is missing.

        Raises:
            KeyError: A join key is not there.
            TypeError, ValueError: A value is of another type, or the instant was given up by `advance`.
        """
        key, at = self._read_key(keys), read_instant("instant", instant)
        if key is None or at is None:
            return {feature.name: None for feature in self._features}
        if self._horizon is not None and at < self._horizon:
            raise ValueError(f"{instant} is before {_instant(self._horizon)}, from which on values are held")
        held = self._held.get(key, Held())
        found = {}
        states = {reach: self._merge(held, reach, group, at) for reach, group in self._groups.items()}
        for feature in self._features:
            own = [states[feature.reach][place] for place in self._places[feature.name]]
            value = feature.aggregate.value_at(at, *own)
            found[feature.name] = _instant(value) if feature.type == "Timestamp" and value is not None else value
        return found

    def advance(self, instant: datetime) -> None:
        """Give up every instant before this one, and forget what no later one needs.

        Called now and then it bounds what is held to the longest window; unbounded features keep a summary.

        Raises:
            TypeError, ValueError: The instant is none.
        """
        at = read_instant("instant", instant)
        if at is None or (self._horizon is not None and at <= self._horizon):
            return
        self._horizon = at
        for key, held in list(self._held.items()):
            for number, slot in list(held.slots.items()):
                if self._reach is not None and at - ((number + 1) * self._length - 1) < self._reach:
                    continue
                if None in self._groups:
                    if slot.known > at:
                        continue
                    settled = held.settled or [part.empty() for part, _ in self._kept]
                    for place in self._groups[None]:
                        settled[place] = self._kept[place][0].merge(settled[place], slot.states[place])
                    held.settled = settled
                del held.slots[number]
            if not held.slots and held.settled is None:
                del self._held[key]

    def to_json(self) -> str:
        """Everything that is held, as JSON text."""
        held = []
        for key, one in self._held.items():
            events = [
                [time, created, list(v.values())] for slot in one.slots.values() for time, created, v in slot.events
            ]
            settled = None
            if one.settled is not None:
                settled = {place: self._kept[place][0].to_plain(one.settled[place]) for place in self._groups[None]}
            held.append([list(key), events, settled])
        content = {"format": FORMAT, "definition": self.definition, "horizon": self._horizon, "held": held}
        return json.dumps(content, allow_nan=False)

    def load_json(self, text: str) -> None:
        """Hold what `to_json` gave, in place of everything that is held.

        Raises:
            ValueError: It is of another declaration, or no such text.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"this is not {FORMAT}")
        if content["definition"] != self.definition:
            raise ValueError(
                f"the snapshot is of the definition {content['definition'][:12]}, and this updater of "
                f"{self.definition[:12]}: fill it from the events again"
            )
        self._horizon, self._held = content["horizon"], {}
        for key, events, settled in content["held"]:
            held = self._held[tuple(key)] = Held()
            for time, created, values in events:
                self._add(held, time, created, dict(zip(self._columns, values, strict=True)))
            if settled is not None:
                held.settled = [part.empty() for part, _ in self._kept]
                for place, plain in settled.items():
                    held.settled[int(place)] = self._kept[int(place)][0].from_plain(plain)

    def _read_key(self, row: Mapping[str, Any]) -> tuple[Any, ...] | None:
        key = tuple(READERS[type_](name, row[name]) for name, type_ in self._keys.items())
        return None if None in key else key

    def _add(self, held: Held, time: int, created: int, values: dict[str, Any]) -> None:
        slot = held.slots.get(time // self._length)
        if slot is None:
            slot = held.slots[time // self._length] = Slot([], created, [part.empty() for part, _ in self._kept])
        slot.events.append((time, created, values))
        slot.known = max(slot.known, time + self._delay, created)
        self._keep(slot.states, range(len(self._kept)), time, created, values)

    def _keep(self, states: list[Any], places: Any, time: int, created: int, values: Mapping[str, Any]) -> None:
        """Add an event to some of the states."""
        for place in places:
            part, column = self._kept[place]
            value = time if column is None else values[column]
            if value is not None:
                states[place] = part.add(states[place], (time, created, value))

    def _merge(self, held: Held, reach: int | None, group: list[int], at: int) -> list[Any]:
        """What is kept of the events that count at an instant."""
        states = [part.empty() for part, _ in self._kept]
        if reach is None and held.settled is not None:
            for place in group:
                states[place] = self._kept[place][0].merge(states[place], held.settled[place])
        for number, slot in held.slots.items():
            oldest = number * self._length
            if oldest > at or (reach is not None and at - (oldest + self._length - 1) >= reach):
                continue
            if slot.known <= at and (reach is None or at - oldest < reach):
                for place in group:
                    states[place] = self._kept[place][0].merge(states[place], slot.states[place])
                continue
            for time, created, values in slot.events:
                if max(time + self._delay, created) <= at and (reach is None or at - time < reach):
                    self._keep(states, group, time, created, values)
        return states


def read_instant(name: str, value: Any) -> int | None:
    """Microseconds since 1970 of a datetime with a time zone; None is missing."""
    if value is None or value != value:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{name}: expected a datetime with a time zone, got {value!r}")
    return (value - EPOCH) // MICROSECOND


def read_float(name: str, value: Any) -> float | None:
    """A Float64: what is not finite is missing, an int is widened, −0.0 is 0.0."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected a float, got {value!r}")
    return float(value) + 0.0 if isfinite(value) else None


def read_whole(name: str, value: Any) -> int | None:
    """An Int64."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise TypeError(f"{name}: expected a 64-bit int, got {value!r}")
    return value


def read_truth(name: str, value: Any) -> bool | None:
    """A Bool."""
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, got {value!r}")
    return value


def read_text(name: str, value: Any) -> str | None:
    """A String, which must be Unicode text."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    value.encode()
    return value


READERS = {
    "Float64": read_float,
    "Int64": read_whole,
    "Bool": read_truth,
    "String": read_text,
    "Timestamp": read_instant,
}
"""How a value of each type is read."""


def _instant(microseconds: int) -> datetime:
    return EPOCH + microseconds * MICROSECOND
