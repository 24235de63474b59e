"""The requests that are looked at more closely where retrieval differs, each with what serving said about it.

Counts of mismatches are of every request; why they arise is asked of so many of them, drawn by a hash of their place
in the log, so that the answer is the same on every run and its cost does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.generate.manifest import ManifestView
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.comparison import REQUEST_ID, REQUESTED_AT, Sides, differs
from skewcheck.replay.stages import FILE, FOUND, ROW
from skewcheck.store.as_of import INSTANT, name_key

LOOKED_AT = 20_000
"""Mismatches of one column that are looked at."""

SAMPLED = 5_000
"""Requests, whether they match or not, that are looked at."""

SAMPLE, SERVED_EVENT, HASH = '"#sampled"', '"#served_event"', '"#hash"'
"""Whether a request is one of the sample; the event time that serving logged, in microseconds; its random order."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Requests that are looked at for one view.

    Attributes:
        table: A table with their place, id, time, keys, what serving logged, and for each column "logged.<column>",
            "<column>" (at the time), "#differs.<column>", "#looked.<column>", "#known.<column>" and, where it was
            logged, "#status.<column>".
        timed: Whether serving logged the event time of the view's rows.
        columns: The columns, by name.
        statuses: Those of them whose status was logged.
        log: SQL text of the whole log.
        log_columns: What its columns hold.
    """

    table: str
    timed: bool
    columns: Mapping[str, Sides]
    statuses: frozenset[str]
    log: str
    log_columns: LogColumns


def look_at(
    connection: duckdb.DuckDBPyConnection,
    log: str,
    columns: LogColumns,
    view: ManifestView,
    retrieved: str,
    sides: Sequence[tuple[Sides, int]],
    rows: int,
) -> Looked:
    """Draw requests of one view.

    Args:
        connection: The engine.
        log: SQL text of the log's files.
        columns: What its columns hold.
        view: The view.
        retrieved: The log's rows with the store's values at the time.
        sides: The view's columns to look at, each with the number of its mismatches.
        rows: Rows of the log.
    """
    values = [
        f"{quote_name(name)} AS {quote_name(served)}"
        for side, _ in sides
        for name, served in ((side.name, side.served), (f"retrieved.{side.name}", side.replayed))
    ]
    place = f"hash({FILE}, {ROW}) AS {HASH}"
    kept = ", ".join([FILE, ROW, REQUEST_ID, REQUESTED_AT, f"epoch_us({REQUESTED_AT}) AS {INSTANT}", place, *values])
    flags = [f"{HASH} % {max(1, rows // SAMPLED)} = 0 AS {SAMPLE}"]
    for side, mismatched in sides:
        every = max(1, mismatched // LOOKED_AT)
        flags.append(f"{differs(side)} AS {flag('differs', side.name)}")
        flags.append(f"{differs(side)} AND {HASH} % {every} = 0 AS {flag('looked', side.name)}")
        flags.append(f"{side.applies or 'TRUE'} AS {flag('known', side.name)}")
    chosen = " OR ".join([SAMPLE, *(flag("looked", side.name) for side, _ in sides)])
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "#drawn" AS SELECT * FROM (SELECT *, {", ".join(flags)} FROM '
        f"(SELECT {kept} FROM {retrieved} WHERE {FOUND})) WHERE {chosen}"
    )
    statuses = {side.name: columns.statuses[side.name] for side, _ in sides if side.name in columns.statuses}
    said = [f"{columns.keys[key]} AS {name_key(key)}" for key in view.keys]
    said.append(f"{read_event_time(columns, view.name)} AS {SERVED_EVENT}")
    said += [f"{text} AS {flag('status', name)}" for name, text in statuses.items()]
    connection.execute(
        'CREATE OR REPLACE TEMP TABLE "#looked" AS SELECT * FROM "#drawn" JOIN '
        f"(SELECT {', '.join([FILE, ROW, *said])} FROM {log}) USING ({FILE}, {ROW})"
    )
    connection.execute('DROP TABLE "#drawn"')
    named = {side.name: side for side, _ in sides}
    return Looked('"#looked"', view.name in columns.event_times, named, frozenset(statuses), log, columns)


def read_event_time(columns: LogColumns, view: str) -> str:
    """SQL text that reads the event time which serving logged for a view, in microseconds; missing where it did not."""
    return f"epoch_us({columns.event_times[view]})" if view in columns.event_times else "CAST(NULL AS BIGINT)"


def flag(kind: str, column: str) -> str:
    """What is known of a column beside its values."""
    return quote_name(f"#{kind}.{column}")


def equal_keys(left: str, right: str, keys: Sequence[str]) -> list[str]:
    """SQL text of the conditions under which two relations speak of one key."""
    return [f"{left}.{name_key(key)} = {right}.{name_key(key)}" for key in keys]
