"""July's flights as the demo's other service serves them once all of its faults are off, and logs of them.

`skewcheck.demo.legacy` is written by hand, and has the bits of the generated code. Nothing has to be there but the
package with the flights, which the demo needs as well.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.demo.faults import Fault as DemoFault
from skewcheck.demo.legacy import Handover, read_handover
from skewcheck.demo.serving import JULY, make_legacy_service, read_requests
from skewcheck.demo.world import World, make_world
from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.generate.manifest import Manifest, read_manifest

ROOT = Path(__file__).parents[2]
SERVICE = "departure_delay"
PODS = 100
INSTANT = pa.timestamp("us", tz="UTC")

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Flights:
    """What was asked, what was read for it, and what was served.

    Attributes:
        requests: Keys, inputs and time of each request.
        stores: The columns of the store for each.
        event_times: Their times, by view.
        features: What was served, by feature.
        pods: The host of each request.
    """

    requests: Sequence[Row]
    stores: Sequence[Row]
    event_times: Sequence[Row]
    features: dict[str, list[Any]]
    pods: list[int]

    def __len__(self) -> int:
        return len(self.requests)


@cache
def make_root() -> Path:
    """A copy of the flights' repo with its data."""
    root = Path(mkdtemp(prefix="skewcheck-flights-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for folder in ("features", "codegen"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "feature_store.yaml", root)
    make_world(root / "data")
    return root


def find_generated() -> Path:
    """The folder of the generated code."""
    return make_root() / "codegen" / SERVICE


@cache
def find_manifest() -> Manifest:
    """The service."""
    return read_manifest(find_generated() / "manifest.json")


@cache
def find_handover() -> Handover:
    """The numbers that the other service was given."""
    return read_handover(find_generated() / "state.json")


@cache
def find_world() -> World:
    """The data."""
    return make_world(make_root() / "data")


def serve_flights(faults: Collection[DemoFault] = ()) -> Flights:
    """July's flights, served with some of the demo's faults."""
    world = find_world()
    requests = read_requests(world, JULY)
    service = make_legacy_service(world, find_generated(), faults)
    answers = [service.answer(request, request["event_timestamp"]) for request in requests]
    names = [feature.name for feature in find_manifest().features]
    pods = np.random.default_rng(1).integers(0, PODS, len(requests)).tolist()
    return Flights(
        requests,
        [answer.store for answer in answers],
        [answer.event_times for answer in answers],
        {name: [answer.features[name] for answer in answers] for name in names},
        pods,
    )


def write_flights(path: Path, flights: Flights) -> Path:
    """A log of them as one file."""
    manifest = find_manifest()
    times = [row["event_timestamp"] for row in flights.requests]
    columns: dict[str, pa.Array] = {
        "request_id": pa.array([row["request_id"] for row in flights.requests]),
        "requested_at": pa.array(times, INSTANT),
        "host": pa.array([f"pod-{pod:02d}" for pod in flights.pods]),
    }
    for name in manifest.keys:
        columns[f"key.{name}"] = pa.array([row[name] for row in flights.requests], pa.string())
    for column in manifest.columns:
        rows = flights.requests if column.role == "request" else flights.stores
        columns[f"{column.role}.{column.name}"] = pa.array([row[column.name] for row in rows], _arrow(column.type.name))
    for view in manifest.views:
        columns[f"event_time.{view.name}"] = pa.array([row[view.name] for row in flights.event_times], INSTANT)
    for feature in manifest.features:
        columns[f"feature.{feature.name}"] = pa.array(flights.features[feature.name], _arrow(feature.type.name))
    pq.write_table(pa.table(columns), path)
    return path


def _arrow(name: str) -> pa.DataType:
    return ARROW_TYPES[name]
