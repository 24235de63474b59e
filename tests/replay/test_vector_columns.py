"""Embeddings as columns, all the way: declared, fitted, generated, registered, served, logged and audited."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import generate
from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import read_manifest
from skewcheck.generate.row_module import load_row_module
from skewcheck.serving.writer import LogWriter
from skewcheck.store.register import register
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set
from skewcheck.verdict import Verdict
from tests.shop import INSTANT, STORE, at

FEATURES = '''
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Array, Float32, Float64

import skewcheck as sk

reader = Entity(name="reader", join_keys=["reader_id"], value_type=ValueType.INT64)

profile = FeatureView(
    name="profile",
    entities=[reader],
    schema=[Field(name="taste", dtype=Array(Float64), tags={"size": "3"})],
    source=FileSource(path="data/profile.parquet", timestamp_field="event_timestamp"),
    ttl=timedelta(days=30),
)
article = RequestSource(
    name="article",
    schema=[
        Field(name="embedding", dtype=Array(Float32), tags={"size": "3"}),
        Field(name="age", dtype=Float64),
    ],
)

rows = sk.TrainingSet("data/readings.parquet")
news = sk.features("news", sources=[profile, article], training=rows)


@news.trained_on
def embedded(embedding):
    return embedding.norm() > 0


@news.feature
def affinity(taste, embedding):
    """How near an article is to a reader's taste."""
    return taste.cosine(embedding)


@news.feature
def length_z(embedding):
    return embedding.norm().standardize()


@news.feature
def second(embedding):
    return embedding.element(1)


@news.feature
def faded(embedding, age):
    return embedding.scale(1 / (1 + age))


@news.feature
def taste_as_it_is(taste):
    return taste
'''

READERS = 5
EMBEDDINGS = [
    [0.5, -1.25, 2.0],
    [1.0, 0.0, 0.0],
    None,
    [0.1, 0.2, 0.3],
    [1.0, math.nan, 1.0],
    [-3.0, 4.0, 0.0],
    [0.0] * 3,
]


def readings(count: int, first_day: float) -> pa.Table:
    """Articles that readers open, one each hour."""
    places = range(count)
    return pa.table(
        {
            "request_id": [f"reading-{place}" for place in places],
            "reader_id": pa.array([place % READERS for place in places], pa.int64()),
            "event_timestamp": pa.array([at(first_day + place / 24) for place in places], INSTANT),
            "embedding": pa.array([EMBEDDINGS[place % len(EMBEDDINGS)] for place in places], pa.list_(pa.float32())),
            "age": [None if place % 11 == 0 else float(place % 4) for place in places],
        }
    )


def write_profiles(path: Path) -> None:
    """Two versions of every reader's taste, a month after each other."""
    rows = [
        {"reader_id": reader, "event_timestamp": at(day), "taste": [1.0 + reader, day / 7, -0.5]}
        for reader in range(READERS)
        for day in (0.0, 12.0)
    ]
    schema = pa.schema([("reader_id", pa.int64()), ("event_timestamp", INSTANT), ("taste", pa.list_(pa.float64()))])
    pq.write_table(pa.Table.from_pylist(rows, schema), path)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    root = tmp_path_factory.mktemp("news")
    (root / "features").mkdir()
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    (root / "features" / "news.py").write_text(FEATURES)
    write_profiles(root / "data" / "profile.parquet")
    pq.write_table(readings(100, 1.0), root / "data" / "readings.parquet")
    repository = load_repository(root)
    service = repository.service("news")
    training = root / "data" / "training.parquet"
    state = fit(service, training, retrieve_training_set(repository, service, training).sources)
    directory = generated_directory(root, "news")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def serve(repository: Repository, folder: Path, count: int = 48) -> Path:
    """Serve articles through the generated row function and log them, each embedding in another form."""
    directory = generated_directory(repository.root, "news")
    schema = log_schema(read_manifest(directory / "manifest.json"))
    transform_row = load_row_module((directory / "row.py").read_text(encoding="utf-8"))["transform_row"]
    forms = (list, tuple, lambda items: np.array(items, np.float32), lambda items: np.array(items, np.float64))
    with LogWriter(schema, folder) as writer:
        for place, row in enumerate(readings(count, 20.0).to_pylist()):
            embedding = row["embedding"] and forms[place % len(forms)](row["embedding"])
            request = {"embedding": embedding, "age": row["age"]}
            store = {"taste": [1.0 + row["reader_id"], 12.0 / 7, -0.5]}
            writer.log_request(
                features=transform_row({**request, **store}),
                keys={"reader_id": row["reader_id"]},
                request=request,
                store=store,
                request_id=row["request_id"],
                requested_at=row["event_timestamp"],
            )
    assert writer.statistics()["written"] == count, writer.statistics()
    return folder / "news"


def audit_log(repository: Repository, log: Path) -> Verdict:
    return audit(log, generated_directory(repository.root, "news"), lambda: repository, Options())


def read_log(log: Path) -> pa.Table:
    return pa.concat_tables(pq.ParquetFile(path).read() for path in sorted(log.rglob("*.parquet")))


def test_faultless_serving_of_embeddings_passes_at_every_stage(news: Repository, tmp_path: Path) -> None:
    log = serve(news, tmp_path)
    verdict = audit_log(news, log)
    assert verdict.verdict == "pass", verdict
    assert set(verdict.stages.values()) == {"compared"}
    assert verdict.rows.replayed == 48
    logged = read_log(log)
    assert str(logged.schema.field("request.embedding").type) == "list<element: double>"
    faded = logged.column("feature.faded").to_pylist()
    assert [row is None for row in faded[:7]] == [True, False, True, False, True, False, False]


def test_an_embedding_of_another_model_is_found(news: Repository, tmp_path: Path) -> None:
    logged = read_log(serve(news, tmp_path / "served"))
    wrong = [row and [-item for item in row] for row in logged.column("feature.faded").to_pylist()]
    stale = [[1.0, 1.0, 1.0]] * logged.num_rows
    for name, values in {"feature.faded": wrong, "store.taste": stale, "feature.taste_as_it_is": stale}.items():
        logged = logged.set_column(
            logged.column_names.index(name), name, pa.array(values, logged.schema.field(name).type)
        )
    pq.write_table(logged, tmp_path / "log.parquet")
    verdict = audit_log(news, tmp_path / "log.parquet")
    stages = {feature.name: feature.stage for feature in verdict.features if feature.verdict == "skew"}
    assert stages["faded"] == "transform"
    assert stages["taste_as_it_is"] == "retrieval"
    (column,) = verdict.columns
    assert column.comparison.mismatched == logged.num_rows


def test_a_log_of_another_tool_may_hold_them_as_short_or_fixed_lists(news: Repository, tmp_path: Path) -> None:
    logged = read_log(serve(news, tmp_path / "served"))
    for name, kind in {
        "request.embedding": pa.list_(pa.float32(), 3),
        "store.taste": pa.large_list(pa.float64()),
    }.items():
        logged = logged.set_column(
            logged.column_names.index(name), name, pa.array(logged.column(name).to_pylist(), kind)
        )
    pq.write_table(logged, tmp_path / "log.parquet")
    assert audit_log(news, tmp_path / "log.parquet").verdict == "pass"


def test_golden_rows_hold_vectors_and_the_registry_gives_them_back(news: Repository) -> None:
    manifest = register(news, news.service("news"))
    assert {c.name: str(c.type) for c in manifest.columns} == {
        "taste": "Vector(3)",
        "embedding": "Vector(3)",
        "age": "Float64",
    }
    golden = json.loads((generated_directory(news.root, "news") / "golden.json").read_text(encoding="utf-8"))
    given: list[Any] = [row["inputs"]["embedding"] for row in golden["rows"]]
    assert None in given
    assert [1.0, 2.0, None] in given
    assert any(row["features"]["affinity"] is not None for row in golden["rows"])
