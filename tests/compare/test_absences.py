"""Rows that one table lacks: where they are, and silence where they are anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.compare.comparing import compare_tables
from skewcheck.compare.findings import Findings
from skewcheck.compare.options import Options
from skewcheck.compare.page import render_page

ROWS = 4000
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def requests() -> pa.Table:
    source = np.random.default_rng(5)
    return pa.table(
        {
            "id": range(ROWS),
            "at": [START + timedelta(minutes=row) for row in range(ROWS)],
            "country": source.choice(["DE", "FR", "NL", "PL", "IT"], ROWS, p=[0.1, 0.3, 0.2, 0.2, 0.2]),
            "clicked": source.random(ROWS) < 0.2,
            "amount": source.lognormal(3, 1, ROWS),
            "age": pa.array(source.integers(18, 90, ROWS), mask=source.random(ROWS) < 0.15),
        }
    )


def compare(trained: pa.Table, served: pa.Table, **options: Any) -> Findings:
    return compare_tables(trained, served, ["id"], Options(at="at", **options))


def keep(requests: pa.Table, kept: np.ndarray[Any, Any]) -> pa.Table:
    return requests.filter(pa.array(kept))


def column(requests: pa.Table, name: str) -> np.ndarray[Any, Any]:
    return np.array(requests.column(name).to_pylist(), dtype=object)


def test_a_country_that_training_lacks_is_named(requests: pa.Table) -> None:
    here = column(requests, "country") == "DE"
    (cause,) = compare(keep(requests, ~here), requests).causes
    assert (cause["kind"], cause["stage"], cause["where"]) == ("sampling", "population", {"country": "DE"})
    assert cause["explains"] == 1.0
    assert cause["parameters"] == {
        "table": "A",
        "absent": here.sum(),
        "rows": here.sum(),
        "absent_elsewhere": 0,
        "rows_elsewhere": (~here).sum(),
    }
    count = f"{here.sum():,}"
    assert cause["says"] == (
        f'Training lacks {count} of the {count} rows where country is "DE", and none of the {(~here).sum():,} others.'
    )


def test_a_rate_of_sampling_is_counted_on_either_side_of_its_place(requests: pa.Table) -> None:
    negative = column(requests, "clicked") == False  # noqa: E712
    kept = ~negative | (np.random.default_rng(6).random(ROWS) < 0.1)
    (cause,) = compare(keep(requests, kept), requests).causes
    assert cause["where"] == {"clicked": False}
    assert cause["parameters"]["rows"] == negative.sum()
    assert cause["parameters"]["absent"] == (~kept).sum()


def test_a_table_that_ends_early_is_told_by_the_time(requests: pa.Table) -> None:
    (cause,) = compare(requests, requests.slice(0, 3000)).causes
    assert cause["where"] == {"at": {"at least": (START + timedelta(minutes=3000)).isoformat()}}
    assert cause["says"].startswith("Serving lacks 1,000 of the 1,000 rows")


def test_a_bound_of_a_number_is_told(requests: pa.Table) -> None:
    large = column(requests, "amount").astype(float) >= 60
    (cause,) = compare(keep(requests, ~large), requests).causes
    ((name, condition),) = cause["where"].items()
    assert name == "amount"
    assert condition["at least"] == min(column(requests, "amount")[large])


def test_rows_without_a_value_are_told(requests: pa.Table) -> None:
    missing = np.array([value is None for value in requests.column("age").to_pylist()])
    (cause,) = compare(keep(requests, ~missing), requests).causes
    assert cause["where"] == {"age": {"is": "missing"}}


def test_a_table_of_one_value_lacks_all_others(requests: pa.Table) -> None:
    numbers = pa.table({**{n: requests.column(n) for n in requests.column_names}, "shop": np.arange(ROWS) % 20})
    (cause,) = compare(keep(numbers, np.arange(ROWS) % 20 == 7), numbers).causes
    assert cause["where"] == {"shop": {"is not": 7}}


def test_each_table_has_its_own_place(requests: pa.Table) -> None:
    country, clicked = column(requests, "country"), column(requests, "clicked").astype(bool)
    causes = compare(keep(requests, country != "DE"), keep(requests, ~clicked | (country == "DE"))).causes
    assert [(cause["parameters"]["table"], cause["where"]) for cause in causes] == [
        ("B", {"clicked": True}),
        ("A", {"country": "DE"}),
    ]


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(0.001, 0.9))
def test_rows_that_are_lost_anywhere_have_no_place(seed: int, share: float) -> None:
    source = np.random.default_rng(seed)
    rows = 1500
    table = pa.table(
        {
            "id": range(rows),
            "at": [START + timedelta(minutes=row) for row in range(rows)],
            **{f"text_{n}": source.choice([f"v{v}" for v in range(2 + 6 * n)], rows) for n in range(4)},
            **{f"number_{n}": source.normal(size=rows) for n in range(4)},
        }
    )
    assert compare(table, keep(table, source.random(rows) >= share)).causes == ()


def test_it_is_found_in_large_tables_and_counted_over_all_rows() -> None:
    rows = 300_000
    table = pa.table({"id": range(rows), "at": [START] * rows, "shop": [f"s{row % 30}" for row in range(rows)]})
    (cause,) = compare(table.filter(pa.array(np.arange(rows) % 30 != 3)), table).causes
    assert cause["where"] == {"shop": "s3"}
    assert cause["parameters"]["absent"] == 10_000


def test_without_samples_only_named_columns_are_looked_at(requests: pa.Table) -> None:
    here = column(requests, "country") == "DE"
    trained = keep(requests, ~here)
    assert compare(trained, requests, samples=0).causes == ()
    (cause,) = compare(trained, requests, samples=0, by=["country"]).causes
    assert cause["where"] == {"country": "DE"}


def test_few_rows_have_no_place() -> None:
    table = pa.table({"id": [1, 2, 3, 4], "at": [START] * 4, "country": ["DE", "DE", "FR", "FR"]})
    assert compare(table, table.slice(2)).causes == ()


def test_hostile_values_reach_neither_sql_nor_html(requests: pa.Table) -> None:
    name = "x'); DROP TABLE t; --<script>"
    value = "o'b\"<img src=x onerror=alert(1)>"
    hostile = pa.table(
        {"id": requests.column("id"), "at": requests.column("at"), name: [value if r % 5 else "y" for r in range(ROWS)]}
    )
    findings = compare(keep(hostile, np.arange(ROWS) % 5 == 0), hostile)
    assert findings.causes[0]["where"] in ({name: value}, {name: {"is not": "y"}})
    page = render_page(findings)
    assert "<img src=x" not in page
    assert "TABLE t; --<script>" not in page
    assert Findings.from_json(findings.to_json()) == findings
