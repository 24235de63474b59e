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
from typing import Any, Literal

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.language.types import INT64_MIN
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import comparable, describe, family_of, microseconds, open_source

AsOf = Literal["known", "event"]
"""From when on a row counts: once it is both observed and created, or, blind to creation, once it is observed."""

INSTANT, BEGIN, EVENT, CREATED, END = '"#instant"', '"#begin"', '"#event"', '"#created"', '"#end"'
"""Columns of the join itself, in microseconds since 1970. No feature's name begins with #."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one view answers, and from when on.

    Attributes:
        keys: The join keys.
        families: What each key is compared as: "a number", "text" or the name of another type.
        columns: The columns to read.
        relation: SQL text of a relation with the keys, `BEGIN`, `EVENT` and the columns: every row that is an answer.
        history: The same with every row that counts, also those that are never an answer, and with `CREATED` (the
            event time, where the source has no other) and `END`, from which on another row comes first.
        ttl: Microseconds after its event time until which a row counts, itself included; None for ever.
        delay: Microseconds by which every answer comes later.
        name: The view's name.
    """

    keys: tuple[str, ...]
    families: tuple[str, ...]
    columns: tuple[str, ...]
    relation: str
    history: str
    ttl: int | None
    delay: int
    name: str


def read_answers(
    connection: duckdb.DuckDBPyConnection,
    repository: Repository,
    view: Any,
    columns: Sequence[str],
    delay: timedelta = timedelta(0),
    as_of: AsOf = "known",
) -> Answers:
    """What a view answers, after a look at the columns of its files; no row is read yet.

    Args:
        connection: The engine; it must read times as UTC.
        repository: The feature repo.
        view: A view that `can_join` accepts.
        columns: The columns to read of it.
        delay: How much later than it counted every row reaches whoever asks: at an instant the view answers what it
            would have answered `delay` before, the TTL included.
        as_of: From when on a row counts. With "event" a creation that is missing comes before every other.

    Raises:
        SkewcheckError: A file or a column is missing, a name stands for two columns, or a time is no timestamp.
        UsageError: The delay is negative.
    """
    if delay < timedelta(0):
        raise UsageError(f"the delay of view {view.name} is negative ({delay})", remedy="Give it as zero or more.")
    source = open_source(connection, repository, view, columns)
    named = source.columns
    times = {EVENT: source.event} | ({CREATED: source.created} if source.created else {})
    content = sorted(name for name in {field.name for field in view.features} | set(columns) if name in named)
    history = _history(source.relation, named, source.keys, columns, times, content, as_of)
    kept = ", ".join([*map(name_key, source.keys), BEGIN, EVENT, *map(quote_name, columns)])
    return Answers(
        source.keys,
        tuple(family_of(named[key][1]) for key in source.keys),
        tuple(columns),
        f"(SELECT {kept} FROM {history} WHERE {END} IS NULL OR {END} > {BEGIN})",
        history,
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
    types = describe(connection, requests)
    needed = [instant, *dict.fromkeys(key for view in views for key in view.keys)]
    if absent := [name for name in needed if name not in types]:
        raise SkewcheckError(
            f"the rows to retrieve for lack {', '.join(absent)}",
            remedy="Give the join keys and the time of the request.",
        )
    for view in views:
        _check_keys(view, types)
    selected = [f"{microseconds(instant, types[instant])} AS {INSTANT}", *map(quote_name, carry)]
    selected += [f"{comparable(name, types[name])} AS {name_key(name)}" for name in needed[1:]]
    relation = f"SELECT {', '.join(selected)} FROM {requests}"
    for view in views:
        relation = _join(relation, view)
    return f"(SELECT {', '.join(map(quote_name, names))} FROM ({relation}))"


def reading_error(error: duckdb.Error, views: Iterable[Any]) -> SkewcheckError:
    """What to raise where the engine fails over the files of views (or of their answers)."""
    return SkewcheckError(
        f"the offline store could not be read: {', '.join(view.name for view in views)}: {str(error).splitlines()[0]}",
        remedy="Check the sources in features/: their paths, and that all files of one have the same columns.",
    )


def _history(
    files: str,
    named: Mapping[str, tuple[str, str]],
    keys: Sequence[str],
    columns: Sequence[str],
    times: Mapping[str, str],
    content: Sequence[str],
    as_of: AsOf,
) -> str:
    """Every row that counts, with the instants between which it is the answer."""
    wanted = dict.fromkeys([*columns, *content])
    selected = [f"{comparable(*named[key])} AS {name_key(key)}" for key in keys]
    selected += [f"{text} AS {name}" for name, text in times.items()]
    selected += [f"{quote_name(named[name][0])} AS {quote_name(name)}" for name in wanted]
    counted = list(times) if as_of == "known" else [EVENT]
    present = [f"{name} IS NOT NULL" for name in (*map(name_key, keys), *counted)]
    begin = f"greatest({', '.join(counted)})"
    order = ", ".join(
        [
            *(f"{name} NULLS FIRST" for name in times),
            *(f"{_value(name, named[name][1])} NULLS FIRST" for name in content),
        ]
    )
    partition = f"PARTITION BY {', '.join(map(name_key, keys))} " if keys else ""
    created = f"{CREATED if CREATED in times else EVENT} AS {CREATED}"
    kept = ", ".join([*map(name_key, keys), BEGIN, EVENT, created, END, *map(quote_name, columns)])
    return (
        f"(SELECT {kept} FROM (SELECT *, {begin} AS {BEGIN}, min({begin}) OVER ({partition}ORDER BY {order} "
        f"ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS {END} FROM (SELECT {', '.join(selected)} FROM {files}) "
        f"WHERE {' AND '.join(present)}))"
    )


def _join(requests: str, view: Answers) -> str:
    """The requests with one view's columns beside them."""
    asked = f"requests.{INSTANT}" + (f" - {view.delay}" if view.delay else "")
    matches = [f"requests.{name_key(key)} = answers.{name_key(key)}" for key in view.keys]
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


def _value(name: str, type_: str) -> str:
    """A column as it is ordered: NaN is missing."""
    text = quote_name(name)
    return f"CASE WHEN NOT isnan({text}) THEN {text} END" if type_ in {"FLOAT", "DOUBLE"} else text


def name_key(key: str) -> str:
    """The name of a join key within the join, apart from a feature of that name."""
    return quote_name(f"#key.{key}")


def _check_keys(view: Answers, types: Mapping[str, str]) -> None:
    for key, family in zip(view.keys, view.families, strict=True):
        if family_of(types[key]) != family:
            raise SkewcheckError(
                f"the join key {key!r} of view {view.name} is {family} in its source and {types[key]} in the rows to "
                "retrieve for",
                remedy="Give both one type: a key of another type never matches.",
            )
