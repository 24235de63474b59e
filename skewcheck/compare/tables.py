"""Where a table comes from: files, a database, memory; each becomes a relation that DuckDB can query (room: compare).

Nothing is read here that a query could read, with two exceptions. CSV is kept as text in a Parquet file for as long as
the comparison takes, because it is read more than once; so are the rows of a PostgreSQL server.
"""

from __future__ import annotations

import csv
import glob
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import duckdb

from skewcheck.compare.kinds import (
    BOOL_TEXT,
    DATE_TEXT,
    INSTANT_TEXT,
    INTEGER_TEXT,
    NUMBER_TEXT,
    SPECIAL_TEXT,
    TIMESTAMP_TEXT,
    Column,
    Kind,
    find_kind,
)
from skewcheck.engines.session import say_error
from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.errors import TableError, UsageError

_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
}
_COMPRESSIONS = {".gz", ".zst"}
_SEPARATORS = (",", ";", "\t", "|")
_SERVERS = ("postgresql://", "postgres://")
_MANY = 8
"""Columns that an error names before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be queried.

    Attributes:
        source: Where it comes from, as the report names it; without a password.
        relation: SQL text of its rows.
        columns: Its columns by name, in their order.
    """

    source: str
    relation: str
    columns: dict[str, Column]

    def column(self, name: str, option: str) -> Column:
        """The column that an option of the command names.

        Raises:
            UsageError: There is none.
        """
        if name not in self.columns:
            alike = [other for other in self.columns if other.casefold() == name.casefold()]
            known = alike or list(itertools.islice(self.columns, _MANY))
            more = f" and {len(self.columns) - len(known):,} more" if len(known) < len(self.columns) else ""
            raise UsageError(
                f"{option} {name}: {self.source} has no such column",
                remedy=f"It has: {', '.join(known)}{more}.",
            )
        return self.columns[name]


def open_table(
    connection: duckdb.DuckDBPyConnection, given: Any, label: str, folder: Path, *, null_texts: Sequence[str] = ()
) -> Table:
    """Make a table ready to be queried.

    Args:
        connection: Where it will be queried.
        given: A path, glob or folder of Parquet, CSV or Arrow files; `FILE.duckdb::TABLE`; `postgresql://...::TABLE`;
            or a table in memory (Arrow, or a pandas frame).
        label: What tells this table from the other: "a" or "b".
        folder: Where files may be put that last as long as the connection.
        null_texts: In CSV, the texts beside the empty unquoted cell that stand for null.

    Raises:
        UsageError: There is no such table, or it is of no format that is read.
        TableError: It cannot be read.
    """
    if not isinstance(given, (str, Path)):
        name = f"{label}_in_memory"
        connection.register(name, given)
        return _describe(connection, f"table {label.upper()} in memory", quote_name(name))
    text = str(given)
    if text.startswith(_SERVERS):
        return _open_server(connection, text, folder / f"{label}.parquet")
    if "::" in text:
        return _open_database(connection, text, label)
    files = _find_files(text)
    formats = {_format_of(path) for path in files}
    if len(formats) > 1:
        raise UsageError(f"{text} has files of several formats: {', '.join(sorted(formats))}", remedy="Give one glob.")
    try:
        if formats == {"csv"}:
            return _open_csv(connection, text, files, folder / f"{label}.parquet", null_texts)
        if formats == {"arrow"}:
            return _open_arrow(connection, text, files, f"{label}_files")
        paths = ", ".join(quote_text(escape_glob(str(path.absolute()))) for path in files)
        return _describe(connection, text, f"(FROM read_parquet([{paths}], union_by_name = true))")
    except (duckdb.Error, OSError, ValueError) as error:
        raise TableError(
            f"{text} cannot be read: {say_error(error)}", remedy="Check that the file is whole and of that format."
        ) from error


def rename_columns(a: Table, b: Table, renamed: Mapping[str, str]) -> Table:
    """B with the names that A has for its columns.

    Args:
        a: The one table.
        b: The other.
        renamed: For a column of A, its name in B.

    Raises:
        UsageError: A table lacks such a column, or B has two for one of A's.
    """
    if len(set(renamed.values())) < len(renamed):
        raise UsageError("two columns of A are renamed to one of B", remedy="Give each its own with --rename A=B.")
    for name, other in renamed.items():
        a.column(name, "--rename")
        b.column(other, "--rename")
    names = {other: name for name, other in renamed.items()}
    if taken := [name for name in renamed if name in b.columns and name not in names]:
        raise UsageError(
            f"--rename {taken[0]}={renamed[taken[0]]}: {b.source} has a column {taken[0]} of its own",
            remedy="Rename that one too, or leave both as they are.",
        )
    selected = ", ".join(f"{quote_name(other)} AS {quote_name(names.get(other, other))}" for other in b.columns)
    columns = {
        names.get(other, other): replace(column, name=names.get(other, other)) for other, column in b.columns.items()
    }
    return Table(b.source, f"(SELECT {selected} FROM {b.relation})", columns)


def _find_files(text: str) -> list[Path]:
    """The files of a path, a folder or a glob, sorted."""
    path = Path(text)
    if path.is_dir():
        inside = (file for file in path.rglob("*") if file.is_file())
        hidden = (".", "_")
        files = [
            file
            for file in inside
            if _suffix(file) in _SUFFIXES and not any(part.startswith(hidden) for part in file.relative_to(path).parts)
        ]
    elif path.exists():
        files = [path]
    else:
        files = [Path(found) for found in glob.glob(text, recursive=True)]  # noqa: PTH207 - the pattern may be absolute
        files = [file for file in files if file.is_file()]
    if not files:
        raise UsageError(
            f"the folder {text} has no table" if path.is_dir() else f"there is no table {text}",
            remedy="Give a Parquet, CSV or Arrow file, a folder or quoted glob of such files, FILE.duckdb::TABLE, or "
            "postgresql://...::TABLE.",
        )
    return sorted(files)


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _format_of(path: Path) -> str:
    """The format of a file by its name, or by its first bytes where the name does not say."""
    if _suffix(path) in _SUFFIXES:
        return _SUFFIXES[_suffix(path)]
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"PAR1") or start == b"ARROW1":
        return "parquet" if start.startswith(b"PAR1") else "arrow"
    raise UsageError(
        f"{path} is of no format that is read",
        remedy=f"Give a file that ends in {', '.join(_SUFFIXES)}, CSV also with {' or '.join(sorted(_COMPRESSIONS))}.",
    )


def _describe(connection: duckdb.DuckDBPyConnection, source: str, relation: str) -> Table:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return Table(source, relation, {name: Column(name, type_, find_kind(type_)) for name, type_, *_ in rows})


def _open_arrow(connection: duckdb.DuckDBPyConnection, text: str, files: list[Path], name: str) -> Table:
    from pyarrow import dataset, ipc

    try:
        connection.register(name, dataset.dataset([str(path) for path in files], format="ipc"))
    except ValueError:
        # The streaming format has no footer, and can only be read through.
        tables = []
        for path in files:
            with ipc.open_stream(path) as reader:
                tables.append(reader.read_all())
        connection.register(name, dataset.dataset(tables))
    return _describe(connection, text, quote_name(name))


def _open_csv(
    connection: duckdb.DuckDBPyConnection, text: str, files: list[Path], kept: Path, null_texts: Sequence[str]
) -> Table:
    """CSV as text. Its first line names the columns; an unquoted empty cell is null, a quoted one is an empty text."""
    paths = ", ".join(quote_text(escape_glob(str(path.absolute()))) for path in files)
    nulls = ", ".join(quote_text(value) for value in dict.fromkeys(["", *null_texts]))
    if not any(path.stat().st_size for path in files):
        raise TableError(f"{text} is empty", remedy="Write a line of column names first, also where there are no rows.")
    separator = ", delim = '\t'" if {_suffix(path) for path in files} == {".tsv"} else ""
    connection.execute(
        f"COPY (FROM read_csv([{paths}], all_varchar = true, header = true, skip = 0, union_by_name = true, "
        f"nullstr = [{nulls}], allow_quoted_nulls = false{separator})) TO {quote_text(str(kept))} (FORMAT parquet)"
    )
    relation = f"read_parquet({quote_text(escape_glob(str(kept)))})"
    names = list(_describe(connection, text, relation).columns)
    if len(names) == 1 and (signs := [sign for sign in _SEPARATORS if sign in names[0]]):
        # The engine reads lines that differ in length as a single column.
        _refuse_ragged_lines(files, signs[0])
    kinds = _read_kinds(connection, relation, names)
    return Table(text, relation, {name: Column(name, "VARCHAR", kinds[name], loose=True) for name in names})


def _refuse_ragged_lines(files: list[Path], separator: str) -> None:
    for path in files:
        if path.suffix.lower() in _COMPRESSIONS:
            continue
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = csv.reader(file, delimiter=separator)
            names = next(lines, [])
            for cells in lines:
                if cells and len(cells) != len(names):
                    raise TableError(
                        f"{path} cannot be read: line {lines.line_num} has {len(cells)} cells, expected {len(names)} "
                        "as in the line of names",
                        remedy=f"Correct that line; a cell that holds {separator!r} needs quotes.",
                    )


def _read_kinds(connection: duckdb.DuckDBPyConnection, relation: str, names: list[str]) -> dict[str, Kind]:
    """What all cells of each column of text read as; text where they do not agree."""
    patterns: dict[Kind, str] = {
        "integer": INTEGER_TEXT,
        "float": f"{NUMBER_TEXT}|(?:{SPECIAL_TEXT})",
        "bool": BOOL_TEXT,
        "date": DATE_TEXT,
        "timestamp": f"{DATE_TEXT}|{TIMESTAMP_TEXT}",
        "instant": f"{TIMESTAMP_TEXT}|{INSTANT_TEXT}",
    }
    asked = []
    for name in map(quote_name, names):
        asked += [
            f"count({name})",
            f"count(CASE WHEN regexp_full_match({name}, {quote_text(SPECIAL_TEXT)}) THEN 1 END)",
        ]
        asked += [f"bool_and(regexp_full_match({name}, {quote_text(pattern)}))" for pattern in patterns.values()]
    row = connection.execute(f"SELECT {', '.join(asked) or '0'} FROM {relation}").fetchone() or ()
    width = 2 + len(patterns)
    kinds: dict[str, Kind] = {}
    for place, name in enumerate(names):
        values, special, *holds = row[width * place : width * (place + 1)]
        found: Kind = next((kind for kind, all_read in zip(patterns, holds, strict=True) if all_read), "text")
        if not values:
            found = "null"
        elif found == "float" and special == values:  # a column of nothing but "nan" may hold names
            found = "text"
        kinds[name] = found
    return kinds


def _open_database(connection: duckdb.DuckDBPyConnection, text: str, label: str) -> Table:
    """`FILE::TABLE` or `FILE::SCHEMA.TABLE` of a DuckDB file, opened to read only."""
    path, _, table = text.rpartition("::")
    if not Path(path).is_file():
        raise UsageError(f"{text}: there is no file {path}", remedy="Give FILE.duckdb::TABLE.")
    database = f"database_{label}"
    try:
        place = str(Path(path).resolve())
        attached = connection.execute("SELECT database_name FROM duckdb_databases() WHERE path = ?", [place]).fetchone()
        if attached:
            database = attached[0]
        else:
            connection.execute(f"ATTACH {quote_text(place)} AS {quote_name(database)} (READ_ONLY)")
        known = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? UNION ALL "
            "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal ORDER BY ALL",
            [database, database],
        ).fetchall()
        found = next(
            ((schema, name) for schema, name in known if table in {name, f"{schema}.{name}"}),
            None,
        )
        if found is None:
            names = ", ".join(name if schema == "main" else f"{schema}.{name}" for schema, name in known) or "none"
            raise UsageError(f"{text}: {path} has no table {table!r}", remedy=f"Its tables are: {names}.")
        return _describe(connection, text, ".".join(map(quote_name, (database, *found))))
    except duckdb.Error as error:
        raise TableError(
            f"{text} cannot be read: {say_error(error)}", remedy="Check that it is a DuckDB file."
        ) from error


def _open_server(connection: duckdb.DuckDBPyConnection, text: str, kept: Path) -> Table:
    """`postgresql://...::TABLE`, copied once in the server's own snapshot of it."""
    from skewcheck.compare.postgres import copy_table

    address, sign, table = text.rpartition("::")
    if not sign or not table:
        raise UsageError(f"{hide_password(text)} names no table", remedy="Give postgresql://HOST/DATABASE::TABLE.")
    source = f"{hide_password(address)}::{table}"
    copy_table(address, table, kept, source)
    return _describe(connection, source, f"read_parquet({quote_text(escape_glob(str(kept)))})")


def hide_password(address: str) -> str:
    """A server's address as a report may show it."""
    parts = urlsplit(address)
    user, sign, host = parts.netloc.rpartition("@")
    hidden = f"{user.partition(':')[0]}:***" if ":" in user else user
    query = re.sub(r"(?i)(password|sslpassword)=[^&]*", r"\1=***", parts.query)
    return urlunsplit(parts._replace(netloc=f"{hidden}{sign}{host}", query=query))
