"""The hourly job: what it last wrote for a key is, at any instant until the next full hour, what the rule says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from features import flights
from skewcheck.demo.refreshing import WindowJob
from skewcheck.language.windows.meaning import Event, evaluate

if TYPE_CHECKING:
    import pandas as pd

    from skewcheck.demo.world import World

GENERATED = Path(__file__).parents[2] / "codegen" / "departure_delay"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2013, 7, 1, tzinfo=UTC)
HOURS = [START + timedelta(hours=hour) for hour in (0, 1, 2, 9, 10, 11, 12, 23, 24, 25, 47, 48, 71, 72)]
INSIDE = (timedelta(0), timedelta(minutes=1), timedelta(hours=1, microseconds=-1))
NEVER = {"airline": "ZZ", "origin": "JFK", "tailnum": "N0"}


class Online:
    """Holds what was last written for each key, as an online store does."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys, self.held = keys, {}
        self.writes = 0

    def write_to_online_store(self, view: str, frame: pd.DataFrame) -> None:
        for row in frame.to_dict("records"):
            self.held[tuple(row[name] for name in self.keys)] = row
        self.writes += len(frame)


@pytest.fixture(scope="module")
def landings(world: World) -> list[dict[str, Any]]:
    rows = pq.read_table(world.arrivals).to_pylist()
    span = (START - timedelta(hours=24), START + timedelta(hours=96))
    return [row for row in rows if span[0] <= row["event_timestamp"] < span[1]]


@pytest.mark.parametrize("windows", [flights.airline_arrivals, flights.plane_arrivals], ids=lambda item: item.name)
def test_what_was_written_last_is_the_value_at_any_instant_of_the_hour(windows, landings) -> None:
    keys = tuple(windows.events.keys)
    store = Online(keys)
    job = WindowJob(store, GENERATED, windows.name, keys, landings, [*landings[:500], NEVER])
    events: dict[tuple[Any, ...], list[Event]] = {}
    for row in landings:
        event = Event(since(row["event_timestamp"]), since(row["created"]), {"arrival_delay": row["arrival_delay"]})
        events.setdefault(tuple(row[name] for name in keys), []).append(event)
    for hour in HOURS:
        job.refresh(hour)
        for key in list(store.held)[::7]:
            for instant in (since(hour + inside) for inside in INSIDE):
                for feature in windows.features:
                    expected = evaluate(feature, events.get(key, []), instant)
                    found = store.held[key][feature.name]
                    assert (found == expected) if expected is not None else (found != found), (key, hour, feature.name)


def test_only_keys_that_changed_are_written_after_the_first_hour(landings) -> None:
    store = Online(("tailnum",))
    job = WindowJob(store, GENERATED, "plane_arrivals", ("tailnum",), landings, landings)
    everything = {row["tailnum"] for row in landings}
    assert job.refresh(START) == len(everything) == store.writes
    published = {row["tailnum"] for row in landings if row["created"] == START + timedelta(hours=1)}
    left = {row["tailnum"] for row in landings if row["event_timestamp"] == START - timedelta(hours=23)}
    assert 0 < job.refresh(START + timedelta(hours=1)) == len(published | left) < len(everything)


def test_a_key_without_any_landing_has_a_count_of_zero(landings) -> None:
    store = Online(("tailnum",))
    WindowJob(store, GENERATED, "plane_arrivals", ("tailnum",), landings, [NEVER]).refresh(START)
    assert store.held[("N0",)]["plane_flights_24h"] == 0


def since(instant: datetime) -> int:
    return (instant - EPOCH) // datetime.resolution
