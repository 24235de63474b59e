"""Which other window gives what serving gave, where the declared one does not.

Every change is computed for a bounded sample of the requests by the engine that computes the declared windows, and of
those that give what was served the simplest is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.errors import SkewcheckError
from skewcheck.language.types import BOOL, STRING
from skewcheck.language.windows.aggregate import REGISTRY
from skewcheck.language.windows.declaration import Aggregated, WindowFeature, Windows
from skewcheck.replay.retrieval import EARLIEST, LATEST
from skewcheck.replay.sampling import HASH, LOOKED_AT, SERVED_EVENT
from skewcheck.replay.stages import FILE, ROW
from skewcheck.replay.tracing import SECOND, TracedView, alike, fetch_all
from skewcheck.replay.window_changes import Filters, FoundVariant, Variant, list_variants
from skewcheck.store.as_of import CREATED, EVENT, INSTANT, name_key
from skewcheck.store.repository import Repository
from skewcheck.store.windows import WindowAnswers, read_events

SAMPLED = 300
"""Requests that every variant is computed for."""

FEWEST, DIFFERENT = 20, 3
"""Requests that a variant must be computed for to be told, and different values that they must have been served."""

GIVEN, NEARLY = 0.95, 0.01
"""The share of them for which it must give what was served; by how much a simpler one may fall short of the best."""

CATEGORIES = 6
"""Different values up to which a column of text is tried as a filter."""

NAMELESS = ("rewritten", "unexplained")
"""The forms of which the sample is drawn."""

OPEN = (*NAMELESS, "gone", "absent_row", "default", "late_arrival")
BY_VALUE = ("stale", "expired", "out_of_order", "future_dated")
"""Those whose mismatches another window explains better, once it is found; and those that say little in a log without
event times, where it gives nearly all of their values too."""

_EVENTS, _TABLE = '"#variant_events"', "skewcheck_variants"


def find_variant(
    traced: TracedView, repository: Repository, windows: Windows, name: str, formed: str
) -> FoundVariant | None:
    """The simplest change of a window that gives what was served; the mismatches that it explains get its form.

    Args:
        traced: The view.
        repository: The feature repo.
        windows: The declaration.
        name: The column.
        formed: The table of its mismatches, each with its form.

    Raises:
        SkewcheckError: The events cannot be read.
    """
    sample = _draw(traced, formed, NAMELESS, SAMPLED)
    if sample.num_rows < FEWEST:
        return None
    declared = next(feature for feature in windows.features if feature.name == name)
    variants = list_variants(declared, _open_events(traced, repository, windows, declared, sample))
    different, (own, *given) = _count_given(traced, windows, variants, name, sample)
    best, enough = max(given), GIVEN * sample.num_rows
    if different < DIFFERENT or not own < enough <= best:
        return None
    least = max(enough, best - NEARLY * sample.num_rows)
    _, place = min((one.rank, place) for place, one in enumerate(variants[1:]) if given[place] >= least)
    found = FoundVariant(variants[place + 1], sample.num_rows, given[place], own)
    for forms, least in ((OPEN, 0.0), (() if traced.looked.timed else BY_VALUE, GIVEN)):
        rest = _draw(traced, formed, forms, LOOKED_AT)
        if rest.num_rows:
            _open_events(traced, repository, windows, declared, rest)
            _mark(traced, windows, found.variant, name, formed, rest, least)
    return found


def _draw(traced: TracedView, formed: str, forms: Sequence[str], most: int) -> pa.Table:
    """Mismatches of some forms: their place, keys, what was served, and the instant that it is as of."""
    # Serving logs whole seconds; what is of the second of the request is taken to be of the request.
    logged = f"CASE WHEN {SERVED_EVENT} // {SECOND} = {INSTANT} // {SECOND} THEN {INSTANT} ELSE {SERVED_EVENT} END"
    at = f"coalesce({logged}, {INSTANT} - {traced.delay})"
    keys = "".join(f", {name_key(key)} AS {quote_name(f'key.{key}')}" for key in traced.keys)
    return traced.connection.execute(
        f"SELECT {FILE} AS file, {ROW} AS row, served, make_timestamptz(as_of) AS as_of{keys} FROM "
        f"(SELECT *, {at} AS as_of FROM {formed}) WHERE form IN ({', '.join(map(quote_text, forms)) or 'NULL'}) "
        f"AND as_of BETWEEN {EARLIEST} AND {LATEST} ORDER BY {HASH} LIMIT {most}"
    ).to_arrow_table()


def _open_events(
    traced: TracedView, repository: Repository, windows: Windows, declared: WindowFeature, requests: pa.Table
) -> Filters:
    """Put the events of the requests' keys in a table; what they can be filtered by."""
    connection, count = traced.connection, REGISTRY["count"]()
    columns = [column for column in windows.events.columns.values() if column.type in (BOOL, STRING)]
    filters = [replace(declared, aggregated=Aggregated(count, column, None)) for column in columns]
    try:
        events = read_events(connection, repository, _replace_features(windows, [declared, *filters]))
    except SkewcheckError:
        # A column that no feature reads may be missing from the files.
        columns, events = [], read_events(connection, repository, _replace_features(windows, [declared]))
    keys = [f"{quote_name(f'key.{key}')} AS {name_key(key)}" for key in traced.keys]
    connection.register(_TABLE, requests)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_EVENTS} AS FROM {events} SEMI JOIN "
        f"(SELECT {', '.join(keys)} FROM {_TABLE}) USING ({', '.join(map(name_key, traced.keys))})"
    )
    connection.unregister(_TABLE)
    found = []
    for column in columns:
        text = quote_name(column.name)
        query = f"SELECT DISTINCT {text} AS value FROM {_EVENTS} WHERE {text} IS NOT NULL ORDER BY 1"
        values = [row["value"] for row in fetch_all(connection, f"{query} LIMIT {CATEGORIES + 1}")]
        if len(values) <= CATEGORIES:
            found.append((column, values))
    return found


def _count_given(
    traced: TracedView, windows: Windows, variants: Sequence[Variant], name: str, sample: pa.Table
) -> tuple[int, list[int]]:
    """How many different values were served, and for each variant how often it gives what was served."""
    table = sample.select(["served"])
    for place, values in _compute(traced, windows, variants, sample):
        table = table.append_column(f"v{place}", values)
    kind, connection = traced.kind(name), traced.connection
    served = alike("served", kind)
    given = [f"count(*) FILTER (WHERE {alike(f'v{place}', kind)} = {served})" for place in range(len(variants))]
    connection.register(_TABLE, table)
    query = f"SELECT count(DISTINCT {served}) AS different, [{', '.join(given)}] AS given FROM {_TABLE}"
    (row,) = fetch_all(connection, query)
    connection.unregister(_TABLE)
    return row["different"], row["given"]


def _compute(
    traced: TracedView, windows: Windows, variants: Sequence[Variant], requests: pa.Table
) -> Iterator[tuple[int, pa.ChunkedArray]]:
    """The values of variants, each with its place; those that read the same events are computed together."""
    together: dict[tuple[str, bool, int], dict[str, WindowFeature]] = {}
    for place, variant in enumerate(variants):
        group = together.setdefault((variant.kept, variant.blind, variant.feature.window.delay), {})
        group[f"v{place}"] = replace(variant.feature, name=f"v{place}")
    keys = {key: requests.column(f"key.{key}") for key in traced.keys}
    for (kept, blind, _), features in together.items():
        known = f" REPLACE ({EVENT} AS {CREATED})" if blind else ""
        events = f"(SELECT *{known} FROM {_EVENTS} WHERE {kept})"
        answers = WindowAnswers(_replace_features(windows, list(features.values())), tuple(features), events, 0)
        values = answers.ask(traced.connection, keys, requests.column("as_of"))
        yield from ((int(name[1:]), values.column(name)) for name in features)


def _mark(
    traced: TracedView, windows: Windows, variant: Variant, name: str, formed: str, requests: pa.Table, least: float
) -> None:
    """Give the mismatches that a variant explains its form, where it explains the least share of them."""
    ((_, values),) = _compute(traced, windows, [variant], requests)
    kind, connection = traced.kind(name), traced.connection
    connection.register(_TABLE, requests.append_column("value", values))
    given = f"{alike('value', kind)} = {alike('served', kind)}"
    found = f"SELECT file, row FROM {_TABLE} WHERE {given}"
    (row,) = fetch_all(connection, f"SELECT count(*) FILTER (WHERE {given}) AS given FROM {_TABLE}")
    if row["given"] >= least * requests.num_rows:
        connection.execute(
            f"UPDATE {formed} SET form = {quote_text(variant.form)}, detail = NULL "
            f"WHERE ({FILE}, {ROW}) IN (SELECT (file, row) FROM ({found}))"
        )
    connection.unregister(_TABLE)
    connection.execute(f"DROP TABLE {_EVENTS}")


def _replace_features(windows: Windows, features: Sequence[WindowFeature]) -> Windows:
    """The same windows with other features, however these are called."""
    return replace(windows, _features={str(place): feature for place, feature in enumerate(features)})
