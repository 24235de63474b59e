"""The cuts of a replay, as SQL relations over a log.

The generated query adds the features to a relation called `inputs`. Run over the logged inputs it gives the transform
cut; run once more with the store's columns as the point-in-time join gives them, it gives the other two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.generate.manifest import Manifest
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.comparison import Sides

FILE, ROW, FOUND = '"log.file"', '"log.row"', '"log.found"'
"""The place of a logged row: its file's place in the log, and its own in the file; and whether the store answered
for it. No input's name has a dot."""


def read_files(files: Sequence[Path]) -> str:
    """SQL text of a log's files as one relation, with the place of every row.

    The paths are made absolute: a working directory may change while the relation is read.
    """
    paths = ", ".join(quote_text(escape_glob(str(path.absolute()))) for path in files)
    return (
        f"(SELECT file_index AS {FILE}, file_row_number AS {ROW}, * FROM read_parquet([{paths}], "
        "union_by_name = true, hive_partitioning = false))"
    )


def name_extra(name: str) -> str:
    """A column that only filters read, apart from a feature of that name."""
    return quote_name(f"extra.{name}")


def transform_relation(log: str, columns: LogColumns, manifest: Manifest, query: str) -> str:
    """Per logged row: the request, its inputs, "served.<feature>" and "transform.<feature>"."""
    return _apply(query, _logged(log, columns), manifest, "transform.")


def logged_relation(log: str, columns: LogColumns) -> str:
    """The log's rows with the names that the generated query expects, and "key.<name>" beside them."""
    keys = [f"{text} AS {quote_name(f'key.{name}')}" for name, text in columns.keys.items()]
    return _logged(log, columns, keys)


def point_in_time_relation(manifest: Manifest, query: str, retrieved: str, store: Sequence[str]) -> str:
    """The same, and beside it the store's columns at the time, "logged.<column>" and "training.<feature>".

    Args:
        manifest: The service.
        query: The generated query.
        retrieved: A relation with the columns of `logged_relation`, `FOUND`, and the store's columns at the time as
            "retrieved.<column>".
        store: The names of the store's columns.
    """
    transformed = _apply(query, f"FROM {retrieved}", manifest, "transform.")
    exclude = ", ".join(quote_name(name) for column in store for name in (column, f"retrieved.{column}"))
    now_logged = ", ".join(
        [f"{quote_name(f'retrieved.{name}')} AS {quote_name(name)}" for name in store]
        + [f"{quote_name(name)} AS {quote_name(f'logged.{name}')}" for name in store]
    )
    joined = f"SELECT * EXCLUDE ({exclude}), {now_logged} FROM ({transformed}) WHERE {FOUND}"
    return _apply(query, joined, manifest, "training.")


def transform_sides(manifest: Manifest, columns: LogColumns, tolerance: float) -> list[Sides]:
    """Served against transformed."""
    return _sides(manifest, columns, tolerance, "transform", "served.", "transform.")


def point_in_time_sides(manifest: Manifest, columns: LogColumns, tolerance: float) -> list[Sides]:
    """Retrieval: transformed against trained. End to end: served against trained."""
    return [
        *_sides(manifest, columns, tolerance, "retrieval", "transform.", "training.", tuple(manifest.keys)),
        *_sides(manifest, columns, tolerance, "end_to_end", "served.", "training.", tuple(manifest.keys)),
    ]


def column_sides(manifest: Manifest, columns: LogColumns) -> list[Sides]:
    """For every column of the store: as logged against as at the time."""
    return [
        Sides(
            column.name,
            "retrieval",
            f"logged.{column.name}",
            column.name,
            column.type,
            applies=_known(columns, (column.name, *manifest.keys)),
        )
        for column in manifest.columns
        if column.role == "store"
    ]


def _known(columns: LogColumns, names: Iterable[str]) -> str:
    """SQL text that is True for the rows of files that have all of some columns; empty where every file has them."""
    lacking = ", ".join(map(str, columns.without(names)))
    return f"{FILE} NOT IN ({lacking})" if lacking else ""


def _logged(log: str, columns: LogColumns, beside: Iterable[str] = ()) -> str:
    """The log's rows with the names that the generated query expects."""
    request_id = columns.request_id or "CAST(NULL AS VARCHAR)"
    requested_at = columns.requested_at or "CAST(NULL AS TIMESTAMPTZ)"
    selected = [
        FILE,
        ROW,
        f'{request_id} AS "log.request_id"',
        f'{requested_at} AS "log.requested_at"',
        *(f"{text} AS {quote_name(name)}" for name, text in columns.inputs.items()),
        *(f"{text} AS {quote_name(f'served.{name}')}" for name, text in columns.served.items()),
        *(f"{text} AS {name_extra(name)}" for name, text in columns.extra.items()),
        *beside,
    ]
    return f"SELECT {', '.join(selected)} FROM {log}"


def _apply(query: str, inputs: str, manifest: Manifest, prefix: str) -> str:
    """The generated query over some inputs, its features under prefixed names."""
    names = [feature.name for feature in manifest.features]
    renamed = ", ".join(f"{quote_name(name)} AS {quote_name(prefix + name)}" for name in names)
    return f"WITH inputs AS NOT MATERIALIZED ({inputs}) SELECT * RENAME ({renamed}) FROM ({query})"


def _sides(
    manifest: Manifest,
    columns: LogColumns,
    tolerance: float,
    stage: str,
    served: str,
    replayed: str,
    keys: tuple[str, ...] = (),
) -> list[Sides]:
    return [
        Sides(
            feature.name,
            stage,
            f"{served}{feature.name}",
            f"{replayed}{feature.name}",
            feature.type,
            max(tolerance, feature.tolerance),
            {name: name for name in feature.reads},
            _known(columns, (feature.name, *feature.reads, *keys)),
        )
        for feature in manifest.features
        if feature.name in columns.served
    ]
