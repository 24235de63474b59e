"""An aggregate of which one side counts only some rows is recognised by the column that says which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from skewcheck.compare.comparing import compare_tables
from skewcheck.compare.findings import ColumnFinding
from skewcheck.compare.options import Options
from skewcheck.explain.pairs.filters import Filter, find_filtered
from skewcheck.explain.values.aggregates import Aggregate, Ordered, compute, find_aggregate

ROWS = 500
RANDOM = np.random.default_rng(8)
AMOUNTS = np.round(RANDOM.gamma(2.0, 30.0, ROWS) * 4) / 4
COUNTRIES = np.array(["FR", "DE", None], dtype=object)[RANDOM.integers(0, 3, ROWS)]
REFUNDED = RANDOM.random(ROWS) < 0.2
ORDERED = Ordered(
    {"amount": AMOUNTS}, np.cumsum(RANDOM.integers(600, 30_000, ROWS)).astype(float), np.zeros(ROWS, dtype=np.int64)
)
SLICES: dict[str, list[str | None]] = {
    "country": COUNTRIES.tolist(),
    "refunded": [str(one).lower() for one in REFUNDED],
    "request": [f"r{number}" for number in range(ROWS)],
}
SUM = Aggregate("amount", "sum", 7, None, "right")


def only(kept: np.ndarray, aggregate: Aggregate = SUM) -> np.ndarray:
    """The aggregate over the rows that are kept."""
    return compute(aggregate, replace(ORDERED, sources={"amount": np.where(kept, AMOUNTS, np.nan)}))


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (~REFUNDED, Filter("refunded", "false", kept=True)),
        (COUNTRIES == "FR", Filter("country", "FR", kept=True)),
        (COUNTRIES != "FR", Filter("country", "FR", kept=False)),
        (np.array([one is None for one in COUNTRIES]), Filter("country", None, kept=True)),
    ],
    ids=lambda one: one.say() if isinstance(one, Filter) else "",
)
@pytest.mark.parametrize("side", ["training", "serving"])
def test_the_filter_of_one_side_is_found(kept: np.ndarray, expected: Filter, side: str) -> None:
    all_rows, some = compute(SUM, ORDERED), only(kept)
    if side == "training":
        found = find_filtered(None, SUM, (some, all_rows), ORDERED, SLICES)
    else:
        found = find_filtered(SUM, None, (all_rows, some), ORDERED, SLICES)
    assert found is not None
    assert list(found.filters.values()) == [expected]
    filtered = found.right if side == "training" else found.wrong
    np.testing.assert_allclose(compute(filtered, found.rows), some)


def test_two_known_aggregates_or_none_are_not_filtered() -> None:
    sides = (compute(SUM, ORDERED), only(~REFUNDED))
    assert find_filtered(SUM, SUM, sides, ORDERED, SLICES) is None
    assert find_filtered(None, None, sides, ORDERED, SLICES) is None
    assert find_filtered(SUM, None, sides, ORDERED, {"request": SLICES["request"]}) is None
    assert find_filtered(SUM, None, (sides[0], RANDOM.random(ROWS)), ORDERED, SLICES) is None


def compare(served: np.ndarray, **options: object) -> ColumnFinding:
    beside = {
        "id": range(ROWS),
        "at": pa.array((ORDERED.times * 1e6).astype(np.int64)).cast(pa.timestamp("us", tz="UTC")),
        "amount": AMOUNTS,
        "refunded": REFUNDED,
    }
    a, b = (
        pa.table({**beside, "spent": pa.array(side, pa.float64(), from_pandas=True)})
        for side in (only(~REFUNDED), served)
    )
    (column,) = compare_tables(a, b, on=["id"], options=Options(at="at", **options)).differing  # type: ignore[arg-type]
    return column


def test_a_comparison_names_the_rows_that_count() -> None:
    (cause,) = compare(compute(SUM, ORDERED)).causes
    assert (cause["kind"], cause["explains"]) == ("filter", 1.0)
    assert cause["parameters"] == {
        "difference": "filter",
        "serving": "all",
        "declared": "refunded is false",
        "source": "amount",
        "function": "sum",
    }
    assert "in training those in which refunded is false" in cause["says"]


def test_a_filter_and_a_length_are_named_apart() -> None:
    causes = compare(compute(replace(SUM, rows=5), ORDERED)).causes
    assert {cause["kind"] for cause in causes} == {"filter", "window"}


def test_the_value_stays_in_where_no_row_may_leave() -> None:
    (cause,) = compare(compute(SUM, ORDERED), samples=0).causes
    assert cause["parameters"]["declared"] == "refunded is a value"


def test_halves_that_go_either_way_do_not_hide_a_rounding() -> None:
    halves = np.arange(ROWS) % 4 / 2 + 0.5 * (np.arange(ROWS) % 3)
    random = np.random.default_rng(1)
    rows = replace(ORDERED, sources={"amount": halves})
    raw = compute(SUM, rows)
    up = random.random(ROWS) < 0.5
    either = np.where(raw % 1 == 0.5, np.where(up, np.ceil(raw), np.floor(raw)), np.round(raw))
    found = find_aggregate(either, rows)
    assert found is not None
    assert (found.rows, found.decimals, found.mode in {"round", "half_even"}) == (7, 0, True)
