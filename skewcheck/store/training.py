"""The training set: the declared training rows with the store's values as they were at the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.session import open_session
from skewcheck.engines.sql import literal_text, quote_name, scan_parquet
from skewcheck.errors import UsageError
from skewcheck.language.declaration import Service, TrainingSet
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository


@dataclass(frozen=True, slots=True)
class RetrievedRows:
    """What was written as training rows.

    Attributes:
        sources: For each source a fingerprint of what the rows hold of it, whatever their order.
        read: The rows of the span.
        immature: Those of them that are left out, since their label was not known at the cut.
    """

    sources: dict[str, str]
    read: int
    immature: int


def retrieve_training_set(
    repository: Repository,
    service: Service,
    out: Path,
    *,
    entities: str | None = None,
    start: str | None = None,
    end: str | None = None,
    known_by: str | None = None,
) -> RetrievedRows:
    """Write a service's training rows to a Parquet file: keys, request, labels, and the store's columns beside them.

    The rows keep their order. No filter is applied and nothing is transformed.

    Args:
        repository: The feature repo.
        service: The service.
        out: The file to write.
        entities: Another file of training rows than the declaration names.
        start: Another first day than the declaration names.
        end: Another day that no longer counts.
        known_by: The cut: rows whose label became known later, or never, are left out; now, where it is None. It
            matters where the declaration names the column with that time.

    Raises:
        UsageError: No training rows are declared or given, or their file or one of its columns is not there.
        SkewcheckError: The store fails.
    """
    declared = service.training or TrainingSet(entities or "")
    path = repository.root / (entities or declared.entities)
    if not path.is_file():
        raise UsageError(
            f"service {service.name}: the training rows {path} are not there",
            remedy="Name a Parquet file with sk.TrainingSet(entities=...) in the declaration, or with --entities.",
        )
    rows = _read_rows(path, declared.timestamp, start or declared.start, end or declared.end)
    read = rows.num_rows
    if declared.labels_known_at is not None:
        rows = _leave_out_immature(path, rows, declared.labels_known_at, known_by)
    immature = read - rows.num_rows
    needed = [column for column in service.sources.columns.values() if column.role in {"request", "label"}]
    named = {name for item in (*service.features, *service.filters) for name in item.reads}
    if absent := [column.name for column in needed if column.name in named and column.name not in rows.column_names]:
        raise UsageError(
            f"the training rows {path} lack the columns {', '.join(absent)}",
            remedy="Add them: training needs what serving gets with the request, and the labels that filters read.",
        )
    columns = {
        view.name: [field.name for field in view.features if field.name in named] for view in service.sources.views
    }
    values, _ = retrieve(repository, service, columns, rows, declared.timestamp)
    for name in values.column_names:
        rows = rows.append_column(name, values.column(name))
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, out)
    return RetrievedRows(_fingerprint_sources(service, rows), read, immature)


def _leave_out_immature(path: Path, rows: pa.Table, known_at: str, known_by: str | None) -> pa.Table:
    """The rows whose label was known at the cut."""
    if known_at not in rows.column_names or not pa.types.is_timestamp(rows.schema.field(known_at).type):
        raise UsageError(
            f"the training rows {path} have no time column {known_at!r}, which is to say when a label became known",
            remedy="Add it, or leave labels_known_at out of sk.TrainingSet where every label is final.",
        )
    cut = literal_text(known_by or datetime.now(UTC).isoformat())
    with open_session() as connection:
        connection.register("rows", rows)
        known = f"{quote_name(known_at)} <= CAST({cut} AS TIMESTAMPTZ)"
        return connection.execute(f"SELECT * FROM rows WHERE {known}").to_arrow_table()


def _read_rows(path: Path, timestamp: str, start: str | None, end: str | None) -> pa.Table:
    """The training rows of a span, with instants in UTC."""
    bounds = [
        f"{quote_name(timestamp)} {sign} CAST({literal_text(day)} AS TIMESTAMPTZ)"
        for sign, day in ((">=", start), ("<", end))
        if day is not None
    ]
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    with open_session() as connection:
        try:
            return connection.execute(f"SELECT * FROM {scan_parquet(str(path))}{where}").to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(
                f"the training rows {path} cannot be read: {str(error).splitlines()[0]}",
                remedy=f"Give a Parquet file with a time column {timestamp!r}.",
            ) from error


def _fingerprint_sources(service: Service, rows: pa.Table) -> dict[str, str]:
    """A sum of digests over the rows, for the columns of each source: independent of order, moved by every value."""
    read = {name for item in (*service.features, *service.filters) for name in item.reads}
    sources: dict[str, list[str]] = {}
    for column in service.sources.columns.values():
        if column.name in read:
            sources.setdefault(column.source, []).append(column.name)
    fingerprints = {}
    with open_session() as connection:
        connection.register("training_rows", rows)
        for source, names in sources.items():
            values = ", ".join(quote_name(name) for name in names)
            row = connection.execute(
                f"SELECT CAST(sum(md5_number_lower(CAST(row({values}) AS VARCHAR))) AS VARCHAR) FROM training_rows"
            ).fetchone()
            fingerprints[source] = str(row[0]) if row else "0"
    return fingerprints
