"""The flights example on a real Feast store: an hourly job serves what a point-in-time join returns."""

from __future__ import annotations

import contextlib
import shutil
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore
from feast.repo_operations import get_repo_files

from features import flights

if TYPE_CHECKING:
    from skewcheck.demo.world import World

ROOT = Path(__file__).parents[2]
VIEWS = (flights.weather, flights.plane)


@pytest.fixture(scope="module")
def repo(world: World) -> Path:
    repo = world.weather.parents[1]
    shutil.copy(ROOT / "feature_store.yaml", repo)
    return repo


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_declared_field_is_a_column_of_its_file_and_of_its_type(view, repo: Path) -> None:
    columns = pq.read_schema(repo / view.batch_source.path)
    for field in view.features:
        expected = {"Float64": "double", "Int64": "int64", "String": "string"}[str(field.dtype)]
        assert str(columns.field(field.name).type) == expected, field.name
    assert {view.batch_source.timestamp_field, view.batch_source.created_timestamp_column} <= set(columns.names)
    assert set(view.join_keys) <= set(columns.names)


def test_every_request_field_is_a_column_of_the_departures(world: World) -> None:
    assert {field.name for field in flights.flight.schema} <= set(pq.read_schema(world.departures).names)


def test_no_current_reading_is_old_enough_for_the_time_to_live_to_decide(world: World) -> None:
    readings = pq.read_table(world.weather, columns=["origin", "event_timestamp", "created"]).to_pandas()
    replaced = readings.groupby("origin")["created"].shift(-1)
    assert (replaced - readings["event_timestamp"]).max() == timedelta(hours=2)
    assert flights.weather.ttl > timedelta(hours=2)


def test_feast_apply_reads_the_declarations_and_nothing_else_of_the_code() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in get_repo_files(ROOT)}
    assert "features" in folders
    assert folders <= {"features", "codegen"}


def test_what_an_hourly_job_serves_is_the_point_in_time_answer_as_known_at_the_request(
    repo: Path, world: World
) -> None:
    day = (pc.field("event_timestamp") >= pd.Timestamp("2013-07-02 10:30", tz="UTC")) & (
        pc.field("event_timestamp") < pd.Timestamp("2013-07-02 18:30", tz="UTC")
    )
    requests = pq.read_table(world.departures, filters=day).select(
        ["request_id", "event_timestamp", "origin", "tailnum"]
    )
    features = [f"{view.name}:{field.name}" for view in VIEWS for field in view.features]
    names = [feature.split(":")[1] for feature in features]
    with contextlib.chdir(repo):  # Feast's DuckDB store and SQL registry look for relative paths here
        store = FeatureStore(repo_path=str(repo))
        store.apply([flights.airport, flights.plane_by_tail_number, *VIEWS])
        retrieval = store.get_historical_features(requests.to_pandas(), features, filter_by_created_timestamp=True)
        joined = {row["request_id"]: row for row in retrieval.to_arrow().to_pylist()}
        served = serve_hourly(store, world, requests.to_pylist(), features)
    assert len(joined) == requests.num_rows > 400
    assert served == {key: {name: row[name] for name in names} for key, row in joined.items()}
    assert sum(row["temp"] is None for row in served.values()) > 0


def serve_hourly(
    store: FeatureStore, world: World, requests: list[dict], features: list[str]
) -> dict[str, dict[str, object]]:
    """Serve requests in the order of their time, loading on each hour the readings published then."""
    store.write_to_online_store("plane", pd.read_parquet(world.planes))
    readings = pd.read_parquet(world.weather)
    served = {}
    for hour, group in groupby(requests, key=lambda row: row["event_timestamp"].replace(minute=0)):
        store.write_to_online_store("weather", readings[readings["created"] == pd.Timestamp(hour)])
        rows = list(group)
        keys = [{"origin": row["origin"], "tailnum": row["tailnum"]} for row in rows]
        answer = store.get_online_features(features=features, entity_rows=keys).to_dict()
        for position, row in enumerate(rows):
            served[row["request_id"]] = {name: values[position] for name, values in answer.items() if name not in row}
    return served
