"""Spark's query: it resolves however long the program and odd its columns' names, and leaves the source alone."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa
import pytest

from skewcheck.engines.spark import INLINE_ENTRIES, NESTED_EDGES, write_query
from skewcheck.language.expressions import expand
from skewcheck.language.terms import Term, call, column, finite, literal, restrict
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from tests import both_engines
from tests.adversarial import FLOATS, INTEGERS, STRINGS, VALUES
from tests.spark_engine import evaluate_in_spark, open_spark, run_in_spark

X, N, S = column("x", FLOAT64), column("n", INT64), column("s", STRING)
LEVELS = 120
FEATURES = 300


def hard_rows(columns: dict[str, Type], count: int) -> list[dict[str, Any]]:
    random = Random(count)
    return [{name: random.choice(VALUES[type_]) for name, type_ in columns.items()} for _ in range(count)]


def test_a_program_of_many_levels_resolves_and_runs() -> None:
    value = N % 1000
    for level in range(LEVELS):
        # Two uses give a term a name, and so a level.
        value = (value * 3 + value + level) % 1_000_003
    query = write_query({"result": value})
    assert query.count("JOIN LATERAL") > LEVELS
    evaluate_in_spark({"result": value}, hard_rows({"n": INT64}, 50))


def test_a_program_of_many_features_resolves_and_runs() -> None:
    x, n = both_engines.column("x", FLOAT64), both_engines.column("n", INT64)
    s, at = both_engines.column("s", STRING), both_engines.column("at", TIMESTAMP)
    families = (
        lambda number: x.log1p() * float(number),
        lambda number: (x + float(number)).abs().sqrt() / (x.abs() + 1.0),
        lambda number: (n % (number + 2)) + n // (number + 1),
        lambda number: s.strip().lower().hash_bucket(number + 2),
        lambda number: at.shift(seconds=number * 3601).hour("America/New_York"),
        lambda number: (x > float(number)) | s.contains(str(number)),
    )
    features = {f"feature_{number}": expand(families[number % len(families)](number), {}) for number in range(FEATURES)}
    rows = hard_rows({"x": FLOAT64, "n": INT64, "s": STRING, "at": TIMESTAMP}, 60)
    found = evaluate_in_spark(features, rows)
    assert len(found[0]) == FEATURES


def run(outputs: dict[str, Term], inputs: pa.Table) -> list[dict[str, Any]]:
    return run_in_spark(write_query({name: finite(term) for name, term in outputs.items()}), inputs).to_pylist()


ODD = [
    "a`b", "`", "a.b", "a b", "a,b", "a=b;{}()", "it's", '"', "\\", "é", "👩", "a#b", "inputs", "place", "item", "key",
    "value", "select", "a\nb", "%s", "{0}", "step_1", "level_0", "",
]  # fmt: skip


def test_a_column_may_have_any_name_whether_it_is_read_or_only_there() -> None:
    inputs = pa.table({name: [float(place), None] for place, name in enumerate(ODD)})
    outputs = {f"output of {name}": column(name, FLOAT64) + 0.5 for name in ODD}
    first, second = run(outputs, inputs)
    assert list(first) == [*ODD, *outputs]
    assert [first[name] for name in outputs] == [place + 0.5 for place in range(len(ODD))]
    assert set(second.values()) == {None}


@pytest.mark.parametrize("name", ["#inputs", "#level_0", "#table_1_0", "#key", "#value", "#other"])
def test_a_column_of_the_source_may_be_called_what_the_query_calls_its_own_relations(name: str) -> None:
    table = tuple((number, number * 2) for number in range(INLINE_ENTRIES + 1))
    term = call("lookup", N, parameter=table)
    assert run({"result": term}, pa.table({name: ["kept"], "n": [7]})) == [{name: "kept", "n": 7, "result": 14}]


@pytest.mark.parametrize("name", ["#x", "#step_1", "#result"])
def test_a_column_that_is_called_what_the_query_calls_its_own_columns_is_never_read_in_their_place(name: str) -> None:
    from pyspark.errors import AnalysisException

    open_spark()
    step = X + 1.0
    with pytest.raises(AnalysisException):
        run({"result": step * step}, pa.table({"x": [1.0], name: [7.0]}))


def test_an_output_may_be_called_what_its_input_is_called_in_another_relation() -> None:
    term = column("request.x", FLOAT64) * 2.0
    query = write_query({"x": finite(term)}, source="(SELECT 21e0 AS `request.x`)")
    assert run_in_spark(query, pa.table({"unused": [0]})).to_pylist() == [{"request.x": 21.0, "x": 42.0}]


def test_the_relation_may_be_a_query_and_a_column_may_be_read_from_elsewhere() -> None:
    query = write_query({"y": finite(X + 1.0)}, source="(SELECT 41e0 AS other)", columns={"x": "other"})
    assert run_in_spark(query, pa.table({"unused": [0]})).to_pylist() == [{"other": 41.0, "y": 42.0}]


def test_columns_and_rows_of_the_source_stay_as_they_are_and_nothing_else_is_given() -> None:
    inputs = pa.table(
        {
            "x": [1.0, float("nan"), None],
            "kept_list": [[1, 2], [], None],
            "kept_map": pa.array([{"a": 1}, None, {"a": None}]),
            "kept_bytes": [b"\x00\xff", b"", None],
            "kept_date": pa.array([0, -1, None], pa.date32()),
            "kept_decimal": pa.array([1, 2, None], pa.decimal128(20, 3)),
            "n": pa.array([1, None, 5], pa.int8()),
        }
    )
    step = X.__add__(1.0)
    big = call("lookup", N * 7, parameter=tuple((number, f"{number},") for number in range(100)))
    found = run_in_spark(write_query({"square": finite(step * step), "word": big}), inputs)
    assert found.column_names == [*inputs.column_names, "square", "word"]
    for name in inputs.column_names:
        assert repr(found[name].to_pylist()) == repr(inputs[name].to_pylist())
    assert found["square"].to_pylist() == [4.0, None, None]
    assert found["word"].to_pylist() == ["7,", None, "35,"]


def test_a_program_without_columns_gives_its_constants_on_every_row() -> None:
    assert run({"one": literal(1)}, pa.table({"n": [5, 6]})) == [{"n": 5, "one": 1}, {"n": 6, "one": 1}]


def test_large_tables_are_joined_once_each_and_no_row_is_lost_or_doubled() -> None:
    keys = [f"{key}\x1f," for key in range(20_000)]
    texts = call("lookup", S, parameter=tuple((key, key[::-1]) for key in keys))
    numbers = call("lookup", S, parameter=tuple((key, place) for place, key in enumerate(keys)))
    chained = call("lookup", numbers, parameter=tuple((place, place * 0.5) for place in range(0, 20_000, 2)))
    query = write_query({"text": texts, "chained": chained})
    assert query.count("LEFT JOIN") == 3
    given = [*keys[:3000], None, "unknown", *keys[:5]]
    found = run_in_spark(query, pa.table({"id": range(len(given)), "s": given})).sort_by("id").to_pylist()
    assert [row["id"] for row in found] == list(range(len(given)))
    known = {key: place for place, key in enumerate(keys)}
    for row in found:
        place = known.get(row["s"])
        assert row["text"] == (None if place is None else row["s"][::-1])
        assert row["chained"] == (None if place is None or place % 2 else place * 0.5)


@pytest.mark.parametrize("count", [NESTED_EDGES, NESTED_EDGES + 1, 127, 128, 129, 700])
def test_a_long_table_of_intervals_is_searched_to_the_same_place(count: int) -> None:
    edges = tuple(sorted({0.0, -1e300, 1e300, 5e-324, *(0.1 * place - 7 for place in range(count))}))[:count]
    whole = tuple(range(-(2**62), 2**62, 2**63 // count))[:count]
    values = tuple((place * 7919) % 1000 - 500 for place in range(count + 1))
    terms = {
        "located": call("locate", X, parameter=edges),
        "found": call("interval", X, parameter=(edges, values)),
        "whole": call("interval", N, parameter=(whole, values)),
        "guarded": call("locate", restrict(X, column("a", BOOL)), parameter=edges),
    }
    assert ("aggregate(" in write_query(terms)) == (count > NESTED_EDGES)
    random = Random(count)
    floats, integers = [*FLOATS, *edges], [*INTEGERS, *whole, *(edge - 1 for edge in whole[1:])]
    rows = [{"x": x, "n": random.choice(integers), "a": random.choice([True, False, None])} for x in floats]
    rows += [{"x": None, "n": n, "a": True} for n in integers]
    evaluate_in_spark(terms, rows)


def test_text_that_looks_like_a_setting_or_an_escape_is_read_as_it_is() -> None:
    terms = {f"text_{place}": call("concatenate", S, literal(text)) for place, text in enumerate(STRINGS) if text}
    evaluate_in_spark(terms, [{"s": ""}, {"s": "${spark.master}"}])
