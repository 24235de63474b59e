"""Vector columns in generated code: what the row function and the query accept, and how they refuse the rest."""

from __future__ import annotations

import array
import json
import math
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.execution import run_query
from skewcheck.generate.generation import Generated, generate, load_row_module
from skewcheck.generate.golden import make_rows
from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import read_manifest
from skewcheck.language.terms import call, column, literal
from skewcheck.language.types import FLOAT64, vector
from tests.declaring import PLACES, empty_state, make_service


@pytest.fixture(scope="module")
def generated() -> Generated:
    service = make_service({"e": vector(2), "x": FLOAT64}, out=lambda e: e, scaled=lambda e, x: e.scale(x))
    return generate(service, empty_state(service), PLACES, {})


@pytest.fixture(scope="module")
def module(generated: Generated) -> dict[str, Any]:
    return load_row_module(generated.files["row.py"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (math.nan, None),
        ([1.5, 2], [1.5, 2.0]),
        ((1.5, 2.5), [1.5, 2.5]),
        (np.array([0.1, 2.5], np.float32), [float(np.float32(0.1)), 2.5]),
        (np.array([1, 2]), [1.0, 2.0]),
        (array.array("d", [1.0, 2.0]), [1.0, 2.0]),
        ([1.0, None], None),
        ([math.nan, 1.0], None),
        ([1.0, -math.inf], None),
        (np.array([math.inf, 0.0]), None),
    ],
)
def test_lists_tuples_and_arrays_are_vectors(module: dict[str, Any], value: Any, expected: Any) -> None:
    found = module["transform_row"]({"e": value, "x": 1.0})
    assert found == {"out": expected, "scaled": expected}
    assert found["out"] is None or {type(item) for item in found["out"]} == {float}
    assert module["transform"]({"e": [value], "x": [1.0]}) == {"out": [expected], "scaled": [expected]}


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        ([1.0], ValueError, "column e: expected 2 numbers, got 1"),
        ([None] * 3, ValueError, "column e: expected 2 numbers, got 3"),
        (np.zeros(0), ValueError, "column e: expected 2 numbers, got 0"),
        (np.zeros((2, 2)), TypeError, "column e: expected a float, got list"),
        (["1.0", 2.0], TypeError, "column e: expected a float, got str"),
        ([True, 2.0], TypeError, "column e: expected a float, got bool"),
        ("12", TypeError, "column e: expected a list of 2 numbers, got str '12'"),
        (1.0, TypeError, "column e: expected a list of 2 numbers, got float"),
        (np.float64(1.0), TypeError, "column e: expected a list of 2 numbers"),
        ({1.0: 2.0}, TypeError, "column e: expected a list of 2 numbers, got dict"),
    ],
)
def test_anything_else_is_refused_and_names_the_column(
    module: dict[str, Any], value: Any, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        module["transform_row"]({"e": value, "x": 1.0})


def test_the_list_that_was_given_is_not_the_one_that_is_returned(module: dict[str, Any]) -> None:
    given = [1.0, 2.0]
    module["transform_row"]({"e": given, "x": 1.0})["out"].append(3.0)
    assert given == [1.0, 2.0]


def query(generated: Generated, values: pa.Array) -> list[Any]:
    with duckdb.connect() as connection:
        connection.register("inputs", pa.table({"e": values, "x": [2.0] * len(values)}))
        found = connection.execute(generated.files["features.sql"]).to_arrow_table()
        return found.column("scaled").to_pylist()


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.float32(), 2)])
def test_the_query_reads_lists_of_any_floats(generated: Generated, kind: pa.DataType) -> None:
    values = pa.array([[1.5, 2.0], None, [1.0, None], [math.nan, 1.0], [math.inf, 1.0]], kind)
    assert query(generated, values) == [[3.0, 4.0], None, None, None, None]


@pytest.mark.parametrize("length", [0, 1, 3])
def test_the_query_refuses_another_length_and_names_the_column(generated: Generated, length: int) -> None:
    values = pa.array([[1.0, 2.0], [None] * length], pa.list_(pa.float64()))
    with pytest.raises(duckdb.Error, match=f"column e: expected 2 numbers, got {length}"):
        query(generated, values)


def test_a_hostile_column_name_is_quoted_in_the_error() -> None:

    name = 'it\'s {0} "odd"'
    text = write_query({"out": call("component", column(name, vector(1)), literal(0))})
    assert run_query(text, {name: vector(1)}, [{name: [1.5]}, {name: None}], ["out"]) == [{"out": 1.5}, {"out": None}]
    with pytest.raises(duckdb.Error, match=r"it's \{0\} \"odd\": expected 1 numbers, got 2"):
        run_query(text, {name: vector(1)}, [{name: [1.5, 2.5]}], ["out"])


@pytest.mark.parametrize("size", [1, 2, 100])
def test_golden_rows_hold_missing_and_present_vectors_of_the_size(size: int) -> None:
    rows = make_rows({"dot": call("dot", column("e", vector(size)), column("e", vector(size)))})
    found = [row["e"] for row in rows]
    assert None in found
    assert any(value is not None and None in value for value in found)
    assert {len(value) for value in found if value is not None} == {size}


def test_manifest_objects_and_log_say_how_long_they_are(generated: Generated, tmp_path: Any) -> None:
    assert "Field(name='out', dtype=Array(Float64))" in generated.files["feast_objects.py"]
    (tmp_path / "manifest.json").write_text(generated.files["manifest.json"], encoding="utf-8")
    manifest = read_manifest(tmp_path / "manifest.json")
    assert manifest.columns[0].type == vector(2)
    schema = log_schema(manifest)
    assert schema.columns()["request.e"] == schema.columns()["feature.out"] == "Vector(2)"
    assert json.loads(generated.files["golden.json"])["rows"][0]["inputs"]["e"] is None
