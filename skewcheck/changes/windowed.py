"""Windowed columns of two versions: the fewest events on which they differ (room: changes).

What a windowed column means is written down beside its declaration; here both meanings are asked for the same events,
at the edges of both windows and one microsecond around them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from skewcheck.changes.candidates import Candidates
from skewcheck.changes.searching import EXAMPLES, Row
from skewcheck.changes.views import START
from skewcheck.generate.golden import same_value
from skewcheck.language.constants import EPOCH
from skewcheck.language.sources import SourceColumn
from skewcheck.language.types import parse_type
from skewcheck.parity.values import VALUES

if TYPE_CHECKING:
    from skewcheck.language.windows.declaration import WindowFeature
    from skewcheck.language.windows.meaning import Event

AT = (START - EPOCH) // timedelta(microseconds=1)
"""The instant that is asked about, in microseconds since 1970."""

MOST_EVENTS = 4

_PLAIN = {"Float64": (1.0, 2.0, -1.0, 0.5), "Int64": (1, 2, -1), "String": ("a", "b"), "Bool": (True, False)}


@dataclass(frozen=True, slots=True)
class WindowedColumn:
    """One version of a windowed column: its meaning, the column that it aggregates, and whether it knows creation."""

    feature: WindowFeature
    column: str | None
    type: str | None
    timestamp: str
    created: str | None

    def value(self, events: list[Event]) -> Any:
        """What it gives at `AT` for some events."""
        from skewcheck.language.windows.meaning import evaluate

        seen = events if self.created else [event._replace(created=event.time) for event in events]
        found = evaluate(self.feature, seen, AT)
        is_instant = self.feature.type.name == "Timestamp" and found is not None
        return EPOCH + timedelta(microseconds=found) if is_instant else found


def read_windowed(name: str, definition: str) -> WindowedColumn:
    """One version of a windowed column, from everything that decides its values.

    Raises:
        KeyError: It uses an aggregate that this version does not know.
        TypeError: The aggregate does not take its constants.
    """
    from skewcheck.language.windows.aggregate import REGISTRY
    from skewcheck.language.windows.declaration import Aggregated, WindowFeature
    from skewcheck.language.windows.window import Window

    data = json.loads(definition)
    column, type_ = data["column"] or (None, None)
    source = SourceColumn(column, parse_type(type_), None, data["events"], "store") if column and type_ else None
    aggregated = Aggregated(REGISTRY[data["aggregate"]](**data["constants"]), source, data["window"])
    window = Window(data["window"], data["closed"])
    return WindowedColumn(
        WindowFeature(name, aggregated, window, "", ""), column, type_, data["timestamp"], data["created"]
    )


def say_difference(name: str, old: str, new: str) -> str:
    """What is another in the definition of a windowed column."""
    before, after = json.loads(old), json.loads(new)
    parts = [
        f"{key} {before.get(key)!r} → {after.get(key)!r}"
        for key in {**before, **after}
        if before.get(key) != after.get(key)
    ]
    return f"windowed column {name} has another {', '.join(parts)}"


def reads_the_same_events(old: str, new: str) -> bool:
    """Whether two versions are of the same events, keys and column, so that one set of events is asked of both."""
    before, after = json.loads(old), json.loads(new)
    return all(before.get(key) == after.get(key) for key in ("events", "keys", "column", "timestamp"))


def find_events(
    old: WindowedColumn, new: WindowedColumn, candidates: Candidates, differs: Callable[[Row, Any, Any], bool]
) -> tuple[list[Event], Row] | None:
    """The fewest events, and a row of the other inputs, on which two versions make a feature differ.

    Args:
        old: The old version.
        new: The new version.
        candidates: The values to try for the other inputs.
        differs: Whether a row with the old and the new value of the column shows it.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    from skewcheck.language.windows.meaning import Event

    values = [*_PLAIN.get(old.type or "", ()), *(VALUES[parse_type(old.type)] if old.type else ())]
    usable = [value for value in values if not isinstance(value, float) or abs(value) < 1e300]
    events = st.builds(
        lambda time, late, value: Event(time, time + late, {} if old.column is None else {old.column: value}),
        st.sampled_from(_find_times(old, new)),
        st.sampled_from([0, 1, -1, 2_000_000]),
        st.sampled_from(usable or [None]),
    )
    drawn = st.tuples(
        st.lists(events, max_size=MOST_EVENTS),
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in candidates.columns.items()}),
    )

    def shows(case: tuple[list[Event], Row]) -> bool:
        before, after = old.value(case[0]), new.value(case[0])
        return not same_value(before, after) and differs(case[1], before, after)

    quiet = settings(
        max_examples=5 * EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(drawn, shows, settings=quiet, random=Random(1))  # noqa: S311 (the same events each time)
    except NoSuchExample:
        return None


def _find_times(old: WindowedColumn, new: WindowedColumn) -> list[int]:
    """Event times at the edges of both windows and one microsecond around them, the latest first."""
    lengths = [version.feature.window.length for version in (old, new)]
    edges = [AT, *(AT - length for length in lengths if length is not None)]
    times = {edge + shift for edge in edges for shift in (-1, 0, 1)}
    times |= {AT - length // 2 for length in lengths if length is not None}
    return sorted(times, reverse=True)


def show_events(events: list[Event], column: WindowedColumn) -> tuple[dict[str, Any], ...]:
    """Events as rows of their source."""
    rows = []
    for event in events:
        row = {column.timestamp: EPOCH + timedelta(microseconds=event.time)}
        if column.created:
            row[column.created] = EPOCH + timedelta(microseconds=event.created)
        rows.append({**row, **event.values})
    return tuple(rows)
