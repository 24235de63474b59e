"""A DuckDB connection with the settings that every use here relies on, and what its errors say."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from skewcheck.engines.sql import quote_text


def open_session(*, memory_limit: str | None = None, spill_to: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory database that reads times as UTC and prints nothing by itself.

    Args:
        memory_limit: What it may hold, such as "640MB"; DuckDB's own default otherwise.
        spill_to: The folder that it writes to beyond that.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # The bar goes to standard output, where a caller may expect JSON.
    connection.execute("SET enable_progress_bar = false")
    if memory_limit is not None:
        # Keeping the order of rows costs memory, and whoever limits it counts.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET memory_limit = {quote_text(memory_limit)}")
    if spill_to is not None:
        connection.execute(f"SET temp_directory = {quote_text(str(spill_to))}")
    return connection


def say_error(error: BaseException) -> str:
    """The first line of an error of the engine, without the name that it gives to the kind of error."""
    return re.sub(r"^[\w ]*Error: ", "", (str(error) or type(error).__name__).splitlines()[0])
