"""Spark against the rule: every value of every aggregate is the same to the bit."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.engines.windows.spark import compute_windows
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.meaning import Event
from tests.spark_engine import open_spark
from tests.windowed import GRID, LATENESS, Row, answer, declare, same, tabulate, to_instant

COUNTRIES = [None, "FR", "DE", "", "é", "z", "\U0001f600", "\uffff"]
AMOUNTS = [None, 0.0, -0.0, 0.1, 0.2, 0.3, 12.34, 1e16, -1e16, float("nan"), float("inf")]
WILD = [*AMOUNTS, 1.7e308, -1.7e308, 5e-324, 1e-310, 1e300, -1e-300]
ITEMS = [None, 0, 1, 7, 7, -3, 2**63 - 1, -(2**63), 2**40 + 1]


def draw_events(random: Random, amounts: Sequence[Any], count: int = 120) -> list[Row]:
    rows = []
    for _ in range(count):
        time = random.choice(GRID)
        values = {
            "amount": random.choice([*amounts, random.uniform(-1e6, 1e6)]),
            "items": random.choice(ITEMS),
            "country": random.choice(COUNTRIES),
            "refunded": random.choice([None, True, False]),
            "due": random.choice([None, *GRID]),
        }
        rows.append(Row(random.randint(1, 6), Event(time, time + random.choice(LATENESS), values)))
    return rows


def compute(windows: Windows, rows: Sequence[Row], asked: Sequence[tuple[Any, Any]]) -> list[dict[str, Any]]:
    session = open_spark()
    with tempfile.TemporaryDirectory() as folder:
        instants = pa.array([at for _, at in asked], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        requests = {
            "row": pa.array(range(len(asked))),
            "customer_id": pa.array([customer for customer, _ in asked], pa.int64()),
            "asked_at": instants,
        }
        for name, table in (("window_events", tabulate(rows)), ("window_requests", pa.table(requests))):
            pq.write_table(table, Path(folder) / f"{name}.parquet")
            session.read.parquet(str(Path(folder) / f"{name}.parquet")).createOrReplaceTempView(name)
        found = compute_windows(
            session,
            windows,
            [feature.name for feature in windows.features],
            events="window_events",
            requests="window_requests",
            row="row",
            timestamp="asked_at",
        )
        return found.toArrow().sort_by("row").to_pylist()


@pytest.mark.parametrize(("closed", "wild"), [("right", False), ("left", True)])
def test_every_aggregate_is_what_the_rule_says_at_every_edge(closed: str, wild: bool) -> None:
    rows = draw_events(Random(closed), WILD if wild else AMOUNTS)
    asked: list[tuple[Any, Any]] = [(customer, at) for customer in range(1, 8) for at in GRID]
    asked += [(None, GRID[0]), (1, None)]
    windows = declare(closed)
    for (customer, at), row in zip(asked, compute(windows, rows, asked), strict=True):
        for feature in windows.features:
            expected = None if customer is None or at is None else answer(feature, rows, customer, at)
            expected = to_instant(expected) if feature.type.name == "Timestamp" else expected
            assert same(row[feature.name], expected), (feature.name, customer, at, row[feature.name], expected)
