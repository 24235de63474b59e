"""The point-in-time join for views on Parquet files, done in DuckDB instead of by Feast.

A row of a source counts from the instant at which it is both observed and created. The answer for a key at an instant
is the row with the latest event time among those that count; of equal event times the one created last, and of equal
creation the one with the greatest content (the view's features in the order of their names, missing least).

So every row is the answer from the instant at which it counts until a row that comes after it in that order counts, and
never if that is no later. Rows that are never an answer are dropped; the others of a key begin at different instants,
and the answer is the one that began last: one as-of join, however late rows arrive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb

from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.language.types import INT64_MIN
from skewcheck.store.repository import Repository

STORES = ("duckdb", "dask", "file")
"""The offline stores of Feast that read files."""

NO_ENTITY = "__dummy"
"""What Feast calls the entity of a view that has none."""

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")

INSTANT, BEGIN, EVENT, CREATED, END = '"#instant"', '"#begin"', '"#event"', '"#created"', '"#end"'
"""Columns of the join itself, in microseconds since 1970. No feature's name begins with #."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one view answers, and from when on.

    Attributes:
        keys: The join keys.
        families: What each key is compared as: "a number", "text" or the name of another type.
        columns: The columns to read.
        relation: SQL text of a relation with the keys, `BEGIN`, `EVENT` and the columns.
        ttl: Microseconds after its event time until which a row counts, itself included; None for ever.
        delay: Microseconds by which every answer comes later.
        name: The view's name.
    """

    keys: tuple[str, ...]
    families: tuple[str, ...]
    columns: tuple[str, ...]
    relation: str
    ttl: int | None
    delay: int
    name: str


def can_join(view: Any, repository: Repository) -> bool:
    """Whether the join here can stand in for Feast's: Parquet files on a local path, and nothing else behind a view."""
    source = view.batch_source
    return (
        type(view).__name__ == "FeatureView"
        and view.stream_source is None
        and not getattr(view, "source_views", None)
        and not view.projection.join_key_map
        and type(source).__name__ == "FileSource"
        and type(source.file_format).__name__ in {"NoneType", "ParquetFormat"}
        and "://" not in source.path
        and _offline_store(repository) in STORES
    )


def join_keys(view: Any, repository: Repository) -> list[str]:
    """The join keys of a view; none for a view without entities."""
    return [] if view.entities == [NO_ENTITY] else list(repository.keys(view))


def read_answers(
    connection: duckdb.DuckDBPyConnection,
    repository: Repository,
    view: Any,
    columns: Sequence[str],
    delay: timedelta = timedelta(0),
) -> Answers:
    """What a view answers, after a look at the columns of its files; no row is read yet.

    Args:
        connection: The engine; it must read times as UTC.
        repository: The feature repo.
        view: A view that `can_join` accepts.
        columns: The columns to read of it.
        delay: How much later than it counted every row reaches whoever asks: at an instant the view answers what it
            would have answered `delay` before, the TTL included.

    Raises:
        SkewcheckError: A file or a column is missing, a name stands for two columns, or a time is no timestamp.
        UsageError: The delay is negative.
    """
    if delay < timedelta(0):
        raise UsageError(f"the delay of view {view.name} is negative ({delay})", remedy="Give it as zero or more.")
    source = view.batch_source
    files = _scan(repository, source.path)
    named = _name_columns(view, _describe_source(connection, view, files))
    keys = join_keys(view, repository)
    created = source.created_timestamp_column or None
    for name in (*keys, *columns, source.timestamp_field, *([created] if created else [])):
        if name not in named:
            raise SkewcheckError(
                f"the offline store could not be read: view {view.name} needs the column {name!r}, and its source "
                f"{source.path} has {', '.join(sorted(named))}",
                remedy="Correct the view's schema, its join keys or the source's field_mapping, or add the column.",
            )
    times = {EVENT: _instant(view, named, source.timestamp_field)}
    if created:
        times[CREATED] = _instant(view, named, created)
    content = sorted(name for name in {field.name for field in view.features} | set(columns) if name in named)
    return Answers(
        tuple(keys),
        tuple(_family(named[key][1]) for key in keys),
        tuple(columns),
        _answers(files, named, keys, columns, times, content),
        view.ttl // timedelta(microseconds=1) if view.ttl else None,
        delay // timedelta(microseconds=1),
        view.name,
    )


def keep_answers(connection: duckdb.DuckDBPyConnection, answers: Answers, table: str) -> Answers:
    """The same answers, computed now and kept in a temporary table, for when several joins follow.

    Raises:
        SkewcheckError: The view's files cannot be read.
    """
    try:
        connection.execute(f"CREATE TEMP TABLE {quote_name(table)} AS FROM {answers.relation}")
    except duckdb.Error as error:
        raise reading_error(error, (answers,)) from error
    return dataclasses.replace(answers, relation=quote_name(table))


def join_as_of(
    connection: duckdb.DuckDBPyConnection,
    requests: str,
    views: Iterable[Answers],
    *,
    instant: str,
    carry: Sequence[str] = (),
) -> str:
    """SQL text of a relation with a row for each request: what the views answered at its instant.

    A request whose key or instant is missing gets missing values. The order of requests is not kept.

    Args:
        connection: The engine, which is told never to join by nested loops: it would where it cannot tell how many
            requests there are.
        requests: SQL text of a relation with the join keys and the instants.
        views: The views; no two have a column of one name.
        instant: The column with the instant.
        carry: Columns of the requests to keep.

    Raises:
        SkewcheckError: A key or the instant is not there, or is of another type than in the view's files.
        ValueError: Two columns of the result have one name.
    """
    views = tuple(views)
    names = [*carry, *(name for view in views for name in view.columns)]
    if len(set(names)) < len(names):
        raise ValueError(f"two columns of the join have one name: {', '.join(sorted(names))}")
    connection.execute("SET asof_loop_join_threshold = 0")
    types = _describe(connection, requests)
    needed = [instant, *dict.fromkeys(key for view in views for key in view.keys)]
    if absent := [name for name in needed if name not in types]:
        raise SkewcheckError(
            f"the rows to retrieve for lack {', '.join(absent)}",
            remedy="Give the join keys and the time of the request.",
        )
    for view in views:
        _check_keys(view, types)
    selected = [f"{_microseconds(instant, types[instant])} AS {INSTANT}", *map(quote_name, carry)]
    selected += [f"{_comparable(name, types[name])} AS {_requested(name)}" for name in needed[1:]]
    relation = f"SELECT {', '.join(selected)} FROM {requests}"
    for view in views:
        relation = _join(relation, view)
    return f"(SELECT {', '.join(map(quote_name, names))} FROM ({relation}))"


def reading_error(error: duckdb.Error, views: Iterable[Answers]) -> SkewcheckError:
    """What to raise where the engine fails over the views' files."""
    return SkewcheckError(
        f"the offline store could not be read: {', '.join(view.name for view in views)}: {str(error).splitlines()[0]}",
        remedy="Check the sources in features/: their paths, and that all files of one have the same columns.",
    )


def _answers(
    files: str,
    named: Mapping[str, tuple[str, str]],
    keys: Sequence[str],
    columns: Sequence[str],
    times: Mapping[str, str],
    content: Sequence[str],
) -> str:
    """Every row that is the answer from some instant on."""
    wanted = dict.fromkeys([*columns, *content])
    selected = [f"{_comparable(*named[key])} AS {_requested(key)}" for key in keys]
    selected += [f"{text} AS {name}" for name, text in times.items()]
    selected += [f"{quote_name(named[name][0])} AS {quote_name(name)}" for name in wanted]
    present = [f"{name} IS NOT NULL" for name in (*map(_requested, keys), *times)]
    begin = f"greatest({', '.join(times)})"
    order = ", ".join([*times, *(f"{_value(name, named[name][1])} NULLS FIRST" for name in content)])
    partition = f"PARTITION BY {', '.join(map(_requested, keys))} " if keys else ""
    kept = ", ".join([*map(_requested, keys), BEGIN, EVENT, *map(quote_name, columns)])
    return (
        f"(SELECT {kept} FROM (SELECT *, {begin} AS {BEGIN}, min({begin}) OVER ({partition}ORDER BY {order} "
        f"ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS {END} FROM (SELECT {', '.join(selected)} FROM {files}) "
        f"WHERE {' AND '.join(present)}) WHERE {END} IS NULL OR {END} > {BEGIN})"
    )


def _join(requests: str, view: Answers) -> str:
    """The requests with one view's columns beside them."""
    asked = f"requests.{INSTANT}" + (f" - {view.delay}" if view.delay else "")
    matches = [f"requests.{_requested(key)} = answers.{_requested(key)}" for key in view.keys]
    # DuckDB matches a missing instant with any row of the key.
    matches.append(f"coalesce({asked}, {INT64_MIN}) >= answers.{BEGIN}")
    fresh = None if view.ttl is None else f"{asked} - answers.{EVENT} <= {view.ttl}"
    columns = [
        f"answers.{name} AS {name}" if fresh is None else f"CASE WHEN {fresh} THEN answers.{name} END AS {name}"
        for name in map(quote_name, view.columns)
    ]
    return (
        f"SELECT {', '.join(['requests.*', *columns])} FROM ({requests}) AS requests "
        f"ASOF LEFT JOIN {view.relation} AS answers ON {' AND '.join(matches)}"
    )


def _offline_store(repository: Repository) -> str:
    """The type of the offline store, which is dask where none is named."""
    import yaml  # comes with Feast

    settings = yaml.safe_load((repository.root / "feature_store.yaml").read_text(encoding="utf-8"))
    store = settings.get("offline_store", "dask")
    return str(store.get("type", "dask") if isinstance(store, dict) else store)


def _scan(repository: Repository, path: str) -> str:
    """The files of a source, whose path may be a pattern or a folder, from the repository on."""
    within = path if path.startswith("/") else f"{escape_glob(str(repository.root.absolute()))}/{path}"
    return f"read_parquet({quote_text(within)})"


def _describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The type of each column of a relation."""
    return {name: type_ for name, type_, *_ in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def _describe_source(connection: duckdb.DuckDBPyConnection, view: Any, files: str) -> dict[str, str]:
    try:
        return _describe(connection, files)
    except duckdb.Error as error:
        raise SkewcheckError(
            f"the offline store could not be read: the source {view.batch_source.path} of view {view.name}: "
            f"{str(error).splitlines()[0]}",
            remedy="Put Parquet files there, or correct the path, which is taken from the feature repo's folder.",
        ) from error


def _name_columns(view: Any, types: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """For each name after the source's field mapping, the column that it stands for and its type."""
    mapping = view.batch_source.field_mapping or {}
    named: dict[str, tuple[str, str]] = {}
    for column, type_ in types.items():
        name = mapping.get(column, column)
        if name in named:
            raise SkewcheckError(
                f"the offline store could not be read: {name!r} of view {view.name} stands for two columns of "
                f"{view.batch_source.path}: {named[name][0]} and {column}",
                remedy="Correct the source's field_mapping, or drop one of the columns.",
            )
        named[name] = (column, type_)
    return named


def _instant(view: Any, named: Mapping[str, tuple[str, str]], name: str) -> str:
    """SQL text of a time of a source."""
    column, type_ = named[name]
    if not type_.startswith(("TIMESTAMP", "DATE", "VARCHAR")):
        raise SkewcheckError(
            f"the offline store could not be read: the time {name!r} of view {view.name} is {type_}, and a number does "
            "not say its unit",
            remedy="Write it as timestamp[us, tz=UTC].",
        )
    return _microseconds(column, type_)


def _microseconds(name: str, type_: str) -> str:
    """Microseconds since 1970, further digits cut off; a time without a zone is UTC."""
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({quote_name(name)})"
    # Text may say its zone.
    return f"epoch_us(CAST({quote_name(name)} AS {'TIMESTAMPTZ' if type_ == 'VARCHAR' else 'TIMESTAMP'}))"


def _family(type_: str) -> str:
    """What values of a type can be compared with."""
    if type_.startswith((*WHOLE, *FRACTIONAL)):
        return "a number"
    return "text" if type_ == "VARCHAR" else type_


def _comparable(name: str, type_: str) -> str:
    """A join key as it is compared: of fractional types whole numbers alone, so that no digit is lost."""
    text = quote_name(name)
    if type_.startswith(FRACTIONAL):
        return f"CASE WHEN {text} = trunc({text}) THEN TRY_CAST({text} AS BIGINT) END"
    return text


def _value(name: str, type_: str) -> str:
    """A column as it is ordered: NaN is missing."""
    text = quote_name(name)
    return f"CASE WHEN NOT isnan({text}) THEN {text} END" if type_ in {"FLOAT", "DOUBLE"} else text


def _requested(key: str) -> str:
    """The name of a join key within the join, apart from a feature of that name."""
    return quote_name(f"#key.{key}")


def _check_keys(view: Answers, types: Mapping[str, str]) -> None:
    for key, family in zip(view.keys, view.families, strict=True):
        if _family(types[key]) != family:
            raise SkewcheckError(
                f"the join key {key!r} of view {view.name} is {family} in its source and {types[key]} in the rows to "
                "retrieve for",
                remedy="Give both one type: a key of another type never matches.",
            )
