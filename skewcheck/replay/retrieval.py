"""The retrieval cut: the store's values at the time of every logged request, written beside the log's rows.

Requests go to the store's point-in-time join in batches, so that memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skewcheck.engines.sql import escape_glob, quote_text
from skewcheck.errors import LogError
from skewcheck.generate.manifest import Manifest
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.stages import logged_relation
from skewcheck.store.point_in_time import open_retrieval
from skewcheck.store.repository import Repository

BATCH = 100_000
"""Requests that one point-in-time join is asked for."""

EARLIEST = -9_214_560_000_000_000
"""1678-01-01T00:00:00Z in microseconds since 1970; before it and after `LATEST` nanoseconds overflow."""

LATEST = 9_214_646_400_000_000
"""2262-01-01T00:00:00Z in microseconds since 1970."""


def retrieve_for_log(
    connection: duckdb.DuckDBPyConnection,
    log: str,
    columns: LogColumns,
    manifest: Manifest,
    repository: Repository,
    folder: Path,
    delays: Mapping[str, timedelta],
) -> str:
    """The store's values for every row of a log.

    Returns:
        SQL text of a relation with the log's rows (`logged_relation`), whether the store answered for each (`FOUND`),
        and the store's columns as "retrieved.<column>". It stands beside the log's own files, since a join of the two
        would need memory for every row.

    Raises:
        LogError: A request has no time.
        UsageError: A delay is of no view, or of one that Feast joins.
        SkewcheckError: The store fails.
    """
    service = repository.service(manifest.service)
    wanted = {view.name: view.columns for view in manifest.views}
    keys = [f"key.{name}" for name in columns.keys]
    reader = connection.cursor().execute(logged_relation(log, columns))
    with open_retrieval(repository, service, wanted, delays=delays, connection=connection) as retrieval:
        for number, batch in enumerate(reader.to_arrow_reader(BATCH)):
            logged = pa.Table.from_batches([batch])
            _check_times(logged.column("log.requested_at"))
            entities = logged.select([*keys, "log.requested_at"]).rename_columns([*columns.keys, "log.requested_at"])
            values, found = retrieval.ask(entities, "log.requested_at")
            part = logged.drop_columns(keys).append_column("log.found", found)
            for name in values.column_names:
                part = part.append_column(f"retrieved.{name}", values.column(name))
            pq.write_table(part, folder / f"{number:06}.parquet", compression="lz4")
    return f"read_parquet({quote_text(f'{escape_glob(str(folder))}/*.parquet')})"


def _check_times(times: pa.ChunkedArray) -> None:
    """Refuse requests at no time, or at one that stores cannot hold in nanoseconds."""
    if times.null_count:
        raise LogError(
            f"the log has requests without a time ({times.null_count:,} of the first {len(times):,} looked at), "
            "so what the store held for them is unknown",
            remedy="Log the time of every request, or audit with --stages transform.",
        )
    instants = times.cast(pa.int64())
    outside = pc.sum(pc.or_(pc.less(instants, EARLIEST), pc.greater(instants, LATEST))).as_py()
    if outside:
        raise LogError(
            f"the log has requests ({outside:,} or more) at a time outside the years 1678 to 2261, "
            "for which no store can be asked",
            remedy="Correct the clock of those requests, or audit with --stages transform.",
        )
