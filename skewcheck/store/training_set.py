"""The training set: features for a model to learn from, labels apart from them, and a record of how they came about.

A folder that is never half-written: `features.parquet`, `labels.parquet`, `rows.parquet` and `trainset.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.opaque import find_failure, load_functions, register_functions
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name
from skewcheck.errors import StateError, UsageError
from skewcheck.files import place_folder
from skewcheck.fit.fitting import every_term
from skewcheck.fit.out_of_fold import write_training_features
from skewcheck.fit.state import State, check_state, read_state
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import expand
from skewcheck.language.fingerprint import fingerprint
from skewcheck.language.opaque import find_functions
from skewcheck.language.types import TIMESTAMP
from skewcheck.store.as_of import AsOf
from skewcheck.store.leakage import Guard, find_leaks, refuse_leaks
from skewcheck.store.point_in_time import PLACE, arrow_type, number_rows
from skewcheck.store.repository import Repository, generated_directory
from skewcheck.store.training import RetrievedRows, retrieve_training_set

FORMAT = "skewcheck/trainset/1"

FEATURES, LABELS, ROWS, RECORD = "features.parquet", "labels.parquet", "rows.parquet", "trainset.json"

ROW_NUMBER = "row_number"
"""The column that tells rows apart where nobody names one: the row's place in its file, from 0 on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Which rows the training filter keeps.

    Attributes:
        mask: For each row whether it does.
        dropped: For each rule the rows for which it is not true, in the order of declaration. A row may be dropped by
            several.
    """

    mask: pa.Array
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True)
class TrainingSetRecord:
    """What a training set is, as `trainset.json` has it.

    Attributes:
        service: The service.
        definition: The hash of the declaration.
        state: The hash of the frozen statistics.
        fitted_to_these_rows: Whether the statistics were fitted to the same rows, with the same values of the store.
        entities: The file that the rows came from, from the feature repo on.
        row_id: The column that tells rows apart.
        timestamp: The column with the time of the request.
        start: The first instant that counts, None for no limit.
        end: The first instant that no longer counts, None for no limit.
        first: The first instant among the rows that are kept, None where they have none.
        last: The last one.
        known_by: The cut for labels, None where every label is final.
        as_of: From when on a row of the store counts: "known" or "event".
        delay_seconds: For views by name, how much later than it was known every row counts.
        read: The rows of the span.
        immature: Those whose label was not known at the cut, or never.
        dropped: Those of the others that the training filter drops.
        kept: Those that are left.
        dropped_by: For each rule the rows for which it is not true; a row may be dropped by several.
        sources: For each source a fingerprint of what the rows hold of it, whatever their order.
        guard: What the leakage guard did. It found nothing, or there would be no training set.
        features: The type of each feature.
        labels: The type of each label.
        files: The files.
    """

    service: str
    definition: str
    state: str
    fitted_to_these_rows: bool
    entities: str
    row_id: str
    timestamp: str
    start: str | None
    end: str | None
    first: str | None
    last: str | None
    known_by: str | None
    as_of: str
    delay_seconds: dict[str, float]
    read: int
    immature: int
    dropped: int
    kept: int
    dropped_by: dict[str, int]
    sources: dict[str, str]
    guard: dict[str, Any]
    features: dict[str, str]
    labels: dict[str, str]
    files: tuple[str, ...]

    def to_json(self) -> str:
        """The record as JSON text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_training_set(
    repository: Repository,
    service: Service,
    out: Path,
    *,
    state: State | None = None,
    entities: str | None = None,
    row_id: str | None = None,
    start: str | None = None,
    end: str | None = None,
    known_by: str | None = None,
    delays: Mapping[str, timedelta] | None = None,
    as_of: AsOf = "known",
    folds: int = 5,
) -> TrainingSetRecord:
    """Write a service's training set into a folder.

    Rows keep their order. `features.parquet` has the features alone, `labels.parquet` the declared labels and when they
    were known, `rows.parquet` what the features were computed from and every other column; each begins with the column
    that tells rows apart. Columns have the declared types, times are in UTC, in microseconds.

    Args:
        repository: The feature repo.
        service: The service.
        out: The folder. It must be new or empty, or hold an earlier training set, whose place is taken.
        state: The frozen statistics; those under codegen/ otherwise.
        entities: Another file of training rows than the declaration names.
        row_id: A column of the training rows that tells them apart; otherwise their place in the file does.
        start: Another first day than the declaration names.
        end: Another day that no longer counts.
        known_by: The cut: rows whose label became known later, or never, are left out; now, where it is None.
        delays: For views by name, how much later than it was known every row reached serving.
        as_of: From when on a row of the store counts. What "event" changes, the leakage guard refuses.
        folds: Into how many folds rows are dealt where a feature learns from labels.

    Raises:
        UsageError: The folder holds something else, the rows or one of their columns are not there, or an option cannot
            be what it is.
        StateError: The state is missing or not the service's, or the filter keeps no row.
        LeakageError: A feature's value depends on what happened, or became known, after the request.
        SkewcheckError: The store fails, or a column does not fit its declared type.
    """
    out = out.resolve()
    _refuse_other_folder(out)
    state = state or read_state(generated_directory(repository.root, service.name) / "state.json")
    check_state(service, state)
    with TemporaryDirectory() as name:
        rows, features = Path(name) / ROWS, Path(name) / FEATURES
        training = retrieve_training_set(
            repository,
            service,
            rows,
            entities=entities,
            start=start,
            end=end,
            known_by=known_by,
            delays=delays,
            as_of=as_of,
        )
        identified = _identify(service, training, row_id)
        guard = find_leaks(repository, service, state, training)
        refuse_leaks(guard, training, row_id)
        kept = _filter(service, training)
        write_training_features(service, state, rows, features, folds=folds)
        types = {feature.name: arrow_type(feature.type) for feature in service.features}
        computed = pq.read_table(features, columns=list(types)).cast(pa.schema(list(types.items())))
    identified, table = identified.filter(kept.mask), training.table.filter(kept.mask)
    if computed.num_rows != table.num_rows:
        raise StateError(f"the filter kept {table.num_rows:,} rows, and {computed.num_rows:,} have features")
    labels = _choose_labels(service, table)
    others = [name for name in table.column_names if name not in {*labels, *identified.column_names}]
    files = {FEATURES: computed, LABELS: table.select(labels), ROWS: table.select(others)}
    record = _describe(repository, service, state, training, identified, kept, guard, labels)
    with place_folder(out) as folder:
        for file in record.files:
            if file != RECORD:
                pq.write_table(_beside(identified, files[file]), folder / file)
        (folder / RECORD).write_text(record.to_json(), encoding="utf-8")
    return record


def _refuse_other_folder(out: Path) -> None:
    """Refuse a place that holds anything but an earlier training set, which would be lost."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file", remedy="Give a folder that is new, or an earlier training set.")
    present = sorted(path.name for path in out.iterdir())
    if not present:
        return
    other = [name for name in present if name not in {FEATURES, LABELS, ROWS, RECORD}]
    if other or not _is_record(out / RECORD):
        what = ", ".join(other[:3]) + (" and more" if len(other) > 3 else "") if other else f"no {RECORD} of ours"
        raise UsageError(
            f"{out} is no earlier training set: it has {what}",
            remedy="Give a folder that is new or empty, or an earlier training set with nothing else in it.",
        )


def read_training_set(folder: Path, service: str) -> TrainingSetRecord:
    """What a training set says about itself.

    Args:
        folder: The folder that `write_training_set` wrote.
        service: The service that it is expected to be of.

    Raises:
        UsageError: There is no training set, or one of another service or another format.
    """
    if not _is_record(folder / RECORD):
        raise UsageError(
            f"{folder} is no training set: it has no {RECORD} of ours",
            remedy="Give the folder that `skewcheck trainset --out` wrote.",
        )
    found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    names = {field.name for field in fields(TrainingSetRecord)}
    if found.pop("format") != FORMAT or set(found) != names:
        raise UsageError(
            f"{folder / RECORD} has another format than {FORMAT}",
            remedy="Write the training set anew with `skewcheck trainset`.",
        )
    record = TrainingSetRecord(**{**found, "files": tuple(found["files"])})
    if record.service != service:
        raise UsageError(
            f"{folder} is a training set of service {record.service!r}, and not of {service!r}",
            remedy="Give one of that service.",
        )
    return record


def _is_record(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and str(found.get("format")).startswith(FORMAT.rpartition("/")[0] + "/")


def _identify(service: Service, training: RetrievedRows, row_id: str | None) -> pa.Table:
    """The column that tells rows apart, after a look that no other column is in the way."""
    present = training.table.column_names
    names = {item.name.casefold(): item.name for item in (*service.features, *service.filters)}
    if taken := [name for name in present if name.casefold() in names]:
        raise UsageError(
            f"the training rows {training.path} have the columns {', '.join(taken)}, named as features or filters are",
            remedy="Drop or rename them: features are computed from the columns that they read.",
        )
    if row_id is None:
        if clash := [name for name in (*present, *names.values()) if name.casefold() == ROW_NUMBER]:
            raise UsageError(
                f"the name {clash[0]} is taken, so that rows cannot be numbered",
                remedy="Name the column that tells rows apart with --row-id, or rename this one.",
            )
        return pa.table({ROW_NUMBER: training.places})
    if row_id not in present:
        raise UsageError(
            f"the training rows {training.path} have no column {row_id!r}",
            remedy=f"Name one of {', '.join(present)} with --row-id.",
        )
    counts = pc.value_counts(training.table.column(row_id).combine_chunks())
    for found in counts.filter(pc.greater(counts.field("counts"), 1)).to_pylist()[:1]:
        raise UsageError(
            f"the column {row_id!r} of the training rows {training.path} does not tell them apart: {found['counts']:,} "
            f"have {found['values']!r}",
            remedy="Name another column with --row-id, or leave it out: rows are numbered then.",
        )
    if training.table.column(row_id).null_count:
        raise UsageError(
            f"the column {row_id!r} of the training rows {training.path} is missing in a row",
            remedy="Name another column with --row-id, or leave it out: rows are numbered then.",
        )
    return training.table.select([row_id])


def _filter(service: Service, training: RetrievedRows) -> Kept:
    """Which rows the training filter keeps, and how many each rule drops."""
    rules = {rule.name: expand(rule.expression, None) for rule in service.filters}
    table = training.table.append_column(PLACE, number_rows(training.table.num_rows))
    with open_session() as connection:
        register_functions(connection, load_functions(find_functions(every_term(service))))
        connection.register("rows", table)
        named = [f"{quote_name(name)} IS TRUE AS {quote_name(name)}" for name in rules]
        try:
            found = connection.execute(
                f"SELECT {', '.join([quote_name(PLACE), *named])} FROM ({write_query(rules, source='rows')}) "
                f"ORDER BY {quote_name(PLACE)}"
            ).to_arrow_table()
        except duckdb.Error as error:
            raise find_failure(error) or error from error
    every = pc.is_valid(found.column(PLACE)).combine_chunks()
    mask = reduce(pc.and_, (found.column(name).combine_chunks() for name in rules), every)
    if not pc.any(mask).as_py():
        raise StateError(
            f"service {service.name}: training keeps none of {table.num_rows:,} rows",
            remedy="Check the filter and the span.",
        )
    return Kept(mask, {name: table.num_rows - pc.sum(found.column(name)).as_py() for name in rules})


def _choose_labels(service: Service, table: pa.Table) -> list[str]:
    """The declared labels that the rows have, and the column that says when they were known."""
    known_at = service.training.labels_known_at if service.training else None
    labels = [column.name for column in service.sources.columns.values() if column.role == "label"]
    return [name for name in dict.fromkeys([*labels, *([known_at] if known_at else [])]) if name in table.column_names]


def _beside(identified: pa.Table, columns: pa.Table) -> pa.Table:
    """The column that tells rows apart, and others."""
    return pa.table([*identified.columns, *columns.columns], names=[*identified.column_names, *columns.column_names])


def _describe(
    repository: Repository,
    service: Service,
    state: State,
    training: RetrievedRows,
    identified: pa.Table,
    kept: Kept,
    guard: Guard,
    labels: list[str],
) -> TrainingSetRecord:
    left = training.table.filter(kept.mask)
    path = training.path.resolve()
    root = repository.root.resolve()
    span = pc.min_max(left.column(training.timestamp)).as_py() if training.timestamp in left.column_names else {}
    return TrainingSetRecord(
        service=service.name,
        definition=fingerprint(service),
        state=state.hash,
        fitted_to_these_rows=state.training.get("sources") == dict(sorted(training.sources.items())),
        entities=str(path.relative_to(root) if path.is_relative_to(root) else path),
        row_id=identified.column_names[0],
        timestamp=training.timestamp,
        start=_print_instant(training.start),
        end=_print_instant(training.end),
        first=_print_instant(span.get("min")),
        last=_print_instant(span.get("max")),
        known_by=_print_instant(training.known_by),
        as_of=training.as_of,
        delay_seconds={name: delay.total_seconds() for name, delay in sorted(training.delays.items())},
        read=training.read,
        immature=training.immature,
        dropped=training.table.num_rows - left.num_rows,
        kept=left.num_rows,
        dropped_by=kept.dropped,
        sources=dict(sorted(training.sources.items())),
        guard={
            "compared": guard.compared,
            "cut": guard.cut,
            "instants": guard.instants,
            "unchecked": list(guard.unchecked),
            "blind": {name: list(times) for name, times in guard.blind.items()},
        },
        features={feature.name: str(feature.type) for feature in service.features},
        labels={
            name: str(service.sources.columns[name].type if name in service.sources.columns else TIMESTAMP)
            for name in labels
        },
        files=tuple(file for file in (FEATURES, LABELS, ROWS, RECORD) if file != LABELS or labels),
    )


def _print_instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
