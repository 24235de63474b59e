"""Run expressions through both engines as generated: the row module in Python, the query in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from inspect import signature
from typing import Any

import duckdb

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.execution import run_query
from skewcheck.engines.python import write_source
from skewcheck.generate.golden import differing_rows
from skewcheck.generate.row_module import load_row_module, render_row_module
from skewcheck.language.expressions import Column, Expression, expand
from skewcheck.language.opaque import find_functions
from skewcheck.language.terms import Term, finite, walk
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type, vector

Row = dict[str, Any]


def column(name: str, type_: Type, unit: str | None = None) -> Expression:
    """A column as a feature's function gets it."""
    return Expression(Column(name, type_), (), type_, unit)


def type_of(values: Sequence[Any]) -> Type:
    """The type of a column with these values; Float64 where all are missing."""
    kinds = {bool: BOOL, int: INT64, float: FLOAT64, str: STRING, datetime: TIMESTAMP}
    present = next((value for value in values if value is not None), None)
    return vector(len(present)) if isinstance(present, list) else kinds.get(type(present), FLOAT64)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """The one that queries without functions of their own run in: opening one takes longer than most of them do."""
    return duckdb.connect()


def load_terms(terms: Mapping[str, Term]) -> dict[str, Any]:
    """The names of the row module that computes terms."""
    source = write_source({name: finite(term) for name, term in terms.items()})
    text = render_row_module(
        source, service="test", definition="0", state="0", expressions=dict.fromkeys(terms, "an expression")
    )
    return load_row_module(text)


def evaluate_terms(terms: Mapping[str, Term], rows: Sequence[Row]) -> list[Row]:
    """What both engines give for the terms, once they are known to agree in type and in every bit."""
    columns = {term.name: term.type for term in walk(*terms.values()) if term.kind == "column"}
    transform_row = load_terms(terms)["transform_row"]
    in_python = [transform_row(row) for row in rows]
    query = write_query({name: finite(term) for name, term in terms.items()})
    functions = find_functions(terms.values())
    shared = None if functions else database()
    in_duckdb = run_query(query, columns, rows, list(terms), functions, database=shared)
    for number, name in differing_rows(in_python, in_duckdb):
        given = {column: rows[number][column] for column in columns}
        raise AssertionError(
            f"{name} of {given!r}: Python {in_python[number][name]!r}, DuckDB {in_duckdb[number][name]!r}"
        )
    for name, term in terms.items():
        for here, there in zip(in_python, in_duckdb, strict=True):
            _check_type(name, term.type, here[name])
            _check_type(name, term.type, there[name])
    return in_python


def evaluate(expressions: Mapping[str, Expression], rows: Sequence[Row], state: Any = None) -> list[Row]:
    """What both engines give for the expressions, once they are known to agree in type and in every bit."""
    return evaluate_terms({name: expand(e, state or {}) for name, e in expressions.items()}, rows)


def _check_type(name: str, type_: Type, value: Any) -> None:
    kinds: dict[str, type] = {
        "Float64": float,
        "Int64": int,
        "Bool": bool,
        "String": str,
        "Timestamp": datetime,
        "Vector": list,
    }
    assert value is None or type(value) is kinds[type_.name], f"{name} is {type_}, and one value is {value!r}"


def apply(build: Callable[..., Expression], rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What an expression of one or more columns gives for rows of their values, the same on both engines."""
    names = list(signature(build).parameters)
    columns = {name: column(name, type_of([row[place] for row in rows])) for place, name in enumerate(names)}
    given = [dict(zip(names, row, strict=True)) for row in rows]
    return [row["result"] for row in evaluate({"result": build(**columns)}, given)]
