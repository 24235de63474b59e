"""Tiles on disk: what windows keep of their events, in one Parquet file for each period of time.

A backfill looks at all events, and computes anew the tiles of the periods whose events are others than before: what
came since, came late, was corrected or was removed. `tiles.json` says of which events every file was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.engines.windows.duckdb import DIALECT, clean_events, measure_spans
from skewcheck.engines.windows.exact import SUM_BITS, Span
from skewcheck.engines.windows.query import EVENT, key_name, stretch_of
from skewcheck.engines.windows.tiles import TILE, Tiling, write_tiles
from skewcheck.errors import SkewcheckError
from skewcheck.files import place_file, write_text
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.durations import UNITS, parse_duration
from skewcheck.store.repository import Repository
from skewcheck.store.windows import read_events

FORMAT = "skewcheck/tiles/1"
EVENTS_AT_ONCE = 4_000_000
"""Events whose tiles are computed at once, so that memory does not grow with their number."""

PERIOD = "#period"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles as of a backfill.

    Attributes:
        tiling: How the events were cut.
        relation: SQL text of a relation of all tiles.
        computed: The periods whose tiles were computed by this backfill.
        kept: How many periods had the same events as before.
    """

    tiling: Tiling
    relation: str
    computed: tuple[int, ...]
    kept: int


def tiles_folder(repository: Repository, windows: Windows) -> Path:
    """The folder of the tiles of some windows."""
    return repository.root / "data" / "windows" / f"{windows.name}.tiles"


def backfill(
    connection: duckdb.DuckDBPyConnection, repository: Repository, windows: Windows, *, length: str = "1d"
) -> Tiles:
    """Bring the tiles of some windows up to date with their events.

    Args:
        connection: The engine; it must read times as UTC.
        repository: The feature repo.
        windows: The windows.
        length: How long a tile is. A value merges the tiles of its window, and reads the events of the two at its
            edges, so a tile is best a small part of the windows.

    Raises:
        ValueError: The length is no duration.
        SkewcheckError: The events cannot be read as they are declared.
    """
    cut = parse_duration(length)
    events, folder = read_events(connection, repository, windows), tiles_folder(repository, windows)
    try:
        spans = measure_spans(connection, windows.features, clean_events(windows, windows.features, events))
        periods = _describe_periods(connection, windows, events, cut)
    except duckdb.Error as error:
        raise SkewcheckError(
            f"the events {windows.events.name} could not be read: {str(error).splitlines()[0]}",
            remedy="Check their source in features/: its path, and that all its files have the same columns.",
        ) from error
    head = {"format": FORMAT, "definition": windows.definition, "length": cut, "engine": duckdb.__version__}
    before = _read_content(folder)
    known = {name: Span(*values) for name, values in before.get("spans", {}).items()}
    same = all(before.get(name) == value for name, value in head.items())
    if same and set(known) == set(spans) and all(known[name].covers(span) for name, span in spans.items()):
        spans, made = known, dict(before["periods"])
    else:
        spans, made = {name: _with_room(span) for name, span in spans.items()}, {}
    tiling = Tiling(windows, cut, spans)
    changed = [period for period, digest in periods.items() if made.get(str(period)) != digest]
    _compute_periods(connection, tiling, events, folder, {period: periods[period][0] for period in changed})
    for path in folder.glob("*.parquet"):
        if path.stem not in {str(period) for period in periods}:
            path.unlink()
    content = {**head, "spans": {name: list(asdict(span).values()) for name, span in spans.items()}, "periods": periods}
    write_text(folder / "tiles.json", json.dumps(content, indent=1) + "\n")
    relation = f"read_parquet({quote_text(escape_glob(str(folder)) + '/*.parquet')})"
    if not periods:
        relation = f"({write_tiles(tiling, events)})"
    return Tiles(tiling, relation, tuple(changed), len(periods) - len(changed))


def _describe_periods(
    connection: duckdb.DuckDBPyConnection, windows: Windows, events: str, length: int
) -> dict[int, list[Any]]:
    """For each period with events how many there are, and a digest that any change of them moves."""
    cleaned = clean_events(windows, windows.features, events)
    period = _period(length)
    rows = connection.execute(
        f"SELECT {period} AS period, count(*), CAST(sum(hash(events)) AS VARCHAR) FROM {cleaned} AS events "
        "GROUP BY period ORDER BY period"
    ).fetchall()
    return {period: [count, digest] for period, count, digest in rows}


def _period(length: int) -> str:
    """SQL text of the number of the period of an event: a day, or a tile where that is longer."""
    tile = stretch_of(DIALECT, quote_name(EVENT), length)
    return DIALECT.quotient.format(tile, max(1, UNITS["d"] // length))


def _compute_periods(
    connection: duckdb.DuckDBPyConnection, tiling: Tiling, events: str, folder: Path, counts: Mapping[int, int]
) -> None:
    """Write the tiles of some periods, a file for each."""
    waiting = sorted(counts)
    while waiting:
        together = [waiting.pop(0)]
        size = counts[together[0]]
        while waiting and size + counts[waiting[0]] <= EVENTS_AT_ONCE:
            size += counts[waiting[0]]
            together.append(waiting.pop(0))
        span = f"{_period(tiling.length)} BETWEEN {together[0]} AND {together[-1]}"
        some = f"(SELECT * FROM {events} WHERE {span})"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE skewcheck_tiles AS {write_tiles(tiling, some)}")
        per_period = max(1, UNITS["d"] // tiling.length)
        for period in together:
            with place_file(folder / f"{period}.parquet") as path:
                order = ", ".join(quote_name(key_name(key)) for key in tiling.windows.events.keys)
                connection.execute(
                    f"COPY (FROM skewcheck_tiles WHERE {quote_name(TILE)} // {per_period} = {period} ORDER BY {order}, "
                    f"{quote_name(TILE)}) TO {quote_text(str(path))} (FORMAT parquet)"
                )
        connection.execute("DROP TABLE skewcheck_tiles")


def _with_room(span: Span) -> Span:
    """A span that will hold numbers to come too, where one digit is still enough for it."""
    wider = Span(max(span.low - 4, -1074), min(span.high + 4, 1024), max(span.count, 1) * 16)
    return wider if wider.high - wider.low + wider.count.bit_length() <= SUM_BITS else span


def _read_content(folder: Path) -> dict[str, Any]:
    """What was written about the tiles that are there; nothing where that cannot be read."""
    try:
        content = json.loads((folder / "tiles.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    content["periods"] = {
        period: digest
        for period, digest in content.get("periods", {}).items()
        if (folder / f"{period}.parquet").is_file()
    }
    return content
