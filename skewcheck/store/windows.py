"""Windows over a repository's files: their values at the instants of requests, computed from the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import duckdb
import pyarrow as pa

from skewcheck.engines.sql import quote_name
from skewcheck.engines.windows.duckdb import compute_windows
from skewcheck.engines.windows.query import AT, CREATED, EVENT, PLACE, key_name
from skewcheck.errors import SkewcheckError
from skewcheck.language.types import INT64, Type
from skewcheck.language.windows.declaration import Windows
from skewcheck.store.as_of import AsOf
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import FRACTIONAL, WHOLE, SourceFiles, comparable, microseconds, open_source

BATCH = 500_000
"""Requests that are computed at once, so that memory does not grow with their number."""

STORED = {
    "Float64": ((*FRACTIONAL, *WHOLE), "CAST({0} AS DOUBLE)"),
    "Int64": (WHOLE, "CAST({0} AS BIGINT)"),
    "Bool": (("BOOLEAN",), "{0}"),
    "String": (("VARCHAR",), "{0}"),
    "Timestamp": (("TIMESTAMP", "DATE"), ""),
}
"""For each type of a column the types that its files may have, and how they are read."""


@dataclass(frozen=True, slots=True)
class WindowAnswers:
    """Windows, made ready to be asked.

    Attributes:
        windows: The declaration.
        columns: The features to compute.
        events: SQL text of a relation of the events, as `compute_windows` takes it.
        delay: Microseconds by which every answer comes later.
    """

    windows: Windows
    columns: tuple[str, ...]
    events: str
    delay: int

    def ask(
        self, connection: duckdb.DuckDBPyConnection, keys: Mapping[str, pa.ChunkedArray], instants: pa.ChunkedArray
    ) -> pa.Table:
        """The values of the features for requests, in their order.

        Args:
            connection: The engine.
            keys: For each join key its values.
            instants: The instant of each request.

        Raises:
            SkewcheckError: The events cannot be read, or a key or an instant is of another type.
        """
        rows = _tabulate_requests(self.windows.events.keys, keys, instants, self.delay)
        found = []
        for start in range(0, max(rows.num_rows, 1), BATCH):
            connection.register("skewcheck_window_requests", rows.slice(start, BATCH))
            try:
                found.append(
                    compute_windows(
                        connection,
                        self.windows,
                        self.columns,
                        events=self.events,
                        requests="skewcheck_window_requests",
                    )
                )
            except duckdb.Error as error:
                raise SkewcheckError(
                    f"the events {self.windows.events.name} could not be read: {str(error).splitlines()[0]}",
                    remedy="Check their source in features/: its path, and that all its files have the same columns.",
                ) from error
            finally:
                connection.unregister("skewcheck_window_requests")
        return pa.concat_tables(found)


def open_windows(
    connection: duckdb.DuckDBPyConnection,
    repository: Repository,
    windows: Windows,
    columns: Sequence[str],
    delay: timedelta = timedelta(0),
    as_of: AsOf = "known",
) -> WindowAnswers:
    """Windows over the files of a repository, after a look at their columns; no event is read yet.

    Args:
        connection: The engine; it must read times as UTC.
        repository: The feature repo.
        windows: The windows.
        columns: The features to compute.
        delay: How much later than it counted every event reaches whoever asks: at an instant the windows answer what
            they would have answered so long before.
        as_of: From when on an event counts: once it was created, or ("event") blind to that once it happened.

    Raises:
        SkewcheckError: A file or a column is missing or of another type than declared.
    """
    events = read_events(connection, repository, windows, as_of)
    return WindowAnswers(windows, tuple(columns), events, delay // timedelta(microseconds=1))


def read_events(
    connection: duckdb.DuckDBPyConnection, repository: Repository, windows: Windows, as_of: AsOf = "known"
) -> str:
    """SQL text of a relation of the events behind windows, as `compute_windows` takes it.

    Raises:
        SkewcheckError: A file or a column is missing or of another type than declared.
    """
    events = windows.events
    read = {feature.column: feature.aggregated.column.type for feature in windows.features if feature.aggregated.column}
    columns = {name: type_ for name, type_ in read.items() if name is not None}
    files = open_source(connection, repository, origin_of(windows), list(columns))
    created = files.event if files.created is None or as_of == "event" else files.created
    keys = {name: _read_key(events.name, files, name, type_) for name, type_ in events.keys.items()}
    selected = [f"{text} AS {quote_name(key_name(name))}" for name, text in keys.items()]
    selected += [f"{files.event} AS {quote_name(EVENT)}", f"{created} AS {quote_name(CREATED)}"]
    selected += [
        f"{_read_column(events.name, files, name, type_)} AS {quote_name(name)}" for name, type_ in columns.items()
    ]
    present = [f"{quote_name(name)} IS NOT NULL" for name in (*map(key_name, keys), EVENT, CREATED)]
    return f"(SELECT * FROM (SELECT {', '.join(selected)} FROM {files.relation}) WHERE {' AND '.join(present)})"


def origin_of(windows: Windows) -> SimpleNamespace:
    """The events behind windows, as `open_source` takes them."""
    events = windows.events
    return SimpleNamespace(
        name=events.name,
        called="events",
        batch_source=events.source,
        entities=[entity.name for entity in events.entities],
        entity_columns=[],
    )


def _read_key(owner: str, files: SourceFiles, name: str, type_: Type) -> str:
    column, stored = files.columns[name]
    expected = (*WHOLE, *FRACTIONAL) if type_ == INT64 else ("VARCHAR",)
    _check_type(owner, name, stored, expected, type_)
    return f"TRY_CAST({comparable(column, stored)} AS BIGINT)" if type_ == INT64 else quote_name(column)


def _read_column(owner: str, files: SourceFiles, name: str, type_: Type) -> str:
    column, stored = files.columns[name]
    expected, template = STORED[type_.name]
    _check_type(owner, name, stored, expected, type_)
    return template.format(quote_name(column)) if template else microseconds(column, stored)


def _check_type(owner: str, name: str, stored: str, expected: tuple[str, ...], type_: Type) -> None:
    if not stored.startswith(expected) or "[" in stored:
        raise SkewcheckError(
            f"column {name!r} of events {owner} is {stored} in its files, and declared {type_}",
            remedy="Declare the type that the source has.",
        )


def _tabulate_requests(
    types: Mapping[str, Type], keys: Mapping[str, pa.ChunkedArray], instants: pa.ChunkedArray, delay: int
) -> pa.Table:
    import pyarrow.compute as pc

    columns: dict[str, pa.ChunkedArray | pa.Array] = {PLACE: pa.array(range(len(instants)), pa.int64())}
    try:
        for name, type_ in types.items():
            values = keys[name]
            if pa.types.is_floating(values.type):
                values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
            columns[key_name(name)] = values.cast(pa.int64() if type_ == INT64 else pa.string())
        microseconds_since = instants.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise SkewcheckError(
            f"the rows to retrieve for have another type than the join keys {', '.join(types)}: {error}",
            remedy="Give the keys the type that their entity declares.",
        ) from error
    columns[AT] = pc.subtract(microseconds_since, delay)
    return pa.table(columns)
