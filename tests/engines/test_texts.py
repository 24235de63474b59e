"""What depends on a repeating text alone is computed once for each distinct text, and means what it meant."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.engines import query
from skewcheck.engines.duckdb import DIALECT, write_query
from skewcheck.engines.texts import separate_texts
from skewcheck.language.terms import Term, call, column, literal, walk
from skewcheck.language.types import FLOAT64, STRING
from tests.both_engines import evaluate_terms

NAME, CITY, X = column("name", STRING), column("city", STRING), column("x", FLOAT64)
CLEAN = call("strip", call("lower", NAME))
TABLE = (("", 0), ("a", 1), ("b c", 2), ("é", 3))


def code(term: Term) -> Term:
    return call("lookup", term, parameter=TABLE)


REPEATING: dict[str, Term] = {
    "clean": CLEAN,
    "code": call("coalesce", code(CLEAN), literal(-1)),
    "hashed": call("digest", CLEAN) % 97,
    "length": call("length", CLEAN),
    "crossed": call("digest", call("concatenate", CLEAN, CITY)),
    "place": code(call("strip", CITY)),
    "scaled": X * call("to_float", call("length", CLEAN)),
    "counts": call("ngram_counts", CLEAN, literal(2), literal(3)),
}


def test_a_text_that_is_looked_up_is_worked_on_apart_from_the_rows() -> None:
    remaining, texts = separate_texts(REPEATING)
    assert [text.column.name for text in texts] == ["name", "city"]
    assert not any(term.name in {"lower", "strip"} for term in walk(*remaining.values()))
    assert all(term.name not in {"x", "city"} for text in texts[:1] for term in walk(*text.terms))


def test_a_text_that_nothing_looks_up_stays_with_its_row() -> None:
    outputs = {"clean": CLEAN, "hashed": call("digest", CLEAN)}
    assert separate_texts(outputs) == (outputs, ())


def test_a_look_up_of_the_text_as_it_is_stays_with_its_row() -> None:
    outputs = {"code": code(NAME)}
    assert separate_texts(outputs) == (outputs, ())


@pytest.mark.parametrize("absent", [call("is_missing", CLEAN), call("coalesce", CLEAN, literal("none"))])
def test_what_a_missing_text_becomes_is_decided_in_its_row(absent: Term) -> None:
    remaining, (text,) = separate_texts({"code": code(CLEAN), "absent": absent})
    assert remaining["absent"].name == absent.name
    assert absent not in text.terms


texts = st.none() | st.sampled_from([" A ", "a", "B c", "É", "é", ""]) | st.text(max_size=6)


@given(st.lists(st.tuples(texts, texts, st.none() | st.floats()), min_size=1, max_size=12))
def test_the_values_are_those_of_the_row_function(rows: list[tuple[Any, ...]]) -> None:
    evaluate_terms(REPEATING, [dict(zip(("name", "city", "x"), row, strict=True)) for row in rows])


def test_the_query_gives_the_columns_of_its_source_and_the_outputs() -> None:
    text = write_query(REPEATING, source="rows", columns={"name": '"given name"'})
    with duckdb.connect() as connection:
        connection.execute("""CREATE TABLE rows AS SELECT ' A ' AS "given name", 'b' AS city, 2e0 AS x, 1 AS other""")
        connection.execute("INSERT INTO rows VALUES (NULL, NULL, NULL, 2), (' A ', NULL, 1, 3)")
        found = connection.execute(f"SELECT * FROM ({text}) ORDER BY other").to_arrow_table()
    assert found.column_names == ["given name", "city", "x", "other", *REPEATING]
    assert found.column("clean").to_pylist() == ["a", None, "a"]
    assert found.column("code").to_pylist() == [1, -1, 1]
    assert found.column("scaled").to_pylist() == [2.0, None, 1.0]


def test_both_ways_of_writing_the_query_agree() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE inputs(name VARCHAR, city VARCHAR, x DOUBLE)")
        connection.execute("INSERT INTO inputs SELECT ' N' || i % 7, ' C' || i % 3, i FROM range(100) AS rows(i)")
        for one, other in ((0, 1), (1, 0)):
            written = (write_query(REPEATING), query.write_query(DIALECT, REPEATING, source="inputs"))
            difference = f"SELECT count(*) FROM (({written[one]}) EXCEPT ALL ({written[other]}))"
            assert connection.execute(difference).fetchone() == (0,)


def test_an_output_may_have_any_name() -> None:
    evaluate_terms({"text_1": CLEAN, "key_1": code(CLEAN), "text.1": CLEAN, "step_1": X}, [{"name": " A ", "x": 1.0}])
