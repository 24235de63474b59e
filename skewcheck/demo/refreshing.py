"""The hourly job that keeps the windowed features in the online store fresh. Part of the demo.

A generated updater holds what has landed. On every full hour the job gives it the landings that have just been
published, and writes the values of the keys that changed: those with such a landing, and those with one that has left
the window. In between no value changes, since all times of arrivals are full hours.
"""

from __future__ import annotations

import runpy
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feast import FeatureStore

WINDOW = timedelta(hours=24)
DTYPES = {"Float64": "float64", "Int64": "int64"}


class WindowJob:
    """Keeps one view of windows fresh.

    Args:
        store: The store, with the view registered.
        generated: The folder with the generated updater.
        view: The name of the view.
        keys: Its join keys.
        landings: The events, in the order in which they were published.
        known: Rows with the join keys that have a value from the first hour on, whether or not anything has landed:
            training counts 0 landings where the store would know nothing.
    """

    def __init__(
        self,
        store: FeatureStore,
        generated: Path,
        view: str,
        keys: Sequence[str],
        landings: Sequence[Mapping[str, Any]],
        known: Iterable[Mapping[str, Any]],
    ) -> None:
        module = runpy.run_path(str(generated / f"{view}_updater.py"))
        self._store, self._view, self._keys = store, view, tuple(keys)
        self._updater = module["open_updater"]()
        self._types = {feature.name: DTYPES[feature.type] for feature in module["FEATURES"]}
        self._landings, self._added = landings, 0
        self._first = {self._key(row) for row in known}
        self._leaving: dict[datetime, set[tuple[Any, ...]]] = defaultdict(set)

    def refresh(self, hour: datetime) -> int:
        """Write the values that have changed since the last hour; gives how many keys that were.

        Args:
            hour: The full hour, later than the one before.
        """
        changed, self._first = self._first, set()
        while self._added < len(self._landings) and self._landings[self._added]["created"] <= hour:
            landing = self._landings[self._added]
            self._updater.add(landing)
            changed.add(self._key(landing))
            self._leaving[landing["event_timestamp"] + WINDOW].add(self._key(landing))
            self._added += 1
        for left in [time for time in self._leaving if time <= hour]:
            changed |= self._leaving.pop(left)
        if hour.hour == 0:
            self._updater.advance(hour)
        if changed:
            self._write(sorted(changed), hour)
        return len(changed)

    def _key(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self._keys)

    def _write(self, changed: Sequence[tuple[Any, ...]], hour: datetime) -> None:
        import pandas as pd

        keys = [dict(zip(self._keys, key, strict=True)) for key in changed]
        rows = [{**key, **self._updater.values_at(key, hour), "event_timestamp": hour} for key in keys]
        self._store.write_to_online_store(self._view, pd.DataFrame(rows).astype(self._types))
