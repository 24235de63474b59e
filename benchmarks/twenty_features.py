"""Twenty features of a payment: one row and a million, against code by hand, pandas and scikit-learn."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.payments.by_hand import write_with_kernels, write_with_libm
from benchmarks.payments.by_hand_sql import write_sql
from benchmarks.payments.data import fit_payments, generate_payments, training_set, write_payments
from benchmarks.payments.peers import fit_pipeline, transform_frame
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import scan_parquet
from skewcheck.generate.golden import differing_rows, same_value
from skewcheck.generate.row_module import load_row_module

ROWS = 1_000_000
SAMPLE = 2_000
ROUNDS = 15
SQL_ROUNDS = 7

Figure = tuple[str, float, float]


def measure() -> list[Figure]:
    """A row and a million rows over each peer, and the module's import.

    Raises:
        RuntimeError: A peer gives other values, so that its time would not compare.
    """
    generated = generate_payments()
    return [*_measure_row(generated.files["row.py"]), *_measure_batch(generated.files["features.sql"])]


def _measure_row(text: str) -> list[Figure]:
    transform_row = load_row_module(text)["transform_row"]
    state = fit_payments().statistics
    rows = _read_rows()
    expected = [transform_row(row) for row in rows]
    with_kernels, with_libm = write_with_kernels(state), write_with_libm(state)
    if differing := differing_rows([with_kernels(row) for row in rows], expected):
        number, name = differing[0]
        raise RuntimeError(f"{name} differs by hand on {rows[number]}: not {expected[number][name]!r}")
    for here, there in zip(expected, [with_libm(row) for row in rows], strict=True):
        if wrong := [name for name in here if not _near(here[name], there[name])]:
            raise RuntimeError(f"{wrong[0]} with libm is {there[wrong[0]]!r}, not {here[wrong[0]]!r}")
    kernels = [_time(transform_row, rows) / _time(with_kernels, rows) for _ in range(ROUNDS)]
    libm = [_time(transform_row, rows) / _time(with_libm, rows) for _ in range(ROUNDS)]
    row = min(_time(transform_row, rows) for _ in range(ROUNDS)) / len(rows)
    frames = pq.read_table(training_set()).slice(0, 40).to_pandas()
    single = [frames.iloc[[place]] for place in range(len(frames))]
    pipeline = fit_pipeline(pq.read_table(training_set()).to_pandas())
    pandas = statistics.median(_time_each(transform_frame(state), single))
    sklearn = statistics.median(_time_each(pipeline.transform, single))
    return [
        ("twenty_features_row_over_hand_written_with_kernels", statistics.median(kernels), 1.1),
        ("twenty_features_row_over_hand_written_with_libm", statistics.median(libm), 2.0),
        ("twenty_features_row_over_pandas_row", row / pandas, 0.02),
        ("twenty_features_row_over_scikit_learn_row", row / sklearn, 0.02),
        ("twenty_features_import_over_30_ms", _time_import(text) / 0.03, 1.0),
    ]


def _measure_batch(query: str) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, open_session() as connection:
        path = Path(folder, "payments.parquet")
        write_payments(path, ROWS, seed=2)
        source = scan_parquet(str(path))
        by_hand = write_sql(fit_payments().statistics, source)
        generated = f"WITH inputs AS NOT MATERIALIZED (SELECT * FROM {source}) SELECT * FROM ({query})"
        names = list(load_row_module(generate_payments().files["row.py"])["FEATURES"])
        _check_same(connection, generated, by_hand, names)
        values = ", ".join(f"any_value({name})" for name in names)
        best = [math.inf, math.inf]
        for _ in range(SQL_ROUNDS):
            for place, sql in enumerate((generated, by_hand)):
                start = time.perf_counter()
                connection.execute(f"SELECT {values} FROM ({sql})").fetchall()
                best[place] = min(best[place], time.perf_counter() - start)
        pipeline = fit_pipeline(pq.read_table(training_set()).to_pandas())
        start = time.perf_counter()
        pipeline.transform(pq.read_table(path).to_pandas())
        sklearn = time.perf_counter() - start
    return [
        ("twenty_features_duckdb_over_hand_written", best[0] / best[1], 1.1),
        ("twenty_features_duckdb_over_scikit_learn", best[0] / sklearn, 0.2),
    ]


def _check_same(connection: Any, generated: str, by_hand: str, names: Sequence[str]) -> None:
    """The same rows from both, whatever their order."""
    columns = ", ".join(names)
    for one, other in ((generated, by_hand), (by_hand, generated)):
        query = f"SELECT count(*) FROM (SELECT {columns} FROM ({one}) EXCEPT ALL SELECT {columns} FROM ({other}))"
        (found,) = connection.execute(query).fetchone()
        if found:
            raise RuntimeError(f"{found:,} rows of the query by hand are not those of the generated one")


def _read_rows() -> list[dict[str, Any]]:
    """Payments as a server has them, and rows with every kind of missing value."""
    rows = pq.read_table(training_set()).slice(0, SAMPLE).to_pylist()
    rows = [{**row, "paid_at": row["paid_at"] and row["paid_at"].astimezone(UTC)} for row in rows]
    odd = [dict.fromkeys(rows[0]), {**rows[0], "amount": math.nan, "balance": 0.0}, {**rows[1], "income": math.inf}]
    return rows + odd


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return same_value(one, other)


def _time(function: Callable[[dict[str, Any]], object], rows: list[dict[str, Any]]) -> float:
    start = time.perf_counter()
    for row in rows:
        function(row)
    return time.perf_counter() - start


def _time_each(function: Callable[[Any], object], frames: Sequence[Any]) -> list[float]:
    times = []
    for frame in frames:
        start = time.perf_counter()
        function(frame)
        times.append(time.perf_counter() - start)
    return times


def _time_import(text: str) -> float:
    """The best of several imports, each in a process of its own that has only the standard library."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "row.py")
        path.write_text(text, encoding="utf-8")
        script = (
            "import time; start = time.perf_counter(); import runpy; "
            f"runpy.run_path({str(path)!r}); print(time.perf_counter() - start)"
        )
        command = [sys.executable, "-I", "-S", "-c", script]
        runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)
