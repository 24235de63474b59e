"""What must not grow with a declaration: a row's cost with its vocabulary, generation with the number of features."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from feast import Field, RequestSource
from feast.types import Float64, String

import skewcheck as sk
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_text, scan_parquet
from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import Generated, generate
from skewcheck.generate.row_module import load_row_module
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import Expression

SMALL, LARGE = 100, 100_000
ROWS = 1_000_000
SAMPLE = 20_000
OTHERS = 19
"""Features beside the vocabulary's code, for the row cost of a usual service."""

ROUNDS = 9
FLAT = 1.2
"""The small table stays in the processor's caches and the large one does not; a cost that grew with the vocabulary
would be a thousand times larger."""

FEATURES = 500
LIMIT_SECONDS = 5.0

order = RequestSource(
    name="order", schema=[Field(name="product", dtype=String), *(Field(name=f"x{n}", dtype=Float64) for n in range(3))]
)
PLACES = {"order": ("benchmarks.scale", "order")}

Figure = tuple[str, float, float]


def measure() -> list[Figure]:
    """Row costs with a large vocabulary over those with a small one, and the time to generate many features.

    Raises:
        RuntimeError: A shared subexpression is computed more than once.
    """
    with tempfile.TemporaryDirectory() as name:
        return [*_measure_vocabularies(Path(name)), _measure_generation(Path(name))]


def _measure_vocabularies(folder: Path) -> list[Figure]:
    path = _write_orders(folder / "orders.parquet", ROWS, LARGE)
    codes = {size: _generate(_declare_codes(size), path) for size in (SMALL, LARGE)}
    functions = {size: load_row_module(generated.files["row.py"])["transform_row"] for size, generated in codes.items()}
    rows = pq.read_table(path).slice(0, SAMPLE).to_pylist()
    ratios = [_time(functions[LARGE], rows) / _time(functions[SMALL], rows) for _ in range(ROUNDS)]
    best = {size: [math.inf, math.inf] for size in codes}
    with open_session() as connection:
        for _ in range(ROUNDS):
            for size, generated in codes.items():
                for place, limit in enumerate(("", " LIMIT 1")):
                    source = f"SELECT * FROM {scan_parquet(str(path))}{limit}"
                    start = time.perf_counter()
                    connection.execute(_count(generated.files["features.sql"], source)).fetchall()
                    best[size][place] = min(best[size][place], time.perf_counter() - start)
    # Reading the query's text takes as long for one row as for all.
    seconds = {size: whole - one for size, (whole, one) in best.items()}
    return [
        ("row_with_vocabulary_of_100000_over_100", statistics.median(ratios), FLAT),
        ("rows_in_duckdb_with_vocabulary_of_100000_over_100", seconds[LARGE] / seconds[SMALL], FLAT),
    ]


def _count(query: str, source: str) -> str:
    names = ["code", *(f"feature_{place}" for place in range(OTHERS))]
    values = ", ".join(f"any_value({name})" for name in names)
    return f"WITH inputs AS NOT MATERIALIZED ({source}) SELECT {values} FROM ({query})"


def _measure_generation(folder: Path) -> Figure:
    path = _write_orders(folder / "many.parquet", 10_000, SMALL)
    service = _declare_many()
    state = fit(service, path)
    start = time.perf_counter()
    generated = generate(service, state, PLACES, {})
    seconds = time.perf_counter() - start
    for name in ("row.py", "features.sql", "features.spark.sql"):
        # The digest is written by the shared subexpression alone.
        found = generated.files[name].count("md5")
        if not 1 <= found <= 8:
            raise RuntimeError(f"{name} of {FEATURES} features names md5 {found} times, for one shared digest")
    return "generate_500_features_over_5_s", seconds / LIMIT_SECONDS, 1.0


def _declare_codes(size: int) -> Service:
    orders = sk.features("orders", sources=[order])

    @orders.feature
    def code(product: Expression) -> Expression:
        """The product's place among the most frequent."""
        return product.vocabulary(size=size)

    for place in range(OTHERS):
        orders.feature(_make_feature(place))
    return orders


def _declare_many() -> Service:
    """Features that share a digest, logarithms and differences, as those of a real service do."""
    orders = sk.features("orders", sources=[order])
    for place in range(FEATURES):
        orders.feature(_make_feature(place))
    return orders


def _make_feature(place: int) -> Callable[..., Expression]:
    def feature(product: Expression, x0: Expression, x1: Expression, x2: Expression) -> Expression:
        numbers = (x0, x1, x2)
        number, other = numbers[place % 3], numbers[(place + 1) % 3]
        ratio = number.log1p() - other.log1p()
        forms = (
            lambda: ratio.standardize() * float(place),
            lambda: (ratio + float(place)).clip(-10.0, 10.0),
            lambda: product.lower().strip().hash_bucket(1000 + place),
            lambda: number.fill(float(place)) / other,
            lambda: (number - other).bucket([float(place), float(place + 5), float(place + 50)]),
        )
        return forms[place % 5]()

    feature.__name__, feature.__doc__ = f"feature_{place}", f"Form {place % 5}, variant {place}."
    return feature


def _write_orders(path: Path, rows: int, products: int) -> Path:
    """Orders in which every product is met about as often as any other."""
    with open_session() as connection:
        connection.execute(
            f"COPY (SELECT 'product number ' || hash(row) % {products} AS product, (hash(row, 0) % 1000) / 7e0 AS x0,"
            " (hash(row, 1) % 1000) / 11e0 AS x1, (hash(row, 2) % 1000) / 13e0 AS x2"
            f" FROM range({rows}) orders(row)) TO {quote_text(str(path))} (FORMAT parquet)"
        )
    return path


def _generate(service: Service, path: Path) -> Generated:
    return generate(service, fit(service, path), PLACES, {})


def _time(function: Any, rows: list[dict[str, Any]]) -> float:
    start = time.perf_counter()
    for row in rows:
        function(row)
    return time.perf_counter() - start
