"""Windows over the best queries by hand, and their memory, which must not grow with the number of events."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_text
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, load_repository

EVENTS = int(os.environ.get("WINDOW_EVENTS", "10000000"))
KEYS = EVENTS // 100
REQUESTS = EVENTS // 10
ROUNDS = 3
SPAN = 90 * 86_400 * 1_000_000
START = 1_709_251_200_000_000

STORE = """
project: shop
provider: local
registry: {registry_type: file, path: registry.db}
online_store: {type: sqlite, path: online.db}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""

FEATURES = """
from feast import Entity, Field, FileSource, ValueType
from feast.types import Float64

import skewcheck as sk

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
source = FileSource(path="payments.parquet", timestamp_field="paid_at", created_timestamp_column="created")
payments = sk.events("payments", source=source, by=customer, schema=[Field(name="amount", dtype=Float64)])
activity = sk.windows("activity", payments)


@activity.feature
def payments_1h():
    return payments.count("1h")


@activity.feature
def spent_6h(amount):
    return amount.sum("6h")


@activity.feature
def mean_1d(amount):
    return amount.mean("1d")


@activity.feature
def spent_7d(amount):
    return amount.sum("7d")


@activity.feature
def most_30d(amount):
    return amount.max("30d")


shop = sk.features("shop", sources=[activity])


@shop.feature
def spent(spent_7d):
    return spent_7d
"""

NAMES = ("payments_1h", "spent_6h", "mean_1d", "spent_7d", "most_30d")
HOURS = (1, 6, 24, 7 * 24, 30 * 24)
AGGREGATES = ("count(amount)", "sum(amount)", "avg(amount)", "sum(amount)", "max(amount)")

_PEAK = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from benchmarks.windows import retrieve_windows
from skewcheck.store.repository import load_repository
root = Path(sys.argv[1])
retrieve_windows(load_repository(root), pq.read_table(root / "requests.parquet"))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def measure() -> list[tuple[str, float, float]]:
    """The time over that of the faster query by hand, and the peak memory over that with a quarter of the events.

    Raises:
        AssertionError: A value differs from the query's by more than its rounding.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole, quarter = Path(folder, "whole"), Path(folder, "quarter")
        _write(whole, EVENTS)
        _write(quarter, EVENTS // 4)
        figures = [("windows_over_best_query_by_hand", _compare(whole), 2.0)]
        peak = _peak(whole)
        print(f"windows: peak memory {peak:,.0f} MiB for {EVENTS:,} events, {REQUESTS:,} requests", file=sys.stderr)
        return [*figures, ("windows_peak_memory_over_a_quarter_of_the_events", peak / _peak(quarter), 1.25)]


def retrieve_windows(repository: Repository, requests: pa.Table) -> pa.Table:
    """The five windows for all requests."""
    columns = {"activity": list(NAMES)}
    return retrieve(repository, repository.service("shop"), columns, requests, "asked_at")[0]


def _compare(root: Path) -> float:
    repository = load_repository(root)
    with open_session() as connection:
        requests = connection.execute(f"FROM {_file(root, 'requests')} ORDER BY place").to_arrow_table()
        runs: Sequence[Callable[[], pa.Table]] = (
            lambda: retrieve_windows(repository, requests),
            lambda: connection.execute(_join_by_hand(root)).to_arrow_table(),
            lambda: connection.execute(_frames_by_hand(root)).to_arrow_table(),
        )
        best, found = [float("inf")] * len(runs), [pa.table({})] * len(runs)
        for _ in range(ROUNDS):
            for place, run in enumerate(runs):
                started = time.perf_counter()
                found[place] = run()
                best[place] = min(best[place], time.perf_counter() - started)
    print("windows: " + ", ".join(f"{seconds:.2f} s" for seconds in best), file=sys.stderr)
    for name in NAMES:
        here, there = found[0].column(name), found[1].column(name)
        assert here.null_count == there.null_count, name
        assert (pc.max(pc.abs(pc.subtract(here, there))).as_py() or 0) < 1e-6, name
    return best[0] / min(best[1:])


def _join_by_hand(root: Path) -> str:
    """Every request with the events of its customer, and conditions on the aggregates."""
    columns = ", ".join(
        f"{aggregate} FILTER (WHERE paid_at > asked_at - INTERVAL {hours} HOUR) AS {name}"
        for name, aggregate, hours in zip(NAMES, AGGREGATES, HOURS, strict=True)
    )
    return (
        f"WITH found AS (SELECT place, {columns} FROM {_file(root, 'requests')} JOIN {_file(root, 'payments')} "
        f"USING (customer_id) WHERE paid_at <= asked_at AND created <= asked_at "
        f"AND paid_at > asked_at - INTERVAL {max(HOURS)} HOUR GROUP BY place) "
        f"SELECT coalesce(payments_1h, 0) AS payments_1h, {', '.join(NAMES[1:])} FROM {_file(root, 'requests')} "
        "LEFT JOIN found USING (place) ORDER BY place"
    )


def _frames_by_hand(root: Path) -> str:
    """Frames over events and requests together. It takes every event as known at once, which makes it easier."""
    columns = ", ".join(
        f"{aggregate} OVER (PARTITION BY customer_id ORDER BY instant RANGE BETWEEN INTERVAL {hours} HOUR PRECEDING "
        f"AND CURRENT ROW) AS {name}"
        for name, aggregate, hours in zip(NAMES, AGGREGATES, HOURS, strict=True)
    )
    return (
        "WITH both_kinds AS (SELECT NULL::BIGINT AS place, customer_id, paid_at AS instant, amount FROM "
        f"{_file(root, 'payments')} UNION ALL SELECT place, customer_id, asked_at, NULL FROM "
        f"{_file(root, 'requests')}), framed AS (SELECT place, {columns} FROM both_kinds) "
        f"SELECT {', '.join(NAMES)} FROM framed WHERE place IS NOT NULL ORDER BY place"
    )


def _write(root: Path, events: int) -> None:
    """A repository with some events, known up to an hour later, and the requests, which are the same for any number."""
    (root / "features").mkdir(parents=True)
    (root / "feature_store.yaml").write_text(STORE, encoding="utf-8")
    (root / "features" / "shop.py").write_text(FEATURES, encoding="utf-8")
    instant = "make_timestamptz({start} + CAST(hash(i + {seed}) % {span} AS BIGINT))"
    paid = instant.format(start=START, seed=1_000_000_007, span=SPAN)
    customer = f"CAST(hash(i) % {KEYS} AS BIGINT) AS customer_id"
    with open_session(memory_limit="2GB") as connection:
        connection.execute(
            f"COPY (SELECT {customer}, {paid} AS paid_at, paid_at + to_microseconds(CAST(hash(i + 3) % 3600000000 AS "
            "BIGINT)) AS created, round(CAST(hash(i * 3 + 1) % 1000000 AS DOUBLE) / 100e0 + 0.01e0, 2) AS amount "
            f"FROM range({events}) AS t(i)) TO {quote_text(str(root / 'payments.parquet'))}"
        )
        asked = instant.format(start=START, seed=2_000_000_011, span=SPAN)
        connection.execute(
            f"COPY (SELECT i AS place, {customer.replace('hash(i)', 'hash(i + 99)')}, {asked} AS asked_at "
            f"FROM range({REQUESTS}) AS t(i)) TO {quote_text(str(root / 'requests.parquet'))}"
        )


def _file(root: Path, name: str) -> str:
    return f"read_parquet({quote_text(str(root / f'{name}.parquet'))})"


def _peak(root: Path) -> float:
    """Peak memory of a fresh process that retrieves, in MiB."""
    command = [sys.executable, "-c", _PEAK, str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)
