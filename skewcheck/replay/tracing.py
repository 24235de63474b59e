"""From which row of its source every served value came, beside the row that training reads.

A value is traced by the event time that serving logged with it, and otherwise by itself: the latest row of the key that
had it and was known, else the next one that was going to have it.

What windows answered is as of an instant, and has no row. It counts as a row of the instant that serving logged, or of
the last one at which the windows answered so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.generate.manifest import ManifestView
from skewcheck.language.types import INT64_MIN, Type
from skewcheck.replay.sampling import HASH, SAMPLE, SERVED_EVENT, Looked, equal_keys, flag
from skewcheck.replay.stages import FILE, ROW
from skewcheck.store.as_of import BEGIN, CREATED, END, EVENT, INSTANT, Answers, name_key

ALIKE, SOURCE, TRAINED, CARRIED = '"#alike"', '"#source"', '"#trained_row"', '"#carried"'
"""What a value is compared as; the row that serving read; the row that training reads; what history's row has."""

ROW_OF_HISTORY = f"{{'event': {EVENT}, 'created': {CREATED}, 'begin': {BEGIN}, 'end': {END}}}"
NO_ROW = 'CAST(NULL AS STRUCT(event BIGINT, created BIGINT, "begin" BIGINT, "end" BIGINT))'

SECOND = 1_000_000

SQL_TYPES = {
    "Float64": "DOUBLE",
    "Int64": "BIGINT",
    "Bool": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMPTZ",
    "Vector": "DOUBLE[]",
}

Basis = Literal["rows", "windows", "asked", "unknown"]
"""What a history is made of: the rows of files; what windows answered between two changes; what Feast answered at the
instants at which it was asked; nothing."""


@dataclass(frozen=True, slots=True)
class History:
    """What a view answered for the keys of some requests.

    Attributes:
        basis: What it is made of.
        relation: SQL text of a relation with the join keys, `EVENT`, `CREATED`, `BEGIN`, `END` and the view's columns;
            None where it is unknown. What is not made of rows has the same instant as each of the first three.
        looked: The requests.
        answers: The view as the join here reads it, where it does.
        reaches: Of windows for each column the microseconds after which an event no longer counts; None for never.
        moving: The columns whose value changes with every instant, so that no history has it.
    """

    basis: Basis
    relation: str | None
    looked: Looked
    answers: Answers | None = None
    reaches: Mapping[str, int | None] = field(default_factory=dict)
    moving: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TracedView:
    """A view whose values are traced.

    Attributes:
        connection: The engine.
        view: The view.
        source: What it answered.
        history: A table with the history of the requests' keys; empty where it is unknown.
        ttl: Microseconds after which a row no longer counts in training.
        delay: Microseconds after which training reads a row.
    """

    connection: duckdb.DuckDBPyConnection
    view: ManifestView
    source: History
    history: str
    ttl: int | None
    delay: int

    @property
    def looked(self) -> Looked:
        """The requests."""
        return self.source.looked

    @property
    def basis(self) -> Basis:
        """What the history is made of."""
        return self.source.basis

    @property
    def answers(self) -> Answers | None:
        """The view as the join here reads it, where it does."""
        return self.source.answers

    @property
    def keys(self) -> tuple[str, ...]:
        """The view's join keys."""
        return tuple(self.view.keys)

    def kind(self, name: str) -> Type:
        """The type of a column."""
        return self.looked.columns[name].type

    def sql_type(self, name: str) -> str:
        """The same as the engine calls it."""
        return SQL_TYPES[self.kind(name).name]

    def lifetime(self, name: str) -> int | None:
        """Microseconds after which a value of a column is too old: the time to live, or how far its window reaches."""
        return self.source.reaches.get(name) if self.basis == "windows" else self.ttl


def trace_view(
    connection: duckdb.DuckDBPyConnection, view: ManifestView, found: History, ttl: int | None, delay: int
) -> TracedView:
    """Keep the history of the keys that are looked at, and put what training reads beside every request."""
    keys, looked = ", ".join(map(name_key, view.keys)), found.looked
    types = {name: SQL_TYPES[side.type.name] for name, side in looked.columns.items()}
    history = '"#history"'
    if found.relation is not None:
        values = [f"TRY_CAST({quote_name(name)} AS {type_}) AS {quote_name(name)}" for name, type_ in types.items()]
        columns = ", ".join([*map(name_key, view.keys), EVENT, CREATED, BEGIN, END, *values])
        rows = f"SELECT {columns} FROM {found.relation}"
        if keys:
            rows = f"SELECT * FROM ({rows}) SEMI JOIN {looked.table} USING ({keys})"
    else:
        empty = {**dict.fromkeys((EVENT, CREATED, BEGIN, END), "BIGINT")}
        empty |= {name_key(key): SQL_TYPES[type_] for key, type_ in view.keys.items()}
        empty |= {quote_name(name): type_ for name, type_ in types.items()}
        rows = f"SELECT {', '.join(f'CAST(NULL AS {type_}) AS {name}' for name, type_ in empty.items())} LIMIT 0"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {history} AS {rows}")
    matches = [*equal_keys("requests", "answers", tuple(view.keys))]
    matches.append(f"coalesce(requests.{INSTANT} - {delay}, {INT64_MIN}) >= answers.{BEGIN}")
    row = f"answers.{TRAINED}"
    if found.basis == "windows":
        row = f"CASE WHEN {row} IS NOT NULL THEN {_row_as_of(row, f'requests.{INSTANT} - {delay}')} END AS {TRAINED}"
    connection.execute("SET asof_loop_join_threshold = 0")
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "#traced" AS SELECT requests.*, {row} FROM {looked.table} AS '
        f"requests ASOF LEFT JOIN (SELECT *, {ROW_OF_HISTORY} AS {TRAINED} FROM {history} WHERE {_is_answer()}) AS "
        f"answers ON {' AND '.join(matches)}"
    )
    return TracedView(connection, view, found, history, ttl, delay)


def trace_column(traced: TracedView, name: str) -> str:
    """A table with the requests that are looked at for one column, and the row that serving read it from (`SOURCE`)."""
    side = traced.looked.columns[name]
    served, trained = quote_name(side.served), quote_name(side.replayed)
    status = flag("status", name) if name in traced.looked.statuses else "CAST(NULL AS VARCHAR)"
    happened = "CAST(NULL AS BOOLEAN)"
    if traced.basis in {"windows", "asked"}:
        happened = f"{alike(flag('happened', name), side.type)} = {alike(served, side.type)}"
    base = (
        f'SELECT {FILE}, {ROW}, "log.request_id", "log.requested_at", {INSTANT}, {HASH}, '
        f"{', '.join([*map(name_key, traced.keys), SERVED_EVENT, TRAINED])}, {served} AS served, {trained} AS trained, "
        f"{alike(served, side.type)} AS {ALIKE}, {happened} AS happened, {status} AS status, "
        f"{flag('looked', name)} AS looked, {flag('differs', name)} AS differs, "
        f"({SAMPLE} AND {flag('known', name)}) AS sampled "
        f'FROM "#traced" WHERE {flag("looked", name)} OR ({SAMPLE} AND {flag("known", name)})'
    )
    connection = traced.connection
    connection.execute(f'CREATE OR REPLACE TEMP TABLE "#base" AS {base}')
    history = column_history(traced, name)
    untimed = f"CASE WHEN requests.{SERVED_EVENT} IS NULL THEN requests.{ALIKE} END"
    keyed = equal_keys("requests", "history", traced.keys)
    joins = "".join(
        f" ASOF LEFT JOIN (SELECT *, {CARRIED} AS {found} FROM {history}) AS history_{found} ON "
        + " AND ".join(
            [
                *equal_keys("requests", f"history_{found}", traced.keys),
                f"{untimed} = history_{found}.{ALIKE}",
                f"requests.{INSTANT} {sign} history_{found}.{BEGIN}",
            ]
        )
        for found, sign in (("past", ">="), ("future", "<"))
    )
    by_value = f'SELECT requests.*, past, future FROM "#base" AS requests{joins}'
    at_time = [*keyed, at_served_time(traced, "requests", "history"), f"requests.{ALIKE} = history.{ALIKE}"]
    by_time = (
        f'SELECT requests.{FILE}, requests.{ROW}, history.{CARRIED} AS timed FROM "#base" AS requests JOIN {history} '
        f"AS history ON {' AND '.join(at_time)} "
        f"QUALIFY row_number() OVER (PARTITION BY requests.{FILE}, requests.{ROW} "
        f"ORDER BY (history.{BEGIN} <= requests.{INSTANT}) DESC, "
        # Of answers since the logged time the first is the one that was read.
        f"history.{CREATED}{' DESC' if traced.basis == 'rows' else ''}) = 1"
    )
    source = "coalesce(timed, past, future)"
    if traced.basis == "windows":
        since = f"coalesce({SERVED_EVENT}, least({source}['end'] - 1, {INSTANT}))"
        as_of = f"CASE WHEN {source}['begin'] > {INSTANT} THEN {source}['begin'] ELSE {since} END"
        source = f"CASE WHEN {source} IS NOT NULL THEN {_row_as_of(source, as_of)} END"
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "#column" AS SELECT * EXCLUDE (past, future, timed), '
        f"{source} AS {SOURCE}, past IS NOT NULL AS in_past "
        f"FROM ({by_value}) LEFT JOIN ({by_time}) USING ({FILE}, {ROW})"
    )
    return '"#column"'


def column_history(traced: TracedView, name: str) -> str:
    """SQL text of the history of one column: keys, `BEGIN`, `EVENT`, `CREATED`, `END`, `ALIKE` and `CARRIED`."""
    side = traced.looked.columns[name]
    columns = ", ".join([*map(name_key, traced.keys), EVENT, CREATED, BEGIN, END])
    return (
        f"(SELECT {columns}, {alike(quote_name(name), side.type)} AS {ALIKE}, {ROW_OF_HISTORY} AS {CARRIED} "
        f"FROM {traced.history})"
    )


def column_answers(traced: TracedView, name: str) -> str:
    """SQL text of the rows of a column's history that are an answer for some time."""
    return f"(SELECT * FROM {column_history(traced, name)} WHERE {_is_answer()})"


def alike(value: str, type_: Type) -> str:
    """What a value is compared as to find the row that it came from: without what storage takes away; never null."""
    if type_.name == "Float64":
        return _shorten(value)
    if type_.name == "Int64":
        return f"coalesce(CAST({value} AS DOUBLE), 'nan')"
    if type_.name == "Timestamp":
        return f"coalesce(epoch_us({value}) // {SECOND}, {INT64_MIN})"
    if type_.name == "Bool":
        return f"coalesce(CAST({value} AS TINYINT), -1)"
    if type_.name == "Vector":
        return f"coalesce(list_transform({value}, x -> {_shorten('x')}), [])"
    return f"coalesce('=' || {value}, '')"


def missing(value: str, type_: Type) -> str:
    """SQL text that is True where a value is missing."""
    return f"({value} IS NULL OR isnan({value}))" if type_.name == "Float64" else f"({value} IS NULL)"


def trained_age(traced: TracedView) -> str:
    """SQL text of how old the row is that training reads, in microseconds; missing where it reads none, or no row."""
    if traced.basis != "rows":
        return "CAST(NULL AS BIGINT)"
    age = f"{INSTANT} - {TRAINED}['event']"
    return age if traced.ttl is None else f"CASE WHEN {age} - {traced.delay} <= {traced.ttl} THEN {age} END"


def fetch_all(connection: duckdb.DuckDBPyConnection, query: str) -> list[Mapping[str, Any]]:
    """The rows of a query, by the names of its columns."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _shorten(value: str) -> str:
    """A number in 32 bits; one that does not fit is an infinity."""
    short = f"coalesce(TRY_CAST({value} AS FLOAT), CASE WHEN {value} > 0 THEN 'inf' ELSE '-inf' END::FLOAT)"
    return f"CASE WHEN {value} IS NULL OR isnan({value}) THEN 'nan'::FLOAT ELSE {short} + 0 END"


def _is_answer() -> str:
    return f"({END} IS NULL OR {END} > {BEGIN})"


def at_served_time(traced: TracedView, requests: str, history: str) -> str:
    """SQL text of whether history has a request's answer at the event time that serving logged, in whole seconds."""
    if traced.basis == "rows":
        return f"{requests}.{SERVED_EVENT} // {SECOND} = {history}.{EVENT} // {SECOND}"
    until = f"coalesce({history}.{END} > {requests}.{SERVED_EVENT}, {requests}.{SERVED_EVENT} IS NOT NULL)"
    # A row is known some time after it is of, and only windows answer as of the very instant.
    since = f" AND {history}.{BEGIN} < {requests}.{SERVED_EVENT} + {SECOND}" if traced.basis == "windows" else ""
    return until + since


def _row_as_of(row: str, instant: str) -> str:
    """SQL text of what windows answered, as a row of the instant that it is as of."""
    return f"{{'event': {instant}, 'created': {instant}, 'begin': {row}['begin'], 'end': {row}['end']}}"
