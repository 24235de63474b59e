"""The training rows: those that are declared, with the store's values as they were at the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name, quote_text, scan_parquet
from skewcheck.errors import UsageError
from skewcheck.language.declaration import Service, TrainingSet
from skewcheck.language.expressions import fitted_nodes
from skewcheck.store.as_of import AsOf
from skewcheck.store.point_in_time import PLACE, arrow_type, cast_column, retrieve
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import microseconds


@dataclass(frozen=True, slots=True)
class RetrievedRows:
    """The training rows and how they came about.

    Attributes:
        sources: For each source a fingerprint of what the rows hold of it, whatever their order.
        read: The rows of the span.
        immature: Those of them that are left out, since their label was not known at the cut.
        table: The rows that are left, in their order: their own columns, then the store's.
        places: For each of these the place of the row in its file, from 0 on.
        columns: The store's columns by the name of their view.
        given: Those of the store's columns that the rows had already, as they had them.
        path: The file that the rows came from.
        timestamp: The column with the time of the request.
        start: The first instant that counts, None for no limit.
        end: The first instant that no longer counts, None for no limit.
        known_by: The cut for labels; None where every label is final.
        delays: For views by name, how much later than it was known every row counts.
        as_of: From when on a row of the store counts.
    """

    sources: dict[str, str]
    read: int
    immature: int
    table: pa.Table
    places: pa.Array
    columns: Mapping[str, Sequence[str]]
    given: pa.Table
    path: Path
    timestamp: str
    start: datetime | None = None
    end: datetime | None = None
    known_by: datetime | None = None
    delays: Mapping[str, timedelta] = field(default_factory=dict)
    as_of: AsOf = "known"


def retrieve_training_set(
    repository: Repository,
    service: Service,
    out: Path,
    *,
    entities: str | None = None,
    start: str | None = None,
    end: str | None = None,
    known_by: str | None = None,
    delays: Mapping[str, timedelta] | None = None,
    as_of: AsOf = "known",
) -> RetrievedRows:
    """Write a service's training rows to a Parquet file: keys, request, labels, and the store's columns beside them.

    The rows keep their order, and declared columns have the declared types; times are in UTC, in microseconds. No
    filter is applied and nothing is transformed. A column of the store that the rows have already is read anew.

    Args:
        repository: The feature repo.
        service: The service.
        out: The file to write.
        entities: Another file of training rows than the declaration names.
        start: Another first day than the declaration names (ISO 8601; UTC where it names no zone).
        end: Another day that no longer counts.
        known_by: The cut: rows whose label became known later, or never, are left out; now, where it is None. It
            matters where the declaration names the column with that time.
        delays: For views by name, how much later than it was known every row reached serving.
        as_of: From when on a row of the store counts. With "event" training sees what serving did not know.

    Raises:
        UsageError: No training rows are declared or given, their file or one of its columns is not there, or an option
            cannot be what it is.
        SkewcheckError: The store fails, or a column does not fit its declared type.
    """
    declared = service.training or TrainingSet(entities or "")
    path = repository.root / (entities or declared.entities)
    if not path.is_file():
        raise UsageError(
            f"service {service.name}: the training rows {path} are not there",
            remedy="Name a Parquet file with sk.TrainingSet(entities=...) in the declaration, or with --entities.",
        )
    first, last = read_instant(start or declared.start, "start"), read_instant(end or declared.end, "end")
    rows = _read_rows(path, declared.timestamp, first, last)
    read = rows.num_rows
    cut = None
    if declared.labels_known_at is not None:
        cut = read_instant(known_by, "known-by") or datetime.now(UTC)
        rows = _leave_out_immature(path, rows, declared.labels_known_at, cut)
    elif known_by is not None:
        raise UsageError(
            f"service {service.name} does not say when its labels became known, so that --known-by chooses no rows",
            remedy="Name the column with that time: sk.TrainingSet(labels_known_at=...).",
        )
    named = read_columns(service)
    rows, given = _take_out_stored(service, rows, named)
    rows = _type_columns(path, service, rows, named)
    places = rows.column(PLACE).combine_chunks()
    rows = rows.drop_columns([PLACE])
    columns = {
        view.name: [field.name for field in view.features if field.name in named] for view in service.sources.views
    }
    values, _ = retrieve(repository, service, columns, rows, declared.timestamp, delays=delays, as_of=as_of)
    for name in values.column_names:
        rows = rows.append_column(name, values.column(name))
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, out)
    return RetrievedRows(
        _fingerprint_sources(service, rows, named),
        read,
        read - rows.num_rows,
        rows,
        places,
        columns,
        given,
        path,
        declared.timestamp,
        first,
        last,
        cut,
        dict(delays or {}),
        as_of,
    )


def read_columns(service: Service) -> set[str]:
    """The columns that features and filters read, and the labels that fitted operators name."""
    fitted = (chosen for feature in service.features for _, chosen in fitted_nodes(feature.expression))
    labels = {label for chosen in fitted if (label := chosen.label_column()) in service.sources.columns}
    return labels | {name for item in (*service.features, *service.filters) for name in item.reads}


def read_instant(text: str | None, option: str) -> datetime | None:
    """A day or an instant; UTC where it names no zone."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--{option} {text}: expected a date such as 2013-07-01", remedy="Write it as ISO 8601."
        ) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _leave_out_immature(path: Path, rows: pa.Table, known_at: str, cut: datetime) -> pa.Table:
    """The rows whose label was known at the cut; a label without that time was not."""
    if known_at not in rows.column_names or not pa.types.is_timestamp(rows.schema.field(known_at).type):
        raise UsageError(
            f"the training rows {path} have no time column {known_at!r}, which is to say when a label became known",
            remedy="Add it, or leave labels_known_at out of sk.TrainingSet where every label is final.",
        )
    with open_session() as connection:
        connection.register("rows", rows)
        known = f"{quote_name(known_at)} <= {_write_instant(cut)}"
        return connection.execute(f"SELECT * FROM rows WHERE {known}").to_arrow_table()


def _read_rows(path: Path, timestamp: str, start: datetime | None, end: datetime | None) -> pa.Table:
    """The training rows of a span with their places, times as microseconds in UTC."""
    scan = scan_parquet(str(path))
    bounds = [
        f"{quote_name(timestamp)} {sign} {_write_instant(instant)}"
        for sign, instant in ((">=", start), ("<", end))
        if instant is not None
    ]
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    with open_session() as connection:
        try:
            types = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
            columns = [_read_column(name, type_, name == timestamp) for name, type_, *_ in types]
            numbered = f"SELECT {', '.join(columns)}, row_number() OVER () - 1 AS {quote_name(PLACE)} FROM {scan}"
            return connection.execute(f"SELECT * FROM ({numbered}){where}").to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(
                f"the training rows {path} cannot be read: {str(error).splitlines()[0]}",
                remedy=f"Give a Parquet file with a time column {timestamp!r}.",
            ) from error


def _read_column(name: str, type_: str, is_instant: bool) -> str:
    """SQL text of a column; a time without a zone is UTC, and digits beyond the microsecond are cut off."""
    text = quote_name(name)
    if type_.startswith("TIMESTAMP") or (is_instant and type_ in {"DATE", "VARCHAR"}):
        return f"make_timestamptz({microseconds(name, type_)}) AS {text}"
    if is_instant:
        raise UsageError(
            f"the time {name!r} of the training rows is {type_}, and a number does not say its unit",
            remedy="Write it as timestamp[us, tz=UTC].",
        )
    return text


def _write_instant(instant: datetime) -> str:
    return f"CAST({quote_text(instant.isoformat())} AS TIMESTAMPTZ)"


def _take_out_stored(service: Service, rows: pa.Table, named: set[str]) -> tuple[pa.Table, pa.Table]:
    """The rows without those of the store's columns that they have already, and these, whatever the case of names."""
    stored = {name.casefold(): name for name in named if service.sources.columns[name].role == "store"}
    taken = [name for name in rows.column_names if name.casefold() in stored]
    given = rows.select(taken).rename_columns([stored[name.casefold()] for name in taken])
    return rows.drop_columns(taken), given


def _type_columns(path: Path, service: Service, rows: pa.Table, named: set[str]) -> pa.Table:
    """The rows with the declared types, after a look that every column is there that has to be."""
    declared = [column for column in service.sources.columns.values() if column.role in {"request", "label"}]
    if absent := [c.name for c in declared if c.name in named and c.name not in rows.column_names]:
        raise UsageError(
            f"the training rows {path} lack the columns {', '.join(absent)}",
            remedy="Add them: training needs what serving gets with the request, and the labels that it reads.",
        )
    for column in declared:
        if column.name in rows.column_names:
            place = rows.column_names.index(column.name)
            values = cast_column(rows.column(place), arrow_type(column.type), column.name, f"the training rows {path}")
            rows = rows.set_column(place, column.name, values)
    return rows


def _fingerprint_sources(service: Service, rows: pa.Table, named: set[str]) -> dict[str, str]:
    """A sum of digests over the rows, for the columns of each source: independent of order, moved by every value."""
    sources: dict[str, list[str]] = {}
    for column in service.sources.columns.values():
        if column.name in named:
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
