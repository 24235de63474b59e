"""Point-in-time retrieval: what the training path reads from the store for a key at an instant.

Feast does the join, as known at the time (a row counts once it was created), on a registry of its own that lasts for
the call, so that nothing has to be applied before and nothing is changed. Rows keep their order and number; columns
have the declared types.
"""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skewcheck.errors import SkewcheckError
from skewcheck.language.declaration import Service
from skewcheck.language.types import Type
from skewcheck.store.repository import Repository

ROW = "skewcheck_row"
"""The column that carries a row's place through the join."""

ARROW_TYPES = {
    "Float64": pa.float64(),
    "Int64": pa.int64(),
    "Bool": pa.bool_(),
    "String": pa.string(),
    "Timestamp": pa.timestamp("us", tz="UTC"),
    "Vector": pa.list_(pa.float64()),
}


def retrieve(
    repository: Repository,
    service: Service,
    columns: Mapping[str, Sequence[str]],
    entities: pa.Table,
    timestamp: str,
) -> tuple[pa.Table, pa.Array]:
    """The store's values for rows of join keys and instants.

    Args:
        repository: The feature repo.
        service: The service whose views are read.
        columns: The columns to read of each view, by the view's name.
        entities: A table with the join keys and the instant.
        timestamp: The column with the instant.

    Returns:
        The columns, a row for each row of `entities` in its order, and for each row whether the join returned it.

    Raises:
        SkewcheckError: A key or the instant is not in the table, or the store fails.
    """
    views = {view.name: view for view in service.sources.views if columns.get(view.name)}
    keys = list(dict.fromkeys(key for view in views.values() for key in repository.keys(view)))
    names = [name for view in views for name in columns[view]]
    types = {name: service.sources.columns[name].type for name in names}
    if not views or entities.num_rows == 0:
        return pa.table({name: pa.nulls(entities.num_rows, arrow_type(types[name])) for name in names}), pa.array(
            [True] * entities.num_rows
        )
    if absent := [name for name in (*keys, timestamp) if name not in entities.column_names]:
        raise SkewcheckError(
            f"the rows to retrieve for lack {', '.join(absent)}",
            remedy="Give the join keys and the time of the request.",
        )
    found = _join(repository, views, columns, entities, keys, timestamp)
    place = pc.index_in(pa.array(range(entities.num_rows)), value_set=found.column(ROW).combine_chunks())
    table = pa.table(
        {name: _cast(found.column(name).combine_chunks().take(place), arrow_type(types[name]), name) for name in names}
    )
    return table, pc.is_valid(place)


def arrow_type(type_: Type) -> pa.DataType:
    """The Arrow type of a type."""
    return ARROW_TYPES[type_.name]


def _join(
    repository: Repository,
    views: Mapping[str, Any],
    columns: Mapping[str, Sequence[str]],
    entities: pa.Table,
    keys: Sequence[str],
    timestamp: str,
) -> pa.Table:
    """Feast's point-in-time join; a table with ROW and the columns, in any order."""
    import pandas as pd

    # One null would make floats of all whole numbers, and one key of two that differ by 1 beyond 2^53.
    frame = entities.select([*keys, timestamp]).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    frame = frame.rename(columns={timestamp: "event_timestamp"})
    frame[ROW] = range(len(frame))
    frame = frame[frame["event_timestamp"].notna()]
    # The DuckDB store reads a source's path relative to the working directory.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(repository.root):
        store = _temporary_store(repository, Path(folder), views.values())
        try:
            job = store.get_historical_features(
                entity_df=frame,
                features=[f"{view}:{name}" for view in views for name in columns[view]],
                filter_by_created_timestamp=True,
            )
            found = job.to_arrow()
        except Exception as error:
            raise SkewcheckError(
                f"the offline store could not be read: {type(error).__name__}: {error}",
                remedy="Check the sources in features/ and the offline_store in feature_store.yaml.",
            ) from error
    rows = found.column(ROW)
    if pc.count_distinct(rows).as_py() != len(rows):
        raise SkewcheckError(
            f"the point-in-time join returned {len(rows):,} rows for {pc.count_distinct(rows).as_py():,} requests",
            remedy="A view has several rows for one key and instant; add a created timestamp to its source.",
        )
    return found


def _temporary_store(repository: Repository, folder: Path, views: Iterable[Any]) -> Any:
    """A Feast store with the repository's offline store, and a registry and online store of its own."""
    import yaml
    from feast import FeatureStore

    settings = yaml.safe_load((repository.root / "feature_store.yaml").read_text(encoding="utf-8"))
    settings["registry"] = {
        "registry_type": "file",
        "path": str(folder / "registry.db"),
        "cache_ttl_seconds": 3600,
    }
    settings["online_store"] = {"type": "sqlite", "path": str(folder / "online.db")}
    beside = folder / "feature_store.yaml"
    beside.write_text(yaml.safe_dump(settings), encoding="utf-8")
    store = FeatureStore(repo_path=str(repository.root), fs_yaml_file=beside)
    wanted = list(views)
    entities = {name: repository.entities[name] for view in wanted for name in view.entities}
    store.apply([*entities.values(), *copy.deepcopy(wanted)])
    for view in store.list_feature_views():
        # Without its keys Feast would join a view on time alone, and say nothing.
        if len(view.entity_columns) != len(view.entities):
            raise SkewcheckError(f"view {view.name} has lost its join keys", remedy="Give its entities a value_type.")
    return store


def _cast(values: pa.Array, type_: pa.DataType, name: str) -> pa.Array:
    try:
        if pa.types.is_floating(values.type) and pa.types.is_integer(type_):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        if pa.types.is_timestamp(values.type) and values.type.tz is None and pa.types.is_timestamp(type_):
            values = values.cast(pa.timestamp("us")).cast(pa.int64()).cast(type_)
        return values.cast(type_)
    except pa.ArrowInvalid as error:
        raise SkewcheckError(
            f"column {name} of the offline store does not fit its declared type {type_}: {error}",
            remedy="Declare the type that the source has.",
        ) from error
