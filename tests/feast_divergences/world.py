"""A feature repo registered with a real Feast: its stores, serving with a log, and the audit."""

from __future__ import annotations

import contextlib
import copy
import inspect
import itertools
import os
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureStore, Field, OnDemandFeatureView, RepoConfig
from feast.types import Float64

from skewcheck.audit import audit
from skewcheck.fit.state import State
from skewcheck.generate.generation import generate
from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import Manifest
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.serving.retrieval import ServingStore
from skewcheck.serving.writer import LogWriter
from skewcheck.store.register import register
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.verdict import ColumnVerdict, Verdict

NOON = datetime(2024, 5, 10, 12, tzinfo=UTC)
DAY, HOUR, SECOND, MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1)
INSTANT = pa.timestamp("us", tz="UTC")

STORE = """
project: divergences
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
offline_store:
  type: duckdb
entity_key_serialization_version: 3
"""

FEATURES = """
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Float32, Float64, Int64, UnixTimestamp

import skewcheck as sk

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)

stats = FeatureView(
    name="stats",
    entities=[user],
    schema=[
        Field(name="value", dtype=Float64),
        Field(name="small", dtype=Float32),
        Field(name="count", dtype=Int64),
        Field(name="seen", dtype=UnixTimestamp),
    ],
    source=FileSource(
        path="data/stats.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
    ),
    ttl=timedelta(days=1),
)

notes = FeatureView(
    name="notes",
    entities=[user],
    schema=[Field(name="note", dtype=Float64)],
    source=FileSource(path="data/notes.parquet", timestamp_field="event_timestamp"),
    ttl=timedelta(0),
)

request = RequestSource(
    name="request", schema=[Field(name="amount", dtype=Float64), Field(name="asked", dtype=UnixTimestamp)]
)
labels = sk.TrainingSet("data/labels.parquet", labels=[Field(name="label", dtype=Float64)])
reads = sk.features("reads", sources=[stats, notes, request], training=labels)


@reads.feature
def as_read(value):
    return value


@reads.feature
def small_as_read(small):
    return small


@reads.feature
def count_as_read(count):
    return count


@reads.feature
def age(asked, seen):
    return asked.seconds_since(seen)


@reads.feature
def note_as_read(note):
    return note


@reads.feature
def squared(small):
    return small * small


@reads.feature
def log_of_value(value):
    return value.log1p()


@reads.feature
def is_missing(value):
    return value.is_missing()


@reads.feature
def chained(log_of_value):
    return log_of_value * 2
"""

COLUMNS = {
    "user_id": pa.int64(),
    "event_timestamp": INSTANT,
    "created": INSTANT,
    "value": pa.float64(),
    "small": pa.float64(),
    "count": pa.int64(),
    "seen": INSTANT,
}
FEATURE_NAMES = ("stats:value", "stats:small", "stats:count", "stats:seen")


@dataclass
class World:
    """The repo, and what was served of it.

    Attributes:
        repository: The repo.
        manifest: What is registered.
        log: The folder of the log of this test.
        writer: Writes it.
    """

    repository: Repository
    manifest: Manifest
    log: Path
    writer: LogWriter
    _stores: dict[str, FeatureStore] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.repository.root

    def store(self, offline: str = "duckdb") -> FeatureStore:
        """Feast, with an offline store."""
        if offline not in self._stores:
            self._stores[offline] = open_store(self.root, offline)
        return self._stores[offline]

    def write(self, *rows: Mapping[str, Any]) -> None:
        """The source of `stats`; a row is created when it is of, where it does not say otherwise."""
        whole = [{**dict.fromkeys(COLUMNS), "created": row["event_timestamp"], **row} for row in rows]
        table = pa.table({name: [row[name] for row in whole] for name in COLUMNS}, pa.schema(list(COLUMNS.items())))
        write_source(table, self.root / "data" / "stats.parquet")

    def write_notes(self, *rows: tuple[int, datetime, float]) -> None:
        """The source of `notes`, whose rows do not say when they were created."""
        users, events, notes = zip(*rows, strict=True)
        table = {"user_id": users, "event_timestamp": pa.array(events, INSTANT), "note": notes}
        write_source(pa.table(table), self.root / "data" / "notes.parquet")

    def write_online(self, view: str, *rows: Mapping[str, Any]) -> None:
        """Straight into the online store."""
        frame = pd.DataFrame([{"created": row["event_timestamp"], **row} for row in rows])
        with contextlib.chdir(self.root):
            self.store().write_to_online_store(view, frame)

    def materialize(self, start: datetime, end: datetime, *views: str) -> None:
        """Load a span of event times into the online store, as `feast materialize` does."""
        with contextlib.chdir(self.root):
            self.store().materialize(start, end, list(views) or ["stats"], disable_event_timestamp=False)

    def offline(
        self, entities: Sequence[Mapping[str, Any]], *features: str, store: str = "duckdb", **options: Any
    ) -> pd.DataFrame:
        """What Feast's point-in-time join gives for users at instants."""
        with contextlib.chdir(self.root):
            frame = pd.DataFrame(list(entities))
            job = self.store(store).get_historical_features(
                entity_df=frame, features=list(features or FEATURE_NAMES[:1]), **options
            )
            return job.to_df()

    def online(self, *users: Any, features: Sequence[str] = FEATURE_NAMES) -> dict[str, list[Any]]:
        """What Feast's online store gives."""
        with contextlib.chdir(self.root):
            rows = [{"user_id": user} for user in users]
            return self.store().get_online_features(features=list(features), entity_rows=rows).to_dict()

    def serve(self, when: datetime, *users: Any, **request: Any) -> list[dict[str, Any]]:
        """Serve the registered features and log them."""
        with contextlib.chdir(self.root):
            serving = ServingStore(self.store(), "reads", self.writer.schema, self.writer)
            asked = {"amount": 2.5, "asked": when, **request}
            return serving.get_features([{"user_id": user, **asked} for user in users], requested_at=when)

    def beside(self, *objects: Any, offline: str = "duckdb") -> FeatureStore:
        """Feast with objects that were written by hand, in a registry of their own, over the same stores."""
        store = open_store(self.root, offline, registry=f"beside_{next(_REGISTRIES)}.db")
        views = [copy.deepcopy(view) for view in self.repository.service("reads").sources.views]
        with contextlib.chdir(self.root), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            store.apply([self.repository.entities["user"], *views, *objects])
        return store

    def ask_offline(self, store: FeatureStore, *features: str, users: Sequence[int], **request: Any) -> pd.DataFrame:
        """What a store's point-in-time join gives at noon, in the order of the users."""
        frame = pd.DataFrame([{"user_id": user, "event_timestamp": NOON, **request} for user in users])
        with contextlib.chdir(self.root):
            found = store.get_historical_features(entity_df=frame, features=list(features)).to_df()
        return found.sort_values("user_id").reset_index(drop=True)

    def ask_online(self, store: FeatureStore, *features: str, users: Sequence[int], **request: Any) -> dict[str, Any]:
        """What a store serves."""
        rows = [{"user_id": user, **request} for user in users]
        with contextlib.chdir(self.root):
            return store.get_online_features(features=list(features), entity_rows=rows).to_dict()

    def logged(self) -> pa.Table:
        """The rows that were logged."""
        assert self.writer.flush()
        return pa.concat_tables(pq.read_table(path, partitioning=None) for path in sorted(self.log.rglob("*.parquet")))

    def audit(self, log: pa.Table | None = None) -> Verdict:
        """The audit of what was served; of another log, where one is given."""
        path = self.log
        if log is None:
            assert self.writer.flush()
        else:
            path = self.root / "changed.parquet"
            pq.write_table(log, path)
        with contextlib.chdir(self.root):
            return audit(path, generated_directory(self.root, "reads"), lambda: self.repository)


def open_store(root: Path, offline: str, registry: str = "registry.db") -> FeatureStore:
    """Feast over a repo's registry and online store."""
    return FeatureStore(
        repo_path=str(root),
        config=RepoConfig(
            project="divergences",
            provider="local",
            registry=str(root / "data" / registry),
            online_store={"type": "sqlite", "path": str(root / "data" / "online.db")},
            offline_store={"type": offline},
            entity_key_serialization_version=3,
            repo_path=root,
        ),
    )


def build(root: Path) -> tuple[Repository, Manifest]:
    """The repo, generated and registered."""
    (root / "features").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    (root / "features" / "reads.py").write_text(FEATURES)
    repository = load_repository(root)
    service = repository.service("reads")
    directory = generated_directory(root, "reads")
    state = State(service.name, fingerprint_fit(service), {}, {})
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    world_files(root)
    return repository, register(repository, service)


def world_files(root: Path) -> None:
    """Sources of which no test speaks."""
    notes = {"user_id": pa.int64(), "event_timestamp": INSTANT, "note": pa.float64()}
    for name, columns in (("stats", COLUMNS), ("notes", notes)):
        empty = pa.table({column: pa.array([], type_) for column, type_ in columns.items()})
        write_source(empty, root / "data" / f"{name}.parquet")


def write_source(table: pa.Table, path: Path) -> None:
    """Write a source anew, a second later than ever before: engines tell by its time whether a file has changed."""
    pq.write_table(table, path)
    _clock[0] += 1
    os.utime(path, (_clock[0], _clock[0]))


_REGISTRIES = itertools.count()

_clock = [NOON.timestamp()]


@contextlib.contextmanager
def open_world(repository: Repository, manifest: Manifest, folder: Path) -> Iterator[World]:
    """The world with a log of its own."""
    world_files(repository.root)
    with LogWriter(log_schema(manifest), folder / "log") as writer:
        yield World(repository, manifest, folder / "log", writer)


def by_hand(world: World, name: str, udf: Any, mode: str = "pandas", **options: Any) -> OnDemandFeatureView:
    """A view with one feature, as one is written without a generator."""
    stats = world.repository.service("reads").sources.views[0]
    udf.__module__ = "__main__"
    return OnDemandFeatureView(
        name=name,
        sources=[stats, *options.pop("more_sources", [])],
        schema=[Field(name=f"{name}_out", dtype=Float64)],
        udf=udf,
        udf_string=options.pop("source", None) or textwrap.dedent(inspect.getsource(udf)),
        mode=mode,
        **options,
    )


def column(verdict: Verdict, name: str) -> ColumnVerdict:
    """What was found about a column of the store."""
    return next(found for found in verdict.columns if found.name == name)


def kinds(verdict: Verdict, name: str) -> list[tuple[str, str]]:
    """Kind and form of the causes of a column."""
    return [(cause["kind"], cause["parameters"]["form"]) for cause in column(verdict, name).causes]


def skewed(verdict: Verdict) -> dict[str, str | None]:
    """Every skewed feature and the stage at which it is."""
    return {feature.name: feature.stage for feature in verdict.skewed}
