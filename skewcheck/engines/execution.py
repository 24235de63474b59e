"""Run a generated query over rows held in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import duckdb
import pyarrow as pa

from skewcheck.engines.opaque import find_failure, load_functions, register_functions
from skewcheck.language.opaque import Definition
from skewcheck.language.types import INT64, Type

ARROW_TYPES = {
    "Float64": pa.float64(),
    "Int64": pa.int64(),
    "Bool": pa.bool_(),
    "String": pa.string(),
    "Timestamp": pa.timestamp("us", tz="UTC"),
    "Vector": pa.list_(pa.float64()),
}
"""How a column of each type stands in an Arrow table."""


def tabulate_rows(columns: Mapping[str, Type], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table with the given columns.

    Raises:
        pyarrow.ArrowInvalid: A value is not of its column's type.
    """
    return pa.table(
        {name: pa.array([row[name] for row in rows], ARROW_TYPES[type_.name]) for name, type_ in columns.items()}
    )


def run_query(
    query: str,
    columns: Mapping[str, Type],
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    functions: Iterable[Definition] = (),
    *,
    database: duckdb.DuckDBPyConnection | None = None,
) -> list[dict[str, Any]]:
    """What a query that `write_query` wrote over `inputs` gives for each row, in order.

    Args:
        query: The SQL text.
        columns: The columns that it reads, with their types.
        rows: A value of every column for each row.
        names: The outputs that are wanted.
        functions: The opaque functions that it calls.
        database: A database to run it in, which stays as it is, for callers with many queries: opening one takes longer
            than most queries do. It cannot hold functions. A database of its own otherwise.

    Raises:
        OpaqueError: One of them raises an error or gives a value of another type.
    """
    numbered = [{**row, "$row": number} for number, row in enumerate(rows)]
    table = tabulate_rows({**columns, "$row": INT64}, numbered)
    with closing(duckdb.connect() if database is None else database.cursor()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("inputs", table)
        register_functions(connection, load_functions(functions))
        try:
            found = connection.execute(f'SELECT * FROM ({query}) ORDER BY "$row"').to_arrow_table()
        except duckdb.Error as error:
            raise find_failure(error) or error from error
    return found.select(list(names)).to_pylist()
