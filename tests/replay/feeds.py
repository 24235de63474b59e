"""A repo whose views are feeds that a test writes, and logs of an online store that is behind or keeps too much."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.audit import Options, audit
from skewcheck.fit.state import State
from skewcheck.generate.generation import generate
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.verdict import ColumnVerdict, Verdict

START = datetime(2024, 3, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")

STORE = """
project: feeds
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
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

import skewcheck as sk

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.{key})
request = RequestSource(name="request", schema=[Field(name="asked", dtype=Int64), Field(name="friend", dtype={friend})])
"""

VIEW = """
{name} = FeatureView(
    name="{name}",
    entities=[{entities}],
    schema=[Field(name="{name}_value", dtype={dtype})],
    source=FileSource(
        path="{data}/{name}.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
    ),
    ttl={ttl},
)
"""

TAIL = """
feeds = sk.features("feeds", sources=[{names}, request])


@feeds.feature
def asked_for(asked):
    return asked
"""

FEATURE = """

@feeds.feature
def {name}_read({name}_value):
    return {name}_value{way}
"""

ARROW = {
    "Float64": pa.float64(),
    "Int64": pa.int64(),
    "String": pa.string(),
    "Bool": pa.bool_(),
    "UnixTimestamp": INSTANT,
}


@dataclass(frozen=True)
class Row:
    """A row of a feed; it is known as soon as it is of, where nothing else is said."""

    user: Any
    event: datetime
    value: Any
    created: datetime | None = None

    @property
    def known(self) -> datetime:
        return max(self.event, self.created or self.event)


@dataclass(frozen=True)
class Read:
    """What serving read for a request: a value, and the event time of its row."""

    value: Any
    event: datetime | None


NOTHING = Read(None, None)


def write_feeds(
    root: Path,
    feeds: Mapping[str, Sequence[Row]],
    *,
    ttl: timedelta | None = None,
    dtype: str = "Float64",
    key: str = "INT64",
    entities: str = "user",
    by_feast: bool = False,
) -> Repository:
    """A repo with one view for each feed, its code generated.

    Without entities a feed answers everybody alike. `by_feast`: the paths are such that Feast joins the views itself.
    """
    (root / "features").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    text = HEAD.format(key=key, friend="Int64" if key == "INT64" else "String")
    seconds = None if ttl is None else f"timedelta(seconds={ttl.total_seconds()})"
    data = f"file://{root}/data" if by_feast else "data"
    text += "".join(VIEW.format(name=name, dtype=dtype, ttl=seconds, entities=entities, data=data) for name in feeds)
    way = ".is_missing()" if dtype == "UnixTimestamp" else ""
    text += TAIL.format(names=", ".join(feeds)) + "".join(FEATURE.format(name=name, way=way) for name in feeds)
    (root / "features" / "feeds.py").write_text(text)
    for name, rows in feeds.items():
        write_feed(root, name, rows, dtype, key)
    repository = load_repository(root)
    service = repository.service("feeds")
    state = State(service.name, fingerprint_fit(service), {}, {})
    directory = generated_directory(root, "feeds")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def write_feed(root: Path, name: str, rows: Sequence[Row], dtype: str = "Float64", key: str = "INT64") -> None:
    """The source of one view."""
    schema = pa.schema(
        [
            ("user_id", pa.int64() if key == "INT64" else pa.string()),
            ("event_timestamp", INSTANT),
            ("created", INSTANT),
            (f"{name}_value", ARROW[dtype]),
        ]
    )
    columns = {
        "user_id": [row.user for row in rows],
        "event_timestamp": [row.event for row in rows],
        "created": [row.known for row in rows],
        f"{name}_value": [row.value for row in rows],
    }
    pq.write_table(pa.table(columns, schema), root / "data" / f"{name}.parquet")


def online_after(rows: Sequence[Row], delay: timedelta = timedelta(0)) -> Callable[[Any, datetime], Read]:
    """A store that gets every row some time after it is known, and never drops one."""
    written: dict[Any, list[tuple[datetime, datetime, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row.known, row.event)):
        written.setdefault(row.user, []).append((row.known + delay, row.event, row.value))

    def read(user: Any, when: datetime) -> Read:
        times = written.get(user, [])
        place = bisect.bisect_right([known for known, _, _ in times], when)
        if not place:
            return NOTHING
        _, event, value = max(times[:place], key=lambda row: (row[1], row[0]))
        return Read(value, event)

    return read


@dataclass(frozen=True)
class Request:
    """A request, and what serving read for it of every feed."""

    user: Any
    when: datetime
    reads: Mapping[str, Read]
    friend: Any = None


def write_log(
    path: Path, requests: Sequence[Request], *, timed: bool = True, dtype: str = "Float64", key: str = "INT64"
) -> Path:
    """A log of requests; `timed`: with the event times of what was read."""
    names = list(requests[0].reads)
    keys = pa.int64() if key == "INT64" else pa.string()
    columns = {
        "request_id": pa.array([f"r{place}" for place in range(len(requests))]),
        "requested_at": pa.array([request.when for request in requests], INSTANT),
        "key.user_id": pa.array([request.user for request in requests], keys),
        "request.asked": pa.array(range(len(requests)), pa.int64()),
        "request.friend": pa.array([request.friend for request in requests], keys),
        "feature.asked_for": pa.array(range(len(requests)), pa.int64()),
    }
    for name in names:
        values = pa.array([request.reads[name].value for request in requests], ARROW[dtype])
        columns[f"store.{name}_value"] = values
        columns[f"feature.{name}_read"] = values.is_null() if dtype == "UnixTimestamp" else values
        if timed:
            events = [request.reads[name].event for request in requests]
            # Feast tells event times in whole seconds.
            events = [None if event is None else event.replace(microsecond=0) for event in events]
            columns[f"event_time.{name}"] = pa.array(events, INSTANT)
    pq.write_table(pa.table(columns), path)
    return path


def audit_feeds(repository: Repository, log: Path, **options: Any) -> Verdict:
    """The audit of a log."""
    generated = generated_directory(repository.root, "feeds")
    return audit(log, generated, lambda: repository, Options(**options))


def column(verdict: Verdict, feed: str) -> ColumnVerdict:
    """What was found about a feed's column."""
    return next(found for found in verdict.columns if found.view == feed)


def forms(found: ColumnVerdict) -> dict[str, int]:
    """The form of each cause with its mismatches."""
    return {cause["parameters"]["form"]: cause["parameters"]["rows"] for cause in found.causes}
