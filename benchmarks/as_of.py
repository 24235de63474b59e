"""The point-in-time join here over Feast's own, on the same files and requests; the rows must be identical."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, load_repository

REQUESTS = 1_000_000
ROWS = 300_000
"""Rows of each view's file."""
KEYS = {15: 20_000, 50: 6_000}
"""Rows of a key, and how many keys there are then. Feast pairs every request with all rows of its key, so that its time
grows with them; ours does not."""
LIMIT = 0.2
SPAN = 90 * 86_400 * 1_000_000
START = 1_709_251_200_000_000
ROUNDS = 4

STORE = """
project: shop
provider: local
registry: {registry_type: file, path: registry.db}
online_store: {type: sqlite, path: online.db}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""

FEATURES = """
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64

import skewcheck as sk

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)


def view(name, ttl):
    source = FileSource(path=f"{name}.parquet", timestamp_field="event_timestamp", created_timestamp_column="created")
    fields = [Field(name=f"{name}_orders", dtype=Int64)]
    fields += [Field(name=f"{name}_{number}", dtype=Float64) for number in range(4)]
    return FeatureView(name=name, entities=[customer], schema=fields, source=source, ttl=ttl)


account, basket = view("account", timedelta(days=14)), view("basket", None)
shop = sk.features("shop", sources=[account, basket])


@shop.feature
def orders(account_orders):
    return account_orders.fill(0)
"""


def measure() -> list[tuple[str, float, float]]:
    """The time of the join here over that of `get_historical_features`, each the best of several rounds.

    Raises:
        AssertionError: A row differs.
    """
    return [(f"as_of_join_over_feast_{rows}_rows_a_key", _measure(keys), LIMIT) for rows, keys in KEYS.items()]


def _measure(keys: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        repository = _write(root, keys)
        columns = {
            view.name: [field.name for field in view.features] for view in repository.service("shop").sources.views
        }
        source = np.random.default_rng(8)
        requests = pa.table(
            {
                "customer_id": source.integers(0, keys * 11 // 10, REQUESTS),
                "asked_at": _instants(START + source.integers(0, SPAN, REQUESTS)),
            }
        )
        joins = (lambda: _join_here(repository, columns, requests), _prepare_feast(root, columns, requests))
        best, found = [float("inf")] * 2, [pa.table({})] * 2
        for _ in range(ROUNDS):
            for place, join in enumerate(joins):
                started = time.perf_counter()
                found[place] = join()
                best[place] = min(best[place], time.perf_counter() - started)
        here, feast = found[0], found[1].sort_by("row").select(found[0].column_names)
        assert here.equals(feast), "the two joins give different rows"
    return best[0] / best[1]


def _join_here(repository: Repository, columns: Mapping[str, Sequence[str]], requests: pa.Table) -> pa.Table:
    return retrieve(repository, repository.service("shop"), columns, requests, "asked_at")[0]


def _prepare_feast(root: Path, columns: Mapping[str, Sequence[str]], requests: pa.Table) -> Callable[[], pa.Table]:
    """Feast's join, with everything applied and the requests as it takes them."""
    from feast import FeatureStore

    repository = load_repository(root)
    frame = requests.rename_columns(["customer_id", "event_timestamp"]).to_pandas()
    frame["row"] = range(len(frame))
    store = FeatureStore(repo_path=str(root))
    store.apply([*repository.entities.values(), *repository.service("shop").sources.views])
    asked = [f"{view}:{name}" for view, names in columns.items() for name in names]

    def join() -> pa.Table:
        # The DuckDB store reads a source's path relative to the working directory.
        with contextlib.chdir(root):
            job = store.get_historical_features(
                entity_df=frame.copy(), features=asked, filter_by_created_timestamp=True
            )
            return job.to_arrow()

    return join


def _write(root: Path, keys: int) -> Repository:
    """A repository with two views, an hour or less between a row's event and its creation."""
    (root / "features").mkdir()
    (root / "feature_store.yaml").write_text(STORE, encoding="utf-8")
    (root / "features" / "shop.py").write_text(FEATURES, encoding="utf-8")
    for number, view in enumerate(("account", "basket")):
        source = np.random.default_rng(number)
        observed = START + source.permutation(SPAN // 1_000_000)[:ROWS] * 1_000_000
        table = {
            "customer_id": source.integers(0, keys, ROWS),
            "event_timestamp": _instants(observed),
            "created": _instants(observed + source.integers(0, 3_600_000_000, ROWS)),
            f"{view}_orders": source.integers(0, 99, ROWS),
            **{f"{view}_{place}": source.normal(size=ROWS) for place in range(4)},
        }
        pq.write_table(pa.table(table), root / f"{view}.parquet")
    return load_repository(root)


def _instants(microseconds: np.ndarray) -> pa.Array:
    return pa.array(microseconds).cast(pa.timestamp("us", tz="UTC"))
