"""The audit of a log against a training function: no declaration, the same verdict (room: compare)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from skewcheck.audit import (
    FLOAT32_TOLERANCE,
    MEMORY_LIMIT,
    Options,
    describe_narrow,
    describe_unreadable,
    open_held_log,
)
from skewcheck.compare.function_causes import explain_sides
from skewcheck.compare.kinds import Column, find_kind
from skewcheck.compare.pairing import PairedColumn, pair_columns
from skewcheck.compare.probing import ROWS, Probed, probe_function
from skewcheck.compare.training_function import FunctionError, TrainingFunction
from skewcheck.contracts import Problem
from skewcheck.engines.session import open_session, say_error
from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.errors import LogError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from skewcheck.replay.comparison import Sides, compare
from skewcheck.replay.replaying import COMPARED
from skewcheck.replay.stages import read_files
from skewcheck.serving.reader import Log
from skewcheck.verdict import Comparison, FeatureVerdict, Rows, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 50_000
"""Rows that a function is given at once, where each row's features depend on that row alone."""

PREFIXES = ("key", "request", "store")
"""Of a log that skewcheck wrote, the columns that a function is given, without these prefixes."""

PLACES = ("host", "process", "model_version", "definition_hash", "state_hash")
"""Of such a log, the columns that say which server served a row."""

_TYPES: dict[str, tuple[Type, str]] = {
    "integer": (INT64, "BIGINT"),
    "decimal": (FLOAT64, "DOUBLE"),
    "float": (FLOAT64, "DOUBLE"),
    "bool": (BOOL, "BOOLEAN"),
    "text": (STRING, "VARCHAR"),
    "date": (TIMESTAMP, "TIMESTAMPTZ"),
    "timestamp": (TIMESTAMP, "TIMESTAMPTZ"),
    "instant": (TIMESTAMP, "TIMESTAMPTZ"),
    "list": (Type("Vector"), "DOUBLE[]"),
}
"""For each kind of column its type in the language, and in SQL."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What a log's columns are called.

    Attributes:
        inputs: For each name that a function knows, the log's column.
        served: For each feature the log's column; None where the log does not tell features from inputs.
        keys: The names of the entity's keys among the inputs.
        others: Further columns of the log, which no function is given.
    """

    inputs: dict[str, str]
    served: dict[str, str] | None
    keys: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def audit_function(
    log: Path | str, function: TrainingFunction, options: Options | None = None, *, features: Sequence[str] = ()
) -> Verdict:
    """Replay a log through a training function and compare with what was served.

    Args:
        log: A folder of Parquet files, one such file, or a glob.
        function: The training path.
        options: How to audit; its stages are not asked, since there is one.
        features: The columns of the log that are features, where its names do not say so.

    Raises:
        LogError: The log is not there, or has none of the features that the function gives.
        FunctionError: The function cannot be called on the log's rows.
    """
    options = options or Options()
    with (
        tempfile.TemporaryDirectory(prefix="skewcheck-") as name,
        open_session(memory_limit=MEMORY_LIMIT, spill_to=Path(name)) as connection,
    ):
        folder = Path(name)
        opened, held = open_held_log(log, folder / "log", options)
        names = _name_columns(opened, options.renamed, features)
        files = read_files(held)
        probed = _probe(connection, files, names, function)
        if not probed.features:
            raise LogError(
                f"the log has none of the features that {function.name} gives",
                remedy="Log the features as served; where a column has another name, say so with --rename NAME=COLUMN.",
            )
        try:
            replayed = _replay(connection, files, names, function, probed, folder)
            return _compare(connection, opened, names, function, probed, replayed, options, str(log))
        except duckdb.Error as error:
            raise LogError(
                f"the log {log} could not be replayed: {say_error(error)}",
                remedy="Check that its files are whole and that each column holds what its name says.",
            ) from error


def _name_columns(log: Log, renamed: Mapping[str, str], features: Sequence[str]) -> _Names:
    """The log's columns by the names that a function knows; those that --rename names are called so."""
    columns = {column: column for column in log.columns}
    served = {column.removeprefix("feature."): column for column in columns if column.startswith("feature.")}
    if served:
        known = ("request_id", "requested_at")
        inputs = {name: name for name in known if name in columns}
        for prefix in PREFIXES:
            inputs |= {name.removeprefix(f"{prefix}."): name for name in columns if name.startswith(f"{prefix}.")}
        keys = tuple(name.removeprefix("key.") for name in columns if name.startswith("key."))
        return _Names(inputs, served, keys, tuple(name for name in columns if "." not in name))
    taken = set(renamed.values())
    inputs = {name: name for name in columns if name not in taken} | dict(renamed)
    if absent := [name for name in (*features, *renamed) if inputs.get(name) not in columns]:
        raise LogError(f"the log has no column {', '.join(absent)}", remedy=f"It has: {', '.join(sorted(columns))}.")
    if not features:
        return _Names(inputs, None)
    return _Names(
        {name: column for name, column in inputs.items() if name not in features},
        {name: inputs[name] for name in features},
    )


def _probe(connection: duckdb.DuckDBPyConnection, files: str, names: _Names, function: TrainingFunction) -> Probed:
    every = names.inputs | (names.served or {})
    selected = ", ".join(f"{quote_name(column)} AS {quote_name(name)}" for name, column in every.items())
    rows = connection.execute(f"SELECT {selected} FROM {files} LIMIT {ROWS}").to_arrow_table()
    return probe_function(function, rows, names.served)


@dataclass(frozen=True, slots=True)
class _Replayed:
    """The replayed log: SQL text of its rows, and how many the function kept."""

    relation: str
    rows: int


def _replay(
    connection: duckdb.DuckDBPyConnection,
    files: str,
    names: _Names,
    function: TrainingFunction,
    probed: Probed,
    folder: Path,
) -> _Replayed:
    """Run the function over the log, and write inputs, served and replayed features side by side."""
    import pyarrow as pa
    from pyarrow import parquet

    served = names.served or names.inputs
    inputs = {name: names.inputs[name] for name in probed.inputs}
    known = {name: names.inputs[name] for name in ("request_id", "requested_at") if name in names.inputs}
    selected = [f"{quote_name(column)} AS {quote_name(f'input.{name}')}" for name, column in inputs.items()]
    selected += [f"{quote_name(column)} AS {quote_name(f'log.{name}')}" for name, column in known.items()]
    selected += [f"{quote_name(served[name])} AS {quote_name(f'served.{name}')}" for name in probed.features]
    selected += [f"{quote_name(name)} AS {quote_name(f'place.{name}')}" for name in PLACES if name in names.others]
    order = ' ORDER BY "log.requested_at"' if "requested_at" in known and not probed.row_by_row else ""
    query = f"SELECT {', '.join(selected)} FROM {files}{order}"
    total = 0
    target = folder / "replayed"
    target.mkdir()
    for number, batch in enumerate(_read_batches(connection, query, whole=not probed.row_by_row)):
        given = pa.table({name: batch[f"input.{name}"] for name in inputs})
        found = function.compute(given)
        rows = batch.take(found.kept)
        total += rows.num_rows
        for name, own in probed.features.items():
            if own not in found.table.column_names:
                raise FunctionError(
                    f"{function.name} gave no column {own} for some of the rows",
                    remedy="Return the same columns for all rows; one without values has nulls.",
                )
            rows = rows.append_column(f"transform.{name}", found.table[own])
        parquet.write_table(rows, target / f"{number:06}.parquet")
    paths = quote_text(f"{escape_glob(str(target))}/*.parquet")
    return _Replayed(f"read_parquet({paths}, union_by_name = true)", total)


def _read_batches(connection: duckdb.DuckDBPyConnection, query: str, *, whole: bool) -> Iterator[pa.Table]:
    """The rows of a query as Arrow tables of so many rows, or of all."""
    import pyarrow as pa

    if whole:
        yield connection.execute(query).to_arrow_table()
        return
    for batch in connection.execute(query).to_arrow_reader(BATCH):
        if batch.num_rows:
            yield pa.Table.from_batches([batch])


def _compare(
    connection: duckdb.DuckDBPyConnection,
    opened: Log,
    names: _Names,
    function: TrainingFunction,
    probed: Probed,
    replayed: _Replayed,
    options: Options,
    log: str,
) -> Verdict:
    described = connection.execute(f"DESCRIBE SELECT * FROM {replayed.relation}").fetchall()
    columns = {name: Column(name, type_, find_kind(type_)) for name, type_, *_ in described}
    pairs = {name: pair_columns(columns[f"served.{name}"], columns[f"transform.{name}"]) for name in probed.features}
    types = {name: _TYPES.get(pair.kind or "") for name, pair in pairs.items()}
    sides = [
        Sides(
            name,
            "transform",
            f"served.{name}",
            f"transform.{name}",
            type_[0],
            options.tolerance,
            {column: f"input.{column}" for column in probed.reads[name]},
        )
        for name, type_ in types.items()
        if type_ is not None
    ]
    relation = _cast(replayed.relation, {name: type_[1] for name, type_ in types.items() if type_}, columns)
    counted = compare(connection, relation, sides, samples=0 if options.redact else options.samples)
    comparisons = {side.name: found for side, found in zip(sides, counted.comparisons, strict=True)}
    causes = {}
    if options.explain:
        causes = explain_sides(connection, relation, sides, comparisons, columns, names.keys, redact=options.redact)
    verdicts = tuple(
        replace(
            _judge(name, comparisons.get(name), pairs[name], probed.reads[name], options.tolerance),
            causes=causes.get(name, ()),
        )
        for name in probed.features
    )
    rows = Rows(
        opened.rows,
        replayed.rows,
        _count_duplicates(connection, replayed.relation, columns),
        outside_training_filter=opened.rows - replayed.rows,
        first=counted.first,
        last=counted.last,
    )
    problems = _find_problems(opened, names, function, probed, options)
    return Verdict(
        service=opened.service or function.name,
        verdict=_conclude(verdicts, problems),
        rows=rows,
        features=verdicts,
        log=log,
        problems=problems,
        stages={
            "retrieval": "a training function says nothing of the store",
            "transform": COMPARED,
            "end_to_end": "a training function says nothing of the store",
        },
    )


def _cast(relation: str, types: Mapping[str, str], columns: Mapping[str, Column]) -> str:
    """The replayed rows with both sides of each feature in one type, and the columns that a comparison expects."""
    both = [
        f"CAST({quote_name(side + name)} AS {type_}) AS {quote_name(side + name)}"
        for name, type_ in types.items()
        for side in ("served.", "transform.")
    ]
    request = 'CAST("log.request_id" AS VARCHAR)' if "log.request_id" in columns else "CAST(NULL AS VARCHAR)"
    at = columns.get("log.requested_at")
    timed = at is not None and at.kind in {"date", "timestamp", "instant"}
    time = 'CAST("log.requested_at" AS TIMESTAMPTZ)' if timed else "CAST(NULL AS TIMESTAMPTZ)"
    inputs = [quote_name(name) for name in columns if name.startswith(("input.", "place."))]
    named = [f'{request} AS "log.request_id"', f'{time} AS "log.requested_at"', *inputs, *both]
    return f"SELECT {', '.join(named)} FROM {relation}"


def _judge(
    name: str, comparison: Comparison | None, pair: PairedColumn, reads: tuple[str, ...], tolerance: float
) -> FeatureVerdict:
    if comparison is None:
        note = f"types differ: {pair.a.said} served, {pair.b.said} replayed"
        return FeatureVerdict(name, "not-compared", reads=reads, tolerance=tolerance, note=note)
    stages = {"transform": comparison}
    if comparison.mismatched:
        return FeatureVerdict(name, "skew", "transform", stages, reads, tolerance)
    return FeatureVerdict(name, "match", None, stages, reads, tolerance)


def _count_duplicates(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Column]
) -> int | None:
    """Rows beyond the first of each request id; None where the log has no request ids."""
    if "log.request_id" not in columns:
        return None
    query = f'SELECT count("log.request_id") - count(DISTINCT "log.request_id") FROM {relation}'
    return int((connection.execute(query).fetchone() or (0,))[0])


def _find_problems(
    opened: Log, names: _Names, function: TrainingFunction, probed: Probed, options: Options
) -> tuple[Problem, ...]:
    """What the reader must know beside the counts; an error makes the verdict incomplete."""
    problems = describe_unreadable(opened)
    if not probed.row_by_row:
        problems.append(
            Problem(
                "warning",
                function.name,
                "gives a row other features beside other rows, so it was given the whole log at once; serving has one "
                "request",
                "Compute what depends on other rows once, and freeze it.",
            )
        )
    absent = [name for name in names.served or () if name not in probed.features]
    if absent:
        problems.append(
            Problem(
                "error",
                function.name,
                f"does not give {', '.join(absent)}, which the log has as features",
                "Return a column of that name for each.",
            )
        )
    served = names.served or names.inputs
    narrow = [name for name in probed.features if opened.columns[served[name]] in {"float", "halffloat"}]
    if narrow and options.tolerance < FLOAT32_TOLERANCE:
        problems.append(describe_narrow(narrow))
    return tuple(problems)


def _conclude(
    features: tuple[FeatureVerdict, ...], problems: tuple[Problem, ...]
) -> Literal["pass", "fail", "incomplete"]:
    """Skew fails. Without skew, anything that could hide some makes the verdict incomplete."""
    if any(feature.verdict == "skew" for feature in features):
        return "fail"
    hidden = any(feature.verdict == "not-compared" for feature in features)
    compared = any(comparison.compared for feature in features for comparison in feature.stages.values())
    complete = compared and not hidden and not any(problem.severity == "error" for problem in problems)
    return "pass" if complete else "incomplete"
