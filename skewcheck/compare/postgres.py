"""A table of a PostgreSQL server, copied to a Parquet file in one streamed read (room: compare).

Types that Parquet has stand as themselves, a numeric as a double or, where it has more digits, as a decimal, and every
other type as its text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skewcheck.errors import TableError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT = (
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "text",
    "bytea",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
)
"""Types that the driver hands over as they are, and lists of them."""

_FLOAT_DIGITS, _MOST_DIGITS = 15, 38
"""Digits that a double and a decimal hold."""


def copy_table(address: str, table: str, target: Path, source: str) -> None:
    """Copy a table or view.

    Args:
        address: `postgresql://...`, as libpq reads it.
        table: TABLE or SCHEMA.TABLE, as SQL writes it: lower case unless quoted.
        target: The Parquet file to write.
        source: The address and the table without a password, for messages.

    Raises:
        UsageError: The driver is not installed, or there is no such table.
        TableError: The server cannot be reached or read.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise UsageError(
            f"{source} needs a driver for PostgreSQL that is not installed",
            remedy="Install it with `pip install skewcheck[postgres]`.",
        ) from error
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            columns = _describe(cursor, table, source)
            cursor.execute(
                f"SELECT {', '.join(_select(*column) for column in columns)} FROM {_find_name(cursor, table)}"
            )
            reader = cursor.fetch_record_batch()
            types = {name: _decimal_of(type_) for name, type_ in columns}
            schema = pa.schema([(field.name, types[field.name] or field.type) for field in reader.schema])
            with parquet.ParquetWriter(target, schema) as writer:
                for batch in reader:
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    except (dbapi.Error, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise TableError(
            f"{source} cannot be read: {reason}", remedy="Check the address, and that its user may read the table."
        ) from error


def _find_name(cursor: Any, table: str) -> str | None:
    """The table's name as the server quotes it; None where there is none."""
    cursor.execute("SELECT CAST(to_regclass($1) AS text)", parameters=(table,))
    found: tuple[str | None] = cursor.fetchone()
    return found[0]


def _describe(cursor: Any, table: str, source: str) -> list[tuple[str, str]]:
    """The names and types of the table's columns."""
    name = _find_name(cursor, table)
    if name is None:
        raise UsageError(f"{source}: the database has no table {table}", remedy="Give ADDRESS::SCHEMA.TABLE.")
    cursor.execute(
        "SELECT CAST(attname AS text), format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        parameters=(table,),
    )
    return [(column, type_) for column, type_ in cursor.fetchall()]


def _select(name: str, type_: str) -> str:
    """SQL text that reads a column as a type that the driver hands over unchanged."""
    quoted = '"' + name.replace('"', '""') + '"'
    if type_.removesuffix("[]") in _KEPT:
        return quoted
    lists = "[]" if type_.endswith("[]") else ""
    number = type_.startswith("numeric") and _decimal_of(type_) is None
    return f"CAST({quoted} AS {'double precision' if number else 'text'}{lists}) AS {quoted}"


def _decimal_of(type_: str) -> pa.DataType | None:
    """The Arrow type of a numeric that has more digits than a double holds; None for any other type."""
    import pyarrow as pa

    digits = re.fullmatch(r"numeric\((\d+),(\d+)\)", type_)
    if digits is None or not _FLOAT_DIGITS < int(digits[1]) <= _MOST_DIGITS:
        return None
    return pa.decimal128(int(digits[1]), int(digits[2]))
