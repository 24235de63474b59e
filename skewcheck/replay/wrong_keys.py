"""Wrong keys: values that no row of the request's own key has, but the row of another key had at that moment."""

from __future__ import annotations

from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.language.types import Type
from skewcheck.replay.stages import FILE, ROW
from skewcheck.replay.tracing import ALIKE, TracedView, alike, fetch_all, missing
from skewcheck.store.as_of import BEGIN, INSTANT, name_key

OPEN = ("rewritten", "gone")
"""Forms that another key explains better."""

NO_KEYS = ("request_id", "definition_hash", "state_hash", "model_version", "process")
"""Columns of every log that no store is asked with."""

SHARE = 0.5
"""The share of what is left that a key must explain."""

ALIKE_BY_CHANCE = 0.1
"""Above this chance that two rows have one value, a value does not tell which key it belongs to."""


def find_wrong_keys(traced: TracedView, name: str, formed: str, kind: Type) -> None:
    """Give the form "wrong_key" to the mismatches that another key explains, with the key as detail.

    Tried are: the key written otherwise (case, spaces, leading zeros), any other column of the log of its type, and
    any other key at all.
    """
    if traced.answers is None or len(traced.keys) != 1:
        return
    (key,) = traced.keys
    left = f"{_is_open()} AND NOT {missing('served', kind)}"
    (counted,) = fetch_all(traced.connection, f"SELECT count(*) AS rows FROM {formed} WHERE {left}")
    if not counted["rows"]:
        return
    value = alike(f"TRY_CAST({quote_name(name)} AS {traced.sql_type(name)})", kind)
    answers = f"SELECT {name_key(key)} AS other, {BEGIN}, {value} AS value FROM {traced.answers.relation}"
    needed = SHARE * counted["rows"]
    if traced.view.keys[key] == "String":
        spelled = _spell("other")
        rows = (
            f"SELECT {FILE}, {ROW}, {INSTANT}, {ALIKE}, {name_key(key)} AS own, "
            f"{_spell(name_key(key))} AS asked FROM {formed} WHERE {left}"
        )
        found = _ask(rows, f"SELECT *, {spelled} AS spelled FROM ({answers})", "spelled")
        _keep(traced, formed, found, f"the key {key} written otherwise", needed)
    for other in _find_candidates(traced, key):
        rows = (
            f"SELECT {FILE}, {ROW}, {INSTANT}, {ALIKE}, {name_key(key)} AS own, asked FROM {formed} JOIN "
            f"(SELECT {FILE}, {ROW}, {quote_name(other)} AS asked FROM {traced.looked.log}) USING ({FILE}, {ROW}) "
            f"WHERE {left}"
        )
        named = other.removeprefix("request.").removeprefix("key.")
        _keep(traced, formed, _ask(rows, answers, "other"), f"{named} in place of {key}", needed)
    (chance,) = fetch_all(
        traced.connection,
        "SELECT sum(rows * rows) / sum(rows) ** 2 AS share FROM "
        f"(SELECT count(*) AS rows FROM ({answers}) GROUP BY value)",
    )
    if (chance["share"] or 1.0) <= ALIKE_BY_CHANCE:
        current = f"SELECT *, lead({BEGIN}) OVER (PARTITION BY other ORDER BY {BEGIN}) AS ends FROM ({answers})"
        found = (
            f"SELECT requests.{FILE}, requests.{ROW} FROM (SELECT * FROM {formed} WHERE {left}) AS requests "
            f"SEMI JOIN ({current}) AS answers ON requests.{ALIKE} = answers.value "
            f"AND requests.{INSTANT} >= answers.{BEGIN} AND coalesce(requests.{INSTANT} < answers.ends, TRUE) "
            f"AND answers.other != requests.{name_key(key)}"
        )
        _keep(traced, formed, found, f"another {key}", needed)


def _find_candidates(traced: TracedView, key: str) -> list[str]:
    """Columns of the log of the key's type that may have been taken for it."""
    texts = {"String": ("VARCHAR",), "Int64": ("BIGINT", "INTEGER")}.get(traced.view.keys[key], ())
    prefixes = ("feature.", "store.", "status.", "log.")
    return [
        row["column_name"]
        for row in fetch_all(traced.connection, f"DESCRIBE SELECT * FROM {traced.looked.log}")
        if row["column_type"] in texts
        and not row["column_name"].startswith(prefixes)
        and row["column_name"] not in {key, f"key.{key}", *NO_KEYS}
    ]


def _is_open() -> str:
    return f"(form IS NULL OR form IN ({', '.join(map(quote_text, OPEN))}))"


def _spell(key: str) -> str:
    """A key without what is often written otherwise."""
    return f"ltrim(lower(trim({key})), '0')"


def _ask(requests: str, answers: str, column: str) -> str:
    """The place of the requests whose value the source had at that moment for the key that is tried."""
    return (
        f"SELECT requests.{FILE}, requests.{ROW} FROM ({requests}) AS requests ASOF JOIN ({answers}) AS answers "
        f"ON requests.asked = answers.{column} AND requests.{INSTANT} >= answers.{BEGIN} "
        f"WHERE requests.{ALIKE} = answers.value AND answers.other IS DISTINCT FROM requests.own"
    )


def _keep(traced: TracedView, formed: str, found: str, detail: str, needed: float) -> None:
    """Mark what was found, where it is enough."""
    connection = traced.connection
    connection.execute(f'CREATE OR REPLACE TEMP TABLE "#found" AS {found}')
    (counted,) = fetch_all(connection, 'SELECT count(*) AS rows FROM "#found"')
    if counted["rows"] and counted["rows"] >= needed:
        connection.execute(
            f"UPDATE {formed} SET form = 'wrong_key', detail = {quote_text(detail)} "
            f'WHERE {_is_open()} AND ({FILE}, {ROW}) IN (SELECT ({FILE}, {ROW}) FROM "#found")'
        )
