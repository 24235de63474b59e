"""Windows in Feast: the values of every key as of an instant, for a view that serves them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name
from skewcheck.engines.windows.duckdb import compute_windows
from skewcheck.engines.windows.query import AT, CREATED, EVENT, PLACE, key_name
from skewcheck.engines.windows.tiles import compute_from_tiles
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.files import place_file
from skewcheck.language.windows.declaration import Windows
from skewcheck.store.repository import Repository
from skewcheck.store.tiles import Tiles, backfill, tiles_folder
from skewcheck.store.windows import BATCH, read_events

TIMESTAMP = "event_timestamp"


def materialise(repository: Repository, windows: Windows, at: datetime, *, tile: str | None = None) -> int:
    """Write the values of every key as of an instant to the file behind the windows' Feast view.

    Every key that ever had an event is written, so that a value whose window has become empty is overwritten too.
    `feast materialize` brings the file to the online store.

    Args:
        repository: The feature repo.
        windows: The windows.
        at: The instant.
        tile: How long tiles are, where the values are to come from tiles, which are brought up to date first.

    Returns:
        How many keys there are.

    Raises:
        UsageError: The instant has no time zone, or the file cannot be written.
        SkewcheckError: The events cannot be read as they are declared.
    """
    path = repository.root / windows.path
    count = 0
    with place_file(path) as beside, contextlib.ExitStack() as stack:
        writer = None
        for values in compute_values(repository, windows, at, tile=tile):
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(beside, values.schema))
            writer.write_table(values)
            count += values.num_rows
    return count


def publish(repository: Repository, windows: Windows, at: datetime, *, tile: str | None = None) -> int:
    """Write the values of every key as of an instant to Feast's online store.

    The service must have been registered with `skewcheck apply`.

    Args:
        repository: The feature repo.
        windows: The windows.
        at: The instant.
        tile: As for `materialise`.

    Returns:
        How many keys there are.

    Raises:
        UsageError: The instant has no time zone.
        SkewcheckError: The events cannot be read as they are declared, the windows are not registered, or Feast refuses
            the values.
    """
    from feast import FeatureStore

    count = 0
    with contextlib.chdir(repository.root):
        store = FeatureStore(repo_path=str(repository.root))
        if windows.view.name not in {view.name for view in store.list_feature_views()}:
            raise SkewcheckError(
                f"windows {windows.name} are not in Feast's registry",
                remedy="Register their service with `skewcheck apply` first.",
            )
        for values in compute_values(repository, windows, at, tile=tile):
            _write(store, windows, values)
            count += values.num_rows
    return count


def push(store: Any, windows: Windows, keys: Mapping[str, Any], values: Mapping[str, Any], at: datetime) -> None:
    """Write one key's values to Feast's online store, such as those that an updater gives after an event.

    Args:
        store: The Feast store.
        windows: The windows.
        keys: The join keys.
        values: What the updater's `values_at` gave.
        at: The instant that it was asked for.

    Raises:
        SkewcheckError: Feast refuses the values.
    """
    columns = {name: pa.array([keys[name]], ARROW_TYPES[str(type_)]) for name, type_ in windows.events.keys.items()}
    columns |= {
        feature.name: pa.array([values[feature.name]], ARROW_TYPES[feature.type.name]) for feature in windows.features
    }
    _write(store, windows, pa.table({**columns, TIMESTAMP: pa.array([at], pa.timestamp("us", tz="UTC"))}))


def compute_values(
    repository: Repository, windows: Windows, at: datetime, *, tile: str | None = None
) -> Iterator[pa.Table]:
    """The values of every key as of an instant, in batches: the join keys, the features and `event_timestamp`.

    Raises:
        UsageError: The instant has no time zone.
        SkewcheckError: The events cannot be read as they are declared.
    """
    if at.tzinfo is None:
        raise UsageError(f"{at} has no time zone", remedy="Attach one, such as datetime.UTC.")
    instant = (at - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution
    names, keys = [feature.name for feature in windows.features], list(windows.events.keys)
    columns = ", ".join(quote_name(key_name(key)) for key in keys)
    with open_session() as connection:
        tiles = None if tile is None else backfill(connection, repository, windows, length=tile)
        events = read_events(connection, repository, windows)
        known = f"{quote_name(EVENT)} <= {instant} AND {quote_name(CREATED)} <= {instant}"
        connection.execute(
            f"CREATE TEMP TABLE skewcheck_keys AS SELECT row_number() OVER () - 1 AS {quote_name(PLACE)}, *, "
            f"CAST({instant} AS BIGINT) AS {quote_name(AT)} "
            f"FROM (SELECT DISTINCT {columns} FROM {events} WHERE {known})"
        )
        row = connection.execute("SELECT count(*) FROM skewcheck_keys").fetchone()
        for start in range(0, max(row[0] if row else 0, 1), BATCH):
            place = quote_name(PLACE)
            some = f"(SELECT * FROM skewcheck_keys WHERE {place} >= {start} AND {place} < {start + BATCH})"
            try:
                values = _compute(connection, windows, names, tiles, events, some)
            except duckdb.Error as error:
                folder = tiles_folder(repository, windows).relative_to(repository.root)
                cause = f"the tiles in {folder}" if tiles else f"the events {windows.events.name}"
                raise SkewcheckError(
                    f"{cause} could not be read: {str(error).splitlines()[0]}",
                    remedy="Remove that folder: tiles are computed anew."
                    if tiles
                    else "Check their source in features/.",
                ) from error
            asked = connection.execute(f"SELECT {columns} FROM {some} AS asked ORDER BY {place}").to_arrow_table()
            named = asked.rename_columns(keys)
            for name in names:
                named = named.append_column(name, values.column(name))
            stamps = pa.array([instant] * named.num_rows, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
            yield named.append_column(TIMESTAMP, stamps)


def _compute(
    connection: duckdb.DuckDBPyConnection,
    windows: Windows,
    names: Sequence[str],
    tiles: Tiles | None,
    events: str,
    requests: str,
) -> pa.Table:
    if tiles is None:
        return compute_windows(connection, windows, names, events=events, requests=requests)
    return compute_from_tiles(connection, tiles.tiling, names, tiles=tiles.relation, events=events, requests=requests)


def _write(store: Any, windows: Windows, values: pa.Table) -> None:
    names = [feature.name for feature in windows.features]
    if values.num_rows and all(values.column(name).null_count == values.num_rows for name in names):
        raise SkewcheckError(
            f"every value of windows {windows.name} is missing, and Feast leaves such rows out: the values of before "
            "would still be served",
            remedy="Declare a count among the windows' features, which is never missing.",
        )
    import pandas as pd

    types = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame = values.to_pandas(types_mapper=types.get)
    try:
        store.write_to_online_store(windows.view.name, frame)
    except Exception as error:
        raise SkewcheckError(
            f"Feast refused the values of windows {windows.name}: {type(error).__name__}: {error}",
            remedy="Check the online_store in feature_store.yaml; where the windows changed, run `skewcheck apply`.",
        ) from error
