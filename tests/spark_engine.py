"""Run terms through Spark: one local session for all tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.engines import spark
from skewcheck.engines.execution import tabulate_rows
from skewcheck.engines.spark import write_query
from skewcheck.generate.golden import differing_rows
from skewcheck.language.terms import Term, finite, walk
from skewcheck.language.types import INT64, Type
from tests.both_engines import Row, load_terms

SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    # A short run is over before the better compiler has paid for itself.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    **spark.SETTINGS,
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def find_obstacle() -> str | None:
    """Why Spark cannot run here, None where it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "Spark needs pyspark: pip install skewcheck[spark]"
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "Spark needs Java 17, and there is no java on the path"
    return None


def open_spark() -> Any:
    """The session; where Spark cannot run the test is skipped, and fails in CI."""
    if obstacle := find_obstacle():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(obstacle)
    from pyspark.sql import SparkSession

    # Its Python workers are to be of this environment.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").appName("skewcheck")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def run_in_spark(query: str, inputs: pa.Table) -> pa.Table:
    """What a query over `inputs` gives, read from a file, so that Spark compiles what it runs."""
    session = open_spark()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "inputs.parquet")
        pq.write_table(inputs, path)
        session.read.parquet(path).createOrReplaceTempView("inputs")
        return session.sql(query).toArrow()


def run_rows_in_spark(query: str, columns: Mapping[str, Type], rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """What a query gives for each row, in order."""
    numbered = [{**row, "$row": number} for number, row in enumerate(rows)]
    found = run_in_spark(query, tabulate_rows({**columns, "$row": INT64}, numbered))
    return found.sort_by("$row").select(list(names)).to_pylist()


def evaluate_in_spark(terms: Mapping[str, Term], rows: Sequence[Row]) -> list[Row]:
    """What Spark gives for the terms, once it is known to be what Python gives in every bit and type."""
    columns = {term.name: term.type for term in walk(*terms.values()) if term.kind == "column"}
    query = write_query({name: finite(term) for name, term in terms.items()})
    in_spark = run_rows_in_spark(query, columns, rows, list(terms))
    transform_row = load_terms(terms)["transform_row"]
    in_python = [transform_row(row) for row in rows]
    for number, name in differing_rows(in_python, in_spark):
        given = {column: rows[number][column] for column in columns if column in read_columns(terms[name])}
        values = f"Python {in_python[number][name]!r}, Spark {in_spark[number][name]!r}"
        raise AssertionError(f"{name} of {given!r}: {values}")
    for here, there in zip(in_python, in_spark, strict=True):
        for name in terms:
            assert type(here[name]) is type(there[name]), f"{name}: Python {here[name]!r}, Spark {there[name]!r}"
    return in_spark


def read_columns(term: Term) -> set[str]:
    """The columns that a term reads."""
    return {part.name for part in walk(term) if part.kind == "column"}
