"""Tiles in DuckDB: what is kept of a key's events in a stretch of time, computed once and merged by many requests.

A tile stands for its events at an instant where all of them count: none is too old for the window, and all are known.
Of the tiles that the window cuts, or that have an event which is not yet known, the events themselves are read. So
values from tiles are exact, and the same as without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from skewcheck.engines.sql import quote_name
from skewcheck.engines.windows.duckdb import DIALECT, clean_events, finish
from skewcheck.engines.windows.exact import Span
from skewcheck.engines.windows.layout import Kept, Layout, lay_out
from skewcheck.engines.windows.query import (
    AHEAD,
    AT,
    BEGIN,
    EVENT,
    PLACE,
    gather,
    join_requests,
    key_name,
    prepare_events,
    stretch_of,
)
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.parts import Count, Distinct, Extremes, Sketch, Total

TILE, KNOWN = "#tile", "#known"
"""Of a tile its number, and the instant from which on all of its events count."""


@dataclass(frozen=True)
class Tiling:
    """How a group of windows is cut into tiles.

    Attributes:
        windows: The windows.
        length: The microseconds of a tile.
        spans: For each Float64 column that is summed the span of the numbers that tiles can hold.
    """

    windows: Windows
    length: int
    spans: Mapping[str, Span]

    @property
    def layout(self) -> Layout:
        """What a tile keeps, for all windows alike."""
        return _without_reach(lay_out(self.windows.features, self.spans, one_digit=True))

    @property
    def delay(self) -> int:
        """Microseconds from an event time to the first instant at which the event can count."""
        return self.windows.features[0].window.delay


def write_tiles(tiling: Tiling, events: str) -> str:
    """A SELECT of the tiles of some events: the keys, `TILE`, `KNOWN` and the columns of everything that is kept.

    Args:
        tiling: How they are cut.
        events: SQL text of a relation as `compute_windows` takes it.
    """
    keys, kept = list(tiling.windows.events.keys), tiling.layout.kept
    cleaned = clean_events(tiling.windows, tiling.windows.features, events)
    prepared = prepare_events(DIALECT, kept, keys, tiling.delay, cleaned)
    names = [quote_name(key_name(key)) for key in keys]
    columns = []
    for one in kept:
        texts = gather(DIALECT, one)
        columns += [f"{_stored(one, text)} AS {quote_name(name)}" for text, name in zip(texts, one.names, strict=True)]
    tile = stretch_of(DIALECT, quote_name(EVENT), tiling.length)
    return (
        f"SELECT {', '.join(names)}, {tile} AS {quote_name(TILE)}, max({quote_name(BEGIN)}) AS {quote_name(KNOWN)}, "
        f"{', '.join(columns)} FROM ({prepared}) GROUP BY ALL"
    )


def compute_from_tiles(
    connection: duckdb.DuckDBPyConnection,
    tiling: Tiling,
    names: Sequence[str],
    *,
    tiles: str,
    events: str,
    requests: str,
) -> pa.Table:
    """The values of windowed features for requests, as `compute_windows` gives them.

    Args:
        connection: The engine.
        tiling: How the events were cut.
        names: The features to compute.
        tiles: SQL text of a relation of the tiles of all events.
        events: SQL text of a relation as `compute_windows` takes it, of the same events.
        requests: SQL text of a relation as `compute_windows` takes it.
    """
    windows = tiling.windows
    features = [feature for feature in windows.features if feature.name in names]
    layout = lay_out(features, tiling.spans, one_digit=True)
    keys = list(windows.events.keys)
    cleaned = clean_events(windows, features, events)
    asked = " AND ".join(f"requests.{quote_name(key_name(key))} IS NOT NULL" for key in keys)
    columns = [
        f"requests.{quote_name(PLACE)}",
        f"CASE WHEN {asked} THEN requests.{quote_name(AT)} END AS {quote_name(AT)}",
    ]
    relations = [f"FROM {requests} AS requests"]
    for number, reach in enumerate(dict.fromkeys(one.reach for one in layout.kept)):
        group = [one for one in layout.kept if one.reach == reach]
        merged = _merge_by_request(tiling, group, tiles, cleaned, requests)
        table = f"window_{number}"
        relations.append(
            f"LEFT JOIN ({merged}) AS {table} ON {table}.{quote_name(PLACE)} = requests.{quote_name(PLACE)}"
        )
        columns += [f"{table}.{quote_name(name)}" for one in group for name in one.names]
    parts = f"SELECT {', '.join(columns)} {' '.join(relations)}"
    return finish(connection, features, layout, parts).select(list(names))


def _merge_by_request(tiling: Tiling, group: Sequence[Kept], tiles: str, events: str, requests: str) -> str:
    """A SELECT of what is kept for each request over one window, from whole tiles and from the events of the others."""
    place, at, known, event = (quote_name(name) for name in (PLACE, AT, KNOWN, EVENT))
    reach = group[0].reach
    dated = f"SELECT *, {quote_name(TILE)} * {tiling.length} - {AHEAD} AS {event} FROM {tiles}"
    # A tile that the window cuts begins before the window, by less than a tile.
    longest = None if reach is None else reach + tiling.length
    keys = list(tiling.windows.events.keys)
    paired = join_requests(DIALECT, keys, dated, requests, longest, f"events.{event} <= requests.{at}")
    whole = f"{known} <= {at}" + ("" if reach is None else f" AND {at} - {event} < {reach}")
    merged = [
        f"{_merge(one).format(quote_name(name), getattr(one.part, 'size', None))} AS {quote_name(name)}"
        for one in group
        for name in one.names
    ]
    return (
        f"WITH paired AS ({paired}) SELECT {place}, {', '.join(merged)} FROM ({_read_tiles(tiling, group, whole)} "
        f"UNION ALL BY NAME {_read_events(tiling, group, whole, events)}) GROUP BY {place}"
    )


def _read_tiles(tiling: Tiling, group: Sequence[Kept], whole: str) -> str:
    """A SELECT of what is kept of the tiles that stand for their events."""
    stored = {_identity(one): one.names for one in tiling.layout.kept}
    columns = [
        f"{_read(one, quote_name(old))} AS {quote_name(name)}"
        for one in group
        for old, name in zip(stored[_identity(one)], one.names, strict=True)
    ]
    return f"SELECT {quote_name(PLACE)}, {', '.join(columns)} FROM paired WHERE {whole}"


def _read_events(tiling: Tiling, group: Sequence[Kept], whole: str, events: str) -> str:
    """A SELECT of what is kept of the events that count, of tiles that do not stand for theirs."""
    place, at, event, tile = (quote_name(name) for name in (PLACE, AT, EVENT, TILE))
    keys = list(tiling.windows.events.keys)
    shared = ", ".join([*(quote_name(key_name(key)) for key in keys), tile])
    prepared = prepare_events(DIALECT, group, keys, tiling.delay, events)
    numbered = f"SELECT *, {stretch_of(DIALECT, event, tiling.length)} AS {tile} FROM ({prepared})"
    reach = group[0].reach
    counts = f"events.{quote_name(BEGIN)} <= cut.{at}"
    if reach is not None:
        counts += f" AND cut.{at} - events.{event} < {reach}"
    columns = [
        f"{text} AS {quote_name(name)}"
        for one in group
        for text, name in zip(gather(DIALECT, one), one.names, strict=True)
    ]
    return (
        f"SELECT {place}, {', '.join(columns)} FROM (SELECT cut.{place}, events.* FROM (SELECT {place}, {at}, {shared} "
        f"FROM paired WHERE NOT ({whole})) AS cut JOIN ({numbered}) AS events USING ({shared}) WHERE {counts}) "
        f"GROUP BY {place}"
    )


def _merge(kept: Kept) -> str:
    """The aggregate that merges a part."""
    part = kept.part
    if isinstance(part, Count):
        return "CAST(sum({0}) AS BIGINT)"
    if isinstance(part, Total) and not kept.as_values:
        return "sum({0})"
    everything = "flatten(list({0}) FILTER (WHERE {0} IS NOT NULL))"
    if isinstance(part, Extremes):
        if part.size == 1:
            return "max({0})" if part.greatest else "min({0})"
        return f"list_slice({'list_reverse_sort' if part.greatest else 'list_sort'}({everything}), 1, {{1}})"
    if isinstance(part, Sketch):
        return f"list_slice(list_sort(list_distinct({everything})), 1, {{1}})"
    return f"list_distinct({everything})" if isinstance(part, Distinct) else everything


def _stored(kept: Kept, text: str) -> str:
    """A part as a file holds it: Parquet knows numbers of 128 bits as decimals alone."""
    return f"CAST({text} AS DECIMAL(38, 0))" if isinstance(kept.part, Total) and not kept.as_values else text


def _read(kept: Kept, text: str) -> str:
    return f"CAST({text} AS HUGEINT)" if isinstance(kept.part, Total) and not kept.as_values else text


def _identity(kept: Kept) -> object:
    return kept.part, kept.column


def _without_reach(layout: Layout) -> Layout:
    """Every part of every column once."""
    kept: dict[object, Kept] = {}
    for one in layout.kept:
        if _identity(one) not in kept:
            names = tuple(f"#{len(kept)}_{place}" for place in range(len(one.names)))
            kept[_identity(one)] = replace(one, reach=None, names=names)
    of = {name: tuple(kept[_identity(one)] for one in own) for name, own in layout.of.items()}
    return Layout(tuple(kept.values()), of)
