"""A feature repo whose views are feeds of hourly readings, and the requests made of them; the same for one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.fit.state import State
from skewcheck.generate.generation import generate
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.store.repository import Repository, generated_directory, load_repository

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
BEGIN = 1_717_200_000 * SECOND
"""2024-06-01; all instants are microseconds since 1970."""

USERS = 40
DAYS = 8
ASKED_FROM, ASKED_TO = BEGIN + 5 * DAY, BEGIN + 8 * DAY - 2 * HOUR
STEP = HOUR
"""The time between two readings of a user, and so between two writes of the online store."""

TTL = DAY
PODS = 100
INSTANT = pa.timestamp("us", tz="UTC")

STORE = """
project: readings
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
offline_store:
  type: duckdb
entity_key_serialization_version: 3
"""

HEAD = """
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Float64, Int64

import skewcheck as sk

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
request = RequestSource(name="request", schema=[Field(name="friend", dtype=Int64)])
"""

VIEW = """
{name} = FeatureView(
    name="{name}",
    entities=[user],
    schema=[Field(name="{name}_value", dtype=Float64)],
    source=FileSource(
        path="data/{name}.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
    ),
    ttl=timedelta(days=1),
)
"""

TAIL = """
rows = sk.TrainingSet("data/requests.parquet")
readings = sk.features("readings", sources=[{names}, request], training=rows)
"""

FEATURE = """

@readings.feature
def {name}_read({name}_value):
    return {name}_value
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """A row of a source: it is of one instant, and known from another one on."""

    user: int
    event: int
    created: int
    value: float


@dataclass(frozen=True, eq=False)
class Requests:
    """What is asked, in the order of time."""

    users: list[int]
    friends: list[int]
    times: list[int]
    pods: list[int]

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Answer:
    """What serving read for a request: a value, and the event time of its row."""

    value: float | None
    event: int | None


NOTHING = Answer(None, None)


def make_readings(seed: int) -> list[Reading]:
    """A reading of every user every hour, known some minutes later, hardly two alike."""
    random = np.random.default_rng(seed)
    found = []
    for user in range(1, USERS + 1):
        phase = int(random.integers(0, 3600)) * SECOND
        late = (random.integers(60, 600, DAYS * 24) * SECOND).tolist()
        values = np.round(100 * user + np.cumsum(random.normal(0, 3, DAYS * 24)), 3).tolist()
        for hour in range(DAYS * 24):
            event = BEGIN + hour * HOUR + phase
            found.append(Reading(user, event, event + late[hour], values[hour]))
    return found


def make_requests(count: int, seed: int) -> Requests:
    """Requests of the last three days."""
    random = np.random.default_rng(seed)
    users = random.integers(1, USERS + 1, count)
    return Requests(
        users.tolist(),
        ((users + random.integers(1, USERS, count) - 1) % USERS + 1).tolist(),
        np.sort(random.integers(ASKED_FROM // SECOND, ASKED_TO // SECOND, count) * SECOND).tolist(),
        random.integers(0, PODS, count).tolist(),
    )


def write_repository(root: Path, feeds: Mapping[str, Sequence[Reading]]) -> Repository:
    """A repo with one view for each feed and one feature for each view, its code generated."""
    (root / "features").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    text = HEAD + "".join(VIEW.format(name=name) for name in feeds) + TAIL.format(names=", ".join(feeds))
    (root / "features" / "readings.py").write_text(text + "".join(FEATURE.format(name=name) for name in feeds))
    for name, rows in feeds.items():
        columns = {
            "user_id": pa.array([row.user for row in rows], pa.int64()),
            "event_timestamp": pa.array([row.event for row in rows], pa.int64()).cast(INSTANT),
            "created": pa.array([row.created for row in rows], pa.int64()).cast(INSTANT),
            f"{name}_value": pa.array([row.value for row in rows], pa.float64()),
        }
        pq.write_table(pa.table(columns), root / "data" / f"{name}.parquet")
    repository = load_repository(root)
    service = repository.service("readings")
    state = State(service.name, fingerprint_fit(service), {}, {})
    directory = generated_directory(root, "readings")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def write_training_rows(root: Path, requests: Requests, given: Mapping[str, Sequence[float | None]]) -> None:
    """The rows that training asks about, some columns of the store among them."""
    columns = {
        "user_id": pa.array(requests.users, pa.int64()),
        "friend": pa.array(requests.friends, pa.int64()),
        "event_timestamp": pa.array(requests.times, pa.int64()).cast(INSTANT),
        **{name: pa.array(values, pa.float64()) for name, values in given.items()},
    }
    pq.write_table(pa.table(columns), root / "data" / "requests.parquet")


def write_log(path: Path, requests: Requests, served: Mapping[str, Sequence[Answer]], *, timed: bool) -> Path:
    """A log of what was read of every feed; `timed`: with the event times, in whole seconds as Feast tells them."""
    columns: dict[str, Any] = {
        "request_id": pa.array([f"r{number:06d}" for number in range(len(requests))]),
        "requested_at": pa.array(requests.times, pa.int64()).cast(INSTANT),
        "host": pa.array([f"pod-{pod:02d}" for pod in requests.pods]),
        "key.user_id": pa.array(requests.users, pa.int64()),
        "request.friend": pa.array(requests.friends, pa.int64()),
    }
    for name, answers in served.items():
        values = pa.array([answer.value for answer in answers], pa.float64())
        columns[f"store.{name}_value"] = values
        columns[f"feature.{name}_read"] = values
        if timed:
            events = [None if answer.event is None else answer.event // SECOND * SECOND for answer in answers]
            columns[f"event_time.{name}"] = pa.array(events, pa.int64()).cast(INSTANT)
    pq.write_table(pa.table(columns), path)
    return path
