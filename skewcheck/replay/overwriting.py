"""Out-of-order writes: requests that were served an older row than one which serving had already shown for the key."""

from __future__ import annotations

from skewcheck.replay.columns import LogColumns
from skewcheck.replay.sampling import SERVED_EVENT, equal_keys, read_event_time
from skewcheck.replay.stages import FILE, ROW
from skewcheck.replay.tracing import ALIKE, SECOND, SOURCE, TRAINED, TracedView, alike, column_history, fetch_all
from skewcheck.store.as_of import EVENT, INSTANT, name_key

STILL = 0.5
"""How many different rows serving may have read of a key, for each that training reads, if they do not move on."""


def find_overwritten(traced: TracedView, name: str, column: str, *, trusted: bool, delayed: bool) -> str:
    """SQL text of a relation with the place of each request whose row was written over a newer one, `overwritten`.

    The source says so itself where the older row was created after the newer one. Otherwise the log does: the key was
    served a newer row before, and not again. Where one delay gives all these rows, and they move on with time, it is a
    copy that is behind which answers now and then.

    Args:
        traced: The view.
        name: The column.
        column: SQL text of its traced requests, with what the source answered with the delay of its mismatches.
        trusted: Whether the row that a value came from is known.
        delayed: Whether its mismatches have a delay.
    """
    # The event time that serving logged stands in for a row that the source does not have; it is in whole seconds.
    told = f"{SOURCE} IS NULL AND {SERVED_EVENT} // {SECOND} < {TRAINED}['event'] // {SECOND}"
    older = f"looked AND ({SOURCE}['event'] < {TRAINED}['event'] OR ({told}))"
    by_source = f"SELECT {FILE}, {ROW} FROM {column} WHERE {older} AND {SOURCE}['created'] > {TRAINED}['created']"
    # What is not made of rows has no times of its own, only those that serving logged.
    told_by_log = trusted and (traced.basis == "rows" or traced.looked.timed)
    if not told_by_log or not _has_still_rows(traced, f"SELECT * FROM {column} WHERE {older}", delayed=delayed):
        return f"(SELECT *, TRUE AS overwritten FROM ({by_source}))"
    keys = ", ".join(map(name_key, traced.keys))
    shown = _rows_shown(traced, name, f"SELECT * FROM {column} WHERE {older}")
    traced.connection.execute(f'CREATE OR REPLACE TEMP TABLE "#shown" AS {shown}')
    partition = f"PARTITION BY {keys} " if keys else ""
    newest = (
        f'SELECT *, max(event) OVER ({partition}ORDER BY first ROWS UNBOUNDED PRECEDING) AS newest FROM "#shown" '
        # Of rows that were first shown in one instant, one stands for all.
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join([*map(name_key, traced.keys), 'first'])} "
        "ORDER BY event DESC) = 1"
    )
    before = [*equal_keys("requests", "before", traced.keys), f"requests.{INSTANT} > before.first"]
    again = [*equal_keys("requests", "again", traced.keys), "requests.newest = again.event"]
    by_log = (
        f"SELECT requests.{FILE}, requests.{ROW} FROM (SELECT requests.*, before.newest FROM (SELECT * FROM {column} "
        f"WHERE {older}) AS requests ASOF JOIN ({newest}) AS before ON {' AND '.join(before)}) AS requests "
        f'JOIN "#shown" AS again ON {" AND ".join(again)} '
        f"WHERE requests.newest > coalesce(requests.{SOURCE}['event'], requests.{SERVED_EVENT}) // {SECOND} "
        f"AND again.last < requests.{INSTANT}"
    )
    return f"(SELECT *, TRUE AS overwritten FROM ({by_source} UNION {by_log}))"


def _has_still_rows(traced: TracedView, older: str, *, delayed: bool) -> bool:
    """Whether there are requests that were served older rows, and these are more than the answers of a slow copy."""
    keys = ", ".join(map(name_key, traced.keys)) or "TRUE"
    (counted,) = fetch_all(
        traced.connection,
        "SELECT coalesce(sum(rows), 0) AS rows, sum(late) AS late, sum(served) FILTER (WHERE trained > 1) AS served, "
        "sum(trained) FILTER (WHERE trained > 1) AS trained FROM (SELECT count(*) AS rows, "
        f"count(DISTINCT {SOURCE}['event']) AS served, count(DISTINCT {TRAINED}['event']) AS trained, "
        f"count(*) FILTER (WHERE delayed = {ALIKE}) AS late FROM ({older}) GROUP BY {keys})",
    )
    if not counted["rows"]:
        return False
    moving = bool(counted["trained"]) and counted["served"] > STILL * counted["trained"]
    return not (delayed and moving and counted["late"] > STILL * counted["rows"])


def _rows_shown(traced: TracedView, name: str, requests: str) -> str:
    """SQL text: for each key and event time (in seconds) when the log first and last served that row."""
    columns, keys = traced.looked.log_columns, ", ".join(map(name_key, traced.keys))
    kind = traced.kind(name)
    every = _every_request(traced, columns, alike(columns.inputs[name], kind))
    asked = f"SELECT * FROM ({every})" + (f" SEMI JOIN ({requests}) USING ({keys})" if keys else "")
    grouped = f"{keys}, " if keys else ""
    if traced.looked.timed:
        return (
            f"SELECT {grouped}{SERVED_EVENT} // {SECOND} AS event, min({INSTANT}) AS first, max({INSTANT}) AS last "
            f"FROM ({asked}) WHERE {SERVED_EVENT} IS NOT NULL GROUP BY ALL"
        )
    values = f"SELECT {grouped}{ALIKE}, min({INSTANT}) AS first, max({INSTANT}) AS last FROM ({asked}) GROUP BY ALL"
    # A value that the key had more than once does not say which row it came from.
    once = (
        f"SELECT {grouped}{ALIKE}, min({EVENT}) // {SECOND} AS event FROM {column_history(traced, name)} "
        "GROUP BY ALL HAVING count(*) = 1"
    )
    using = ", ".join([*map(name_key, traced.keys), ALIKE])
    return f"SELECT {grouped}event, first, last FROM ({values}) JOIN ({once}) USING ({using})"


def _every_request(traced: TracedView, columns: LogColumns, value: str) -> str:
    texts = {name_key(key): columns.keys[key] for key in traced.keys}
    texts |= {SERVED_EVENT: read_event_time(columns, traced.view.name), INSTANT: f"epoch_us({columns.requested_at})"}
    texts[ALIKE] = value
    return f"SELECT {', '.join(f'{text} AS {name}' for name, text in texts.items())} FROM {traced.looked.log}"
