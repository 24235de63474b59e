"""The wrapper around Feast's online retrieval, on a real small store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest

from skewcheck.serving.reader import open_log
from skewcheck.serving.retrieval import ServingStore
from skewcheck.serving.schema import DEFINITION_TAG, STATE_TAG, LogSchema
from skewcheck.serving.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feast import FeatureStore

NOON = datetime(2013, 7, 1, 12, tzinfo=UTC)
MORNING = datetime(2013, 7, 1, 9, tzinfo=UTC)

SOURCE = '''
def transform(inputs):
    """List in, list out."""
    rows = zip(inputs["wind"], inputs["distance"])
    return {
        "wind_km": [None if wind is None else wind * 1.609344 for wind in inputs["wind"]],
        "wind_by_distance": [None if None in row or not row[1] else row[0] / row[1] for row in rows],
    }
'''

SCHEMA = LogSchema(
    service="delays",
    keys={"origin": "String"},
    request={"distance": "Float64"},
    store={"wind": "Float64", "gusts": "Int64", "sky": "String"},
    features={"wind_km": "Float64", "wind_by_distance": "Float64", "sky": "String"},
    views={"weather": ("wind", "gusts", "sky")},
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    from feast import (
        Entity,
        FeatureService,
        FeatureStore,
        FeatureView,
        Field,
        FileSource,
        OnDemandFeatureView,
        RepoConfig,
        RequestSource,
    )
    from feast.types import Float64, Int64, String
    from feast.value_type import ValueType

    root: Path = tmp_path_factory.mktemp("feast")
    stored = pd.DataFrame(
        {
            "origin": ["JFK", "LGA"],
            "wind": [10.0, None],
            "gusts": [2**53 + 1, 3],
            "sky": ["clear", "Æ\n'\""],
            "event_timestamp": [MORNING, NOON],
        }
    )
    stored.astype({"event_timestamp": "datetime64[us, UTC]"}).to_parquet(root / "weather.parquet")
    feast_store = FeatureStore(
        config=RepoConfig(
            project="flights",
            provider="local",
            registry=str(root / "registry.db"),
            online_store={"type": "sqlite", "path": str(root / "online.db")},
            offline_store={"type": "duckdb"},
            entity_key_serialization_version=3,
        )
    )
    origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING)
    weather = FeatureView(
        name="weather",
        entities=[origin],
        schema=[
            Field(name="origin", dtype=String),
            Field(name="wind", dtype=Float64),
            Field(name="gusts", dtype=Int64),
            Field(name="sky", dtype=String),
        ],
        source=FileSource(path=str(root / "weather.parquet"), timestamp_field="event_timestamp"),
    )
    flight = RequestSource(name="flight", schema=[Field(name="distance", dtype=Float64)])
    names: dict[str, Any] = {}
    exec(SOURCE, names)
    derived = OnDemandFeatureView(
        name="derived",
        sources=[weather, flight],
        schema=[Field(name="wind_km", dtype=Float64), Field(name="wind_by_distance", dtype=Float64)],
        udf=names["transform"],
        udf_string=SOURCE,
        mode="python",
    )
    tags = {DEFINITION_TAG: "d1", STATE_TAG: "s1"}
    service = FeatureService(name="delays", features=[weather, derived], tags=tags)
    feast_store.apply([origin, weather, flight, derived, service])
    feast_store.write_to_online_store("weather", df=stored)
    return feast_store


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[LogWriter]:
    with LogWriter(SCHEMA, tmp_path / "log") as log_writer:
        yield log_writer


def read_log(writer: LogWriter) -> list[dict[str, Any]]:
    assert writer.flush()
    files = [str(path) for path in open_log(writer.root).files]
    found = duckdb.sql(f"FROM read_parquet({files}, union_by_name = true) ORDER BY request_id").to_arrow_table()
    return list(found.to_pylist())


def serve(store: FeatureStore, writer: LogWriter | None) -> ServingStore:
    return ServingStore(store, "delays", SCHEMA, writer, model_version="m1", clock=lambda: NOON)


def test_features_are_served_in_the_order_asked(store: FeatureStore) -> None:
    rows = [{"origin": "LGA", "distance": 2.0}, {"origin": "JFK", "distance": 2.0}]
    assert serve(store, None).get_features(rows) == [
        {"wind_km": None, "wind_by_distance": None, "sky": "Æ\n'\""},
        {"wind_km": 16.09344, "wind_by_distance": 5.0, "sky": "clear"},
    ]


def test_the_log_holds_what_serving_saw(store: FeatureStore, writer: LogWriter) -> None:
    serve(store, writer).get_features([{"origin": "JFK", "distance": 2.0}], request_ids=["a"])
    [logged] = read_log(writer)
    expected = {
        "request_id": "a",
        "requested_at": NOON,
        "definition_hash": "d1",
        "state_hash": "s1",
        "model_version": "m1",
        "prediction": None,
        "key.origin": "JFK",
        "request.distance": 2.0,
        "store.wind": 10.0,
        "store.gusts": 2**53 + 1,
        "store.sky": "clear",
        "event_time.weather": MORNING,
        "status.wind": "PRESENT",
        "status.gusts": "PRESENT",
        "status.sky": "PRESENT",
        "feature.wind_km": 16.09344,
        "feature.wind_by_distance": 5.0,
        "feature.sky": "clear",
    }
    assert {name: logged[name] for name in expected} == expected
    assert writer.dropped == 0


def test_a_key_that_the_store_lacks_is_told_from_a_null(store: FeatureStore, writer: LogWriter) -> None:
    rows = [{"origin": "XXX", "distance": 2.0}, {"origin": "LGA", "distance": 2.0}]
    serve(store, writer).get_features(rows, request_ids=["absent", "null"])
    absent, null = read_log(writer)
    names = ("status.wind", "store.wind", "event_time.weather", "store.gusts")
    assert [absent[name] for name in names] == ["NOT_FOUND", None, None, None]
    # Feast says PRESENT of a null in a row that it has.
    assert [null[name] for name in names] == ["PRESENT", None, NOON, 3]


def test_a_prediction_is_logged_beside_its_features(store: FeatureStore, writer: LogWriter) -> None:
    rows = [{"origin": "JFK", "distance": distance} for distance in (1.0, 4.0)]

    def predict(served: list[dict[str, Any]]) -> list[float]:
        answers = [features["wind_by_distance"] / 10 for features in served]
        for features in served:
            features.clear()
        return answers

    found = serve(store, writer).get_predictions(rows, predict, request_ids=["a", "b"], requested_at=MORNING)
    assert found == [1.0, 0.25]
    assert [(row["prediction"], row["feature.wind_by_distance"], row["requested_at"]) for row in read_log(writer)] == [
        (1.0, 10.0, MORNING),
        (0.25, 2.5, MORNING),
    ]


def test_a_model_that_fails_fails_and_its_features_are_logged(store: FeatureStore, writer: LogWriter) -> None:
    def predict(_: list[dict[str, Any]]) -> list[float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        serve(store, writer).get_predictions([{"origin": "JFK", "distance": 1.0}], predict)
    [logged] = read_log(writer)
    assert (logged["prediction"], logged["feature.wind_km"]) == (None, 16.09344)


def test_without_request_ids_each_row_gets_its_own(store: FeatureStore, writer: LogWriter) -> None:
    serve(store, writer).get_features([{"origin": "JFK", "distance": 1.0}] * 3)
    assert len({row["request_id"] for row in read_log(writer)}) == 3


def test_what_goes_wrong_in_logging_is_counted_and_served_all_the_same(store: FeatureStore, writer: LogWriter) -> None:
    rows = [{"origin": "JFK", "distance": 2.0}] * 3
    served = serve(store, writer).get_features(rows, request_ids=["only one"])
    assert [features["wind_km"] for features in served] == [16.09344] * 3
    assert writer.statistics()["reasons"] == {"unloggable": 2}
    assert len(read_log(writer)) == 1


def test_what_goes_wrong_in_the_store_is_raised(store: FeatureStore, writer: LogWriter) -> None:
    from feast.errors import RequestDataNotFoundInEntityRowsException

    with pytest.raises(RequestDataNotFoundInEntityRowsException):
        serve(store, writer).get_features([{"origin": "JFK"}])
    assert writer.flush()
    assert writer.statistics()["written"] == 0


def test_the_log_names_the_version_that_is_registered(store: FeatureStore, writer: LogWriter) -> None:
    service = store.get_feature_service("delays")
    registered = dict(service.tags)
    try:
        service.tags = {DEFINITION_TAG: "d2", STATE_TAG: "s2"}
        store.apply([service])
        serve(store, writer).get_features([{"origin": "JFK", "distance": 2.0}])
    finally:
        service.tags = registered
        store.apply([service])
    [logged] = read_log(writer)
    assert (logged["definition_hash"], logged["state_hash"]) == ("d2", "s2")
