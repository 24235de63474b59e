"""The retrieval cut: the store's values at the time of every logged request, written beside the log's rows.

Requests go to the store's point-in-time join in batches, so that memory does not grow with the log.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.errors import LogError
from skewcheck.generate.manifest import Manifest
from skewcheck.replay.columns import LogColumns
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository

BATCH = 200_000
"""Requests that one point-in-time join is asked for."""


def retrieve_for_log(
    connection: duckdb.DuckDBPyConnection,
    log: str,
    columns: LogColumns,
    manifest: Manifest,
    repository: Repository,
    folder: Path,
) -> str:
    """The store's values for every row of a log.

    Returns:
        SQL text of a relation with "log.file", "file_row_number", "found" and the store's columns.

    Raises:
        LogError: A request has no time.
        SkewcheckError: The store fails.
    """
    service = repository.service(manifest.service)
    wanted = {view.name: view.columns for view in manifest.views}
    keys = ", ".join(f"{text} AS {quote_name(name)}" for name, text in columns.keys.items())
    reader = connection.cursor().execute(
        f'SELECT "log.file", file_row_number, {columns.requested_at} AS "log.requested_at", {keys} FROM {log}'
    )
    for number, batch in enumerate(reader.to_arrow_reader(BATCH)):
        entities = pa.Table.from_batches([batch])
        if entities.column("log.requested_at").null_count:
            raise LogError(
                "the log has requests without a time, so what the store held for them is unknown",
                remedy="Log the time of every request, or audit with --stages transform.",
            )
        values, found = retrieve(repository, service, wanted, entities, "log.requested_at")
        part = entities.select(["log.file", "file_row_number"]).append_column("found", found)
        for name in values.column_names:
            part = part.append_column(name, values.column(name))
        pq.write_table(part, folder / f"{number:06}.parquet")
    return f"read_parquet({quote_text(str(folder / '*.parquet'))})"
