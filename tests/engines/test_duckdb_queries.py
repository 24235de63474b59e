"""The query: what it reads, what it adds, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from skewcheck.engines.duckdb import SPELLINGS, write_query
from skewcheck.engines.python import SPELLINGS as PYTHON_SPELLINGS
from skewcheck.language.expressions import expand
from skewcheck.language.primitives import PRIMITIVES
from skewcheck.language.terms import call, finite, statistic
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import column

X = column("x", FLOAT64)


def run(query: str, **relations: pa.Table) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in relations.items():
            connection.register(name, table)
        return connection.execute(query).to_arrow_table().to_pylist()


def query_of(expression: Any, **options: Any) -> str:
    return write_query({"result": finite(expand(expression, {}))}, **options)


def test_the_columns_of_the_relation_stay_beside_the_outputs() -> None:
    inputs = pa.table({"id": ["a", "b"], "x": [1.0, 2.0], "extra": [True, None]})
    assert run(query_of(X.log1p().floor() + X), inputs=inputs) == [
        {"id": "a", "x": 1.0, "extra": True, "result": 1.0},
        {"id": "b", "x": 2.0, "extra": None, "result": 3.0},
    ]


def test_the_relation_may_be_a_query_and_a_column_may_be_read_from_elsewhere() -> None:
    query = query_of(X + 1, source='(SELECT 41.0::DOUBLE AS "request.x")', columns={"x": '"request.x"'})
    assert run(query) == [{"request.x": 41.0, "result": 42.0}]


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        (FLOAT64, pa.array([1.5, None, float("nan"), float("inf")]), [1.5, None, None, None]),
        (FLOAT64, pa.array([0.1], pa.float32()), [0.10000000149011612]),
        (FLOAT64, pa.array([3], pa.int32()), [3.0]),
        (INT64, pa.array([3, None], pa.int8()), [3, None]),
        (INT64, pa.array([2**63 - 1, -(2**63)]), [2**63 - 1, -(2**63)]),
        (BOOL, pa.array([True, None]), [True, None]),
        (STRING, pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (STRING, pa.array(["a"], pa.large_string()), ["a"]),
    ],
)
def test_a_column_is_read_as_its_type_and_what_is_not_finite_is_missing(type_: Any, values: Any, expected: Any) -> None:
    found = run(query_of(column("c", type_)), inputs=pa.table({"c": values}))
    assert [row["result"] for row in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TIMESTAMP '2024-01-01 00:00:00.000001'", 1704067200000001),
        ("TIMESTAMPTZ '2024-01-01 02:00:00+02'", 1704067200000000),
        ("DATE '1969-12-31'", -86400000000),
        ("TIMESTAMP 'infinity'", None),
        ("TIMESTAMPTZ '-infinity'", None),
        ("TIMESTAMP '10000-01-01'", None),
        ("TIMESTAMP '0001-01-01 (BC)'", None),
        ("NULL::TIMESTAMP", None),
    ],
)
def test_an_instant_outside_the_years_1_to_9999_is_missing(text: str, expected: int | None) -> None:
    instant = call("microseconds", expand(column("t", TIMESTAMP), {}))
    query = write_query({"result": instant}, source=f"(SELECT {text} AS t)")
    assert [row["result"] for row in run(f"SELECT result FROM ({query})")] == [expected]


def test_every_row_stays_once_where_a_table_is_joined() -> None:
    numbers = list(range(5000))
    inputs = pa.table({"id": numbers, "s": [str(number % 7) for number in numbers]})
    found = run(query_of(column("s", STRING).is_in(["1", "3"])), inputs=inputs)
    assert sorted(row["id"] for row in found) == numbers
    assert all(row["result"] == (row["id"] % 7 in {1, 3}) for row in found)


def test_a_statistic_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="statistic mean of"):
        write_query({"result": statistic("x.standardize()", "mean", FLOAT64)})


def test_both_engines_spell_every_primitive_and_nothing_else() -> None:
    by_hand = {"locate", "interval", "element", "lookup", "pack"}
    assert set(SPELLINGS) | by_hand == set(PRIMITIVES)
    assert set(PYTHON_SPELLINGS) == set(PRIMITIVES)
