"""Aggregates over earlier rows are recognised, and what one does otherwise than another is told part by part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.compare.comparing import Options, compare_tables
from skewcheck.explain.values.aggregates import Aggregate, Ordered, adopt, compute, differences, find_aggregate

ROWS = 600
RANDOM = np.random.default_rng(4)
SPEND = np.round(RANDOM.gamma(2.0, 40.0, ROWS), 2)
SPEND[RANDOM.random(ROWS) < 0.05] = np.nan
TIMES = np.cumsum(RANDOM.integers(600, 30_000, ROWS)).astype(float)
ORDERED = Ordered({"noise": RANDOM.random(ROWS), "spend": SPEND}, TIMES, RANDOM.integers(0, 4, ROWS).astype(np.int64))


@pytest.mark.parametrize(
    "aggregate",
    [
        Aggregate("spend", "sum", 7, None, "right"),
        Aggregate("spend", "mean", 30, None, "left", min_periods=10, by_entity=True),
        Aggregate("spend", "std", 12, None, "right", min_periods=2),
        Aggregate("spend", "sum", None, 7 * 86400, "left", mode="round", decimals=2),
        Aggregate("spend", "mean", None, 86400, "right", mode="floor", decimals=0, by_entity=True),
        Aggregate("spend", "count", None, 15 * 86400, "right", mode="round"),
    ],
    ids=str,
)
def test_an_aggregate_is_found_from_its_values(aggregate: Aggregate) -> None:
    y = compute(aggregate, ORDERED)
    found = find_aggregate(y, ORDERED)
    assert found is not None
    assert (found.source, found.function, found.rows, found.seconds) == (
        aggregate.source,
        aggregate.function,
        aggregate.rows,
        aggregate.seconds,
    )
    assert found.by_entity == aggregate.by_entity
    np.testing.assert_allclose(compute(found, ORDERED), y)


def test_a_window_by_hand() -> None:
    rows = Ordered({"x": np.array([1.0, 2.0, np.nan, 4.0])}, np.array([0.0, 10, 20, 30]), np.zeros(4, dtype=np.int64))
    assert compute(Aggregate("x", "sum", 2, None, "right"), rows).tolist() == [1.0, 3.0, 2.0, 4.0]
    left = compute(Aggregate("x", "sum", 2, None, "left"), rows)
    assert np.array_equal(left, [np.nan, 1.0, 3.0, 2.0], equal_nan=True)
    closed = {
        side: compute(Aggregate("x", "count", None, 10, side, 0), rows).tolist() for side in ("right", "left", "both")
    }
    assert closed == {"right": [1, 1, 0, 1], "left": [0, 1, 1, 0], "both": [1, 2, 1, 1]}


def test_values_that_are_no_aggregate_are_none() -> None:
    assert find_aggregate(RANDOM.random(ROWS), ORDERED) is None
    assert find_aggregate(SPEND, Ordered({"noise": RANDOM.random(ROWS)}, TIMES, ORDERED.entities)) is None


def test_differences_are_taken_over_one_by_one() -> None:
    right = Aggregate("spend", "sum", 7, None, "right", 1, "round", 2)
    wrong = replace(right, closed="left", min_periods=7, mode="floor", decimals=0)
    assert differences(right, wrong) == ["rounding", "closed", "min_periods"]
    for difference in differences(right, wrong):
        wrong = adopt(wrong, right, difference)
    assert wrong == right


@pytest.mark.parametrize("rows", [30, 400])
def test_window_side_least_count_and_rounding_are_named_apart(tmp_path: Path, rows: int) -> None:
    """The example of SkewSentry: rolling(7, min_periods=1).round(2) against rolling(7, closed="left") and floor."""
    random = np.random.default_rng(0)
    spend = np.round(random.gamma(2, 40, rows), 2)
    before = [spend[max(0, place - 7) : place] for place in range(rows)]
    trained = [round(float(spend[max(0, place - 6) : place + 1].sum()), 2) for place in range(rows)]
    served = [float(np.floor(part.sum())) if len(part) == 7 else None for part in before]
    beside = {
        "ts": pa.array(range(0, rows * 3_600_000_000, 3_600_000_000), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "user_id": random.integers(0, 3, rows),
        "spend": spend,
    }
    for name, values in (("a", trained), ("b", served)):
        pq.write_table(pa.table({**beside, "spend_7d": pa.array(values, pa.float64())}), tmp_path / f"{name}.parquet")
    paths = [str(tmp_path / f"{name}.parquet") for name in "ab"]
    findings = compare_tables(*paths, on=["ts"], options=Options(at="ts", by=["user_id"]))
    (column,) = findings.differing
    told = {cause["parameters"]["difference"]: cause["kind"] for cause in column.causes}
    assert told == {"closed": "window", "min_periods": "window", "rounding": "rounding"}
