"""Why a store's column was served otherwise than training reads it: every mismatch that was looked at gets one form.

The forms are tried in the order of `forms.FORMS`; the first that fits a mismatch is its form. What none fits is
unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.engines.sql import quote_text
from skewcheck.language.types import Type
from skewcheck.replay.lag import delayed_values, find_common_delay
from skewcheck.replay.overwriting import find_overwritten
from skewcheck.replay.sampling import HASH, SERVED_EVENT, equal_keys
from skewcheck.replay.stages import FILE, ROW
from skewcheck.replay.tracing import (
    ALIKE,
    SECOND,
    SOURCE,
    TRAINED,
    TracedView,
    alike,
    at_served_time,
    column_history,
    fetch_all,
    missing,
)
from skewcheck.replay.wrong_keys import find_wrong_keys
from skewcheck.store.as_of import EVENT, INSTANT, name_key

FORMED = '"#formed"'
"""The table of mismatches and their forms."""

BY_CHANCE = 0.2
"""Above this share of values that are found in the past of a key that is not theirs, a value alone proves nothing."""

CONSTANT = 0.9
"""The share that one value must have of those which come from no row, to be a default."""

FEWEST = 10
"""Requests from which on one value for all is a default."""


_SERVED = {name: f"{SOURCE}['{name}']" for name in ("event", "created", "begin", "end")}
_TRAINED = {name: f"{TRAINED}['{name}']" for name in ("event", "created", "begin", "end")}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a column as a whole before its mismatches are told apart.

    Attributes:
        none_served: No request of the sample was served a value.
        one_value: All were served the same value, and training has several.
        by_chance: The share of other requests' values that are found in the past of a key.
    """

    none_served: bool
    one_value: bool
    by_chance: float


@dataclass(frozen=True, slots=True)
class Classified:
    """The mismatches of a column, each with its form.

    Attributes:
        table: The traced requests that differ, with `form` and a `detail` of it.
        delay: The delay, in microseconds, that explains more of them than chance would; 0 where none does.
    """

    table: str
    delay: int


def classify(traced: TracedView, name: str, column: str, beside: float = 0.0) -> Classified:
    """Give every mismatch that was looked at its form.

    Args:
        traced: The view.
        name: The column.
        column: Its traced requests.
        beside: The delay of another column of the view. What a value alone does not prove is stale then, where the key
            had the value before: rows travel as a whole.
    """
    connection = traced.connection
    kind = traced.kind(name)
    facts = _find_facts(traced, name, column)
    delay = find_common_delay(traced, name, column) if traced.basis != "unknown" else 0
    trusted = traced.looked.timed or facts.by_chance <= BY_CHANCE
    relation = f"{column} LEFT JOIN {delayed_values(traced, name, column, delay)} USING ({FILE}, {ROW})"
    overwritten = find_overwritten(traced, name, relation, trusted=trusted, delayed=delay != 0)
    relation += f" LEFT JOIN {overwritten} USING ({FILE}, {ROW})"
    at_event = " AND ".join([*equal_keys("h", "c", traced.keys), at_served_time(traced, "c", "h")])
    relation += (
        f" LEFT JOIN (SELECT DISTINCT c.{FILE}, c.{ROW}, TRUE AS has_event FROM {column} AS c JOIN "
        f"{column_history(traced, name)} AS h ON {at_event}) USING ({FILE}, {ROW})"
    )
    form = _write_form(traced, name, facts, delay)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {FORMED} AS SELECT *, {form} AS form, CAST(NULL AS VARCHAR) AS detail "
        f"FROM {relation} WHERE looked"
    )
    find_wrong_keys(traced, name, FORMED, kind)
    _find_default(traced, kind)
    if beside > 0:
        past = "TRUE" if name in traced.source.moving else "in_past"
        connection.execute(
            f"UPDATE {FORMED} SET form = 'stale' WHERE form IS NULL AND {past} AND NOT {missing('served', kind)}"
        )
    connection.execute(f"UPDATE {FORMED} SET form = 'unexplained' WHERE form IS NULL")
    return Classified(FORMED, delay)


def _find_facts(traced: TracedView, name: str, column: str) -> Facts:
    kind = traced.kind(name)
    served, trained = (f"NOT {missing(side, kind)}" for side in ("served", "trained"))
    (row,) = fetch_all(
        traced.connection,
        f"SELECT count(*) FILTER (WHERE sampled) AS requests, count(*) FILTER (WHERE sampled AND {served}) AS served, "
        f"count(DISTINCT {ALIKE}) FILTER (WHERE sampled AND {served}) AS values, "
        f"count(DISTINCT trained) FILTER (WHERE sampled AND {trained}) AS trained FROM {column}",
    )
    return Facts(
        none_served=row["requests"] > 0 and row["served"] == 0 and row["trained"] > 0,
        one_value=row["served"] >= FEWEST and row["values"] == 1 and row["trained"] > 1,
        by_chance=0.0 if traced.looked.timed else _measure_chance(traced, name, column),
    )


def _measure_chance(traced: TracedView, name: str, column: str) -> float:
    """How often another request's value is found in the past of a key: what finding one's own there is worth."""
    kind = traced.kind(name)
    other = f"coalesce(lead({ALIKE}) OVER (ORDER BY {HASH}), first_value({ALIKE}) OVER (ORDER BY {HASH}))"
    keys = ", ".join([INSTANT, *map(name_key, traced.keys)])
    asked = (
        f"SELECT {keys}, {ALIKE} AS own, {other} AS other FROM {column} WHERE looked AND NOT {missing('served', kind)}"
    )
    matches = [
        *equal_keys("asked", "history", traced.keys),
        f"asked.other = history.{ALIKE}",
        f"asked.{INSTANT} >= history.{EVENT}",
    ]
    (row,) = fetch_all(
        traced.connection,
        "SELECT count(*) AS requests, count(found) AS found FROM "
        f"(SELECT * FROM ({asked}) WHERE own != other) AS asked "
        f"ASOF LEFT JOIN (SELECT *, TRUE AS found FROM {column_history(traced, name)}) AS history "
        f"ON {' AND '.join(matches)}",
    )
    return row["found"] / row["requests"] if row["requests"] else 0.0


def _write_form(traced: TracedView, name: str, facts: Facts, delay: int) -> str:
    """SQL text of the form of a mismatch; null where the rest of the row does not tell it."""
    kind = traced.kind(name)
    nothing_served, nothing_trained = missing("served", kind), missing("trained", kind)
    both = f"NOT {nothing_served} AND NOT {nothing_trained}"
    timed = f"{SERVED_EVENT} IS NOT NULL"
    trusted = "TRUE" if facts.by_chance <= BY_CHANCE else timed
    ttl = traced.lifetime(name)
    now = f"({INSTANT} - {traced.delay})"
    older = "FALSE" if ttl is None else f"{now} - {_SERVED['event']} > {ttl}"
    expired = "FALSE" if ttl is None else f"coalesce({now} - {_TRAINED['event']} > {ttl}, FALSE)"
    if traced.basis == "asked":
        # Feast says itself where a row is too old, and history has the row all the same.
        expired = "FALSE" if ttl is None else f"({TRAINED} IS NOT NULL AND {nothing_trained})"
    at_lag = f"coalesce(delayed = {ALIKE}, FALSE)" if delay else "FALSE"
    age = f"{INSTANT} - {SERVED_EVENT}"
    asked, moving = traced.basis in {"windows", "asked"}, name in traced.source.moving
    ahead = f"coalesce({_SERVED['event']} > {INSTANT}, TRUE)"
    before = f"{SERVED_EVENT} < {now} - {SECOND}"
    rules = [
        ("not_served", "TRUE" if facts.none_served else "FALSE"),
        ("constant", f"NOT ({timed}) AND NOT {nothing_served}" if facts.one_value else "FALSE"),
        *((form, f"{both} AND {condition}") for form, condition in _precision(kind)),
        ("not_found_default", f"status = 'NOT_FOUND' AND NOT {nothing_served}"),
        ("absent_row", f"status = 'NOT_FOUND' AND {nothing_served}"),
        ("late_arrival", f"happened AND NOT {nothing_served} AND {ahead}" if asked else "FALSE"),
        ("future_dated", f"{trusted} AND {_SERVED['event']} > {INSTANT}"),
        ("late_arrival", f"{trusted} AND {_SERVED['created']} > {INSTANT}"),
        ("tie", f"{trusted} AND {_SERVED['event']} = {_TRAINED['event']} AND NOT ({expired})"),
        ("expired", f"{expired} AND {_SERVED['event']} = {_TRAINED['event']}"),
        ("out_of_order", f"{trusted} AND {_SERVED['event']} < {_TRAINED['event']} AND coalesce(overwritten, FALSE)"),
        ("expired", f"{trusted} AND {older} AND NOT {at_lag}"),
        ("stale", f"{trusted} AND {_SERVED['event']} < {_TRAINED['event']}"),
        ("fresher", f"{trusted} AND {_SERVED['begin']} > {now}" if traced.delay else "FALSE"),
        ("stale", f"{at_lag} AND NOT {nothing_served}"),
        ("stale", f"{timed} AND {before}" if moving else "FALSE"),
        # Serving said when the row was of, and the source does not have it with this value.
        ("future_dated", f"{timed} AND {SERVED_EVENT} > {INSTANT}"),
        ("out_of_order", f"{timed} AND {SOURCE} IS NULL AND coalesce(overwritten, FALSE)"),
        ("rewritten", f"{timed} AND NOT {nothing_served} AND has_event" if traced.basis != "asked" else "FALSE"),
        ("expired", "FALSE" if ttl is None else f"{timed} AND {age} >= {ttl + SECOND} AND {nothing_trained}"),
        ("gone", f"{timed} AND NOT {nothing_served}" if traced.basis in {"rows", "windows"} else "FALSE"),
        ("absent_row", nothing_served),
    ]
    cases = " ".join(f"WHEN {condition} THEN {quote_text(form)}" for form, condition in rules if condition != "FALSE")
    return f"CASE {cases} END"


def _precision(kind: Type) -> list[tuple[str, str]]:
    """What storage with fewer digits makes of a value, by the type."""
    if kind.name == "Float64":
        narrow = "(served = TRY_CAST(trained AS FLOAT) OR trained = TRY_CAST(served AS FLOAT))"
        return [("float32", narrow), ("rounded", "TRY_CAST(served AS FLOAT) = TRY_CAST(trained AS FLOAT)")]
    if kind.name == "Int64":
        return [("float64", f"{ALIKE} = CAST(trained AS DOUBLE)")]
    if kind.name == "Vector":
        return [("float32", f"{ALIKE} = {alike('trained', kind)}")]
    if kind.name == "Timestamp":
        return [("whole_seconds", f"epoch_us(served) // {SECOND} = epoch_us(trained) // {SECOND}")]
    return []


def _find_default(traced: TracedView, kind: Type) -> None:
    """Where nearly all that comes from no row is one value, that value is a default."""
    connection = traced.connection
    rest = f"form IS NULL AND NOT {missing('served', kind)}"
    rows = fetch_all(
        connection,
        f"SELECT {ALIKE} AS value, count(*) AS rows, sum(count(*)) OVER () AS all_rows, any_value({HASH}) AS one, "
        f"count(DISTINCT trained) AS trained FROM {FORMED} WHERE {rest} GROUP BY {ALIKE} ORDER BY rows DESC LIMIT 1",
    )
    for row in rows:
        if row["rows"] >= CONSTANT * row["all_rows"] and row["trained"] != 1:
            connection.execute(
                f"UPDATE {FORMED} SET form = 'default' WHERE {rest} AND {ALIKE} = "
                f"(SELECT {ALIKE} FROM {FORMED} WHERE {HASH} = {row['one']})"
            )
