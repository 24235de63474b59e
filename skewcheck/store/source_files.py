"""The Parquet files behind a view: where they are, what their columns are called, and when their rows were known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from skewcheck.engines.sql import escape_glob, quote_name, quote_text
from skewcheck.errors import SkewcheckError
from skewcheck.store.repository import Repository

STORES = ("duckdb", "dask", "file")
"""The offline stores of Feast that read files."""

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files of a source.

    Attributes:
        relation: SQL text of a relation with all their rows.
        columns: For each name after the source's field mapping, the column that it stands for and its type.
        keys: The join keys.
        event: SQL text of the event time, in microseconds since 1970.
        created: The same of the created time, None where the source has none.
    """

    relation: str
    columns: Mapping[str, tuple[str, str]]
    keys: tuple[str, ...]
    event: str
    created: str | None


def can_join(view: Any, repository: Repository) -> bool:
    """Whether the join here can stand in for Feast's: Parquet files on a local path, and nothing else behind a view."""
    source = view.batch_source
    return (
        type(view).__name__ == "FeatureView"
        and not getattr(view, "source_views", None)
        and not view.projection.join_key_map
        and type(source).__name__ == "FileSource"
        and type(source.file_format).__name__ in {"NoneType", "ParquetFormat"}
        and "://" not in source.path
        and _offline_store(repository) in STORES
    )


def open_source(
    connection: duckdb.DuckDBPyConnection, repository: Repository, view: Any, columns: Sequence[str] = ()
) -> SourceFiles:
    """The files of a view, after a look at their columns; no row is read yet.

    Args:
        connection: The engine; it must read times as UTC.
        repository: The feature repo.
        view: A view that `can_join` accepts.
        columns: Columns that must be there, beside the join keys and the times.

    Raises:
        SkewcheckError: A file or a column is missing, a name stands for two columns, or a time is no timestamp.
    """
    source = view.batch_source
    files = _scan(repository, source.path)
    named = _name_columns(view, _describe_source(connection, view, files))
    keys = tuple(repository.keys(view))
    created = source.created_timestamp_column or None
    for name in (*keys, *columns, source.timestamp_field, *([created] if created else [])):
        if name not in named:
            raise SkewcheckError(
                f"the offline store could not be read: {_call(view)} needs the column {name!r}, and its source "
                f"{source.path} has {', '.join(sorted(named))}",
                remedy="Correct the view's schema, its join keys or the source's field_mapping, or add the column.",
            )
    event = _instant(view, named, source.timestamp_field)
    return SourceFiles(files, named, keys, event, _instant(view, named, created) if created else None)


def describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The type of each column of a relation."""
    return {name: type_ for name, type_, *_ in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def microseconds(name: str, type_: str) -> str:
    """Microseconds since 1970, further digits cut off; a time without a zone is UTC."""
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({quote_name(name)})"
    # Text may say its zone.
    return f"epoch_us(CAST({quote_name(name)} AS {'TIMESTAMPTZ' if type_ == 'VARCHAR' else 'TIMESTAMP'}))"


def family_of(type_: str) -> str:
    """What values of a type can be compared with."""
    if type_.startswith((*WHOLE, *FRACTIONAL)):
        return "a number"
    return "text" if type_ == "VARCHAR" else type_


def comparable(name: str, type_: str) -> str:
    """A join key as it is compared: of fractional types whole numbers alone, so that no digit is lost."""
    text = quote_name(name)
    if type_.startswith(FRACTIONAL):
        return f"CASE WHEN {text} = trunc({text}) THEN TRY_CAST({text} AS BIGINT) END"
    return text


def _call(view: Any) -> str:
    """What a message calls a view, or what stands for one: "view account", "events payments"."""
    return f"{getattr(view, 'called', 'view')} {view.name}"


def _offline_store(repository: Repository) -> str:
    """The type of the offline store, which is dask where none is named."""
    import yaml  # comes with Feast

    settings = yaml.safe_load((repository.root / "feature_store.yaml").read_text(encoding="utf-8"))
    store = settings.get("offline_store", "dask")
    return str(store.get("type", "dask") if isinstance(store, dict) else store)


def _scan(repository: Repository, path: str) -> str:
    """The files of a source, whose path may be a pattern or a folder, from the repository on."""
    within = path if path.startswith("/") else f"{escape_glob(str(repository.root.absolute()))}/{path}"
    return f"read_parquet({quote_text(within)})"


def _describe_source(connection: duckdb.DuckDBPyConnection, view: Any, files: str) -> dict[str, str]:
    try:
        return describe(connection, files)
    except duckdb.Error as error:
        raise SkewcheckError(
            f"the offline store could not be read: the source {view.batch_source.path} of {_call(view)}: "
            f"{str(error).splitlines()[0]}",
            remedy="Put Parquet files there, or correct the path, which is taken from the feature repo's folder.",
        ) from error


def _name_columns(view: Any, types: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """For each name after the source's field mapping, the column that it stands for and its type."""
    mapping = view.batch_source.field_mapping or {}
    named: dict[str, tuple[str, str]] = {}
    for column, type_ in types.items():
        name = mapping.get(column, column)
        if name in named:
            raise SkewcheckError(
                f"the offline store could not be read: {name!r} of {_call(view)} stands for two columns of "
                f"{view.batch_source.path}: {named[name][0]} and {column}",
                remedy="Correct the source's field_mapping, or drop one of the columns.",
            )
        named[name] = (column, type_)
    return named


def _instant(view: Any, named: Mapping[str, tuple[str, str]], name: str) -> str:
    """SQL text of a time of a source."""
    column, type_ = named[name]
    if not type_.startswith(("TIMESTAMP", "DATE", "VARCHAR")):
        raise SkewcheckError(
            f"the offline store could not be read: the time {name!r} of {_call(view)} is {type_}, and a number does "
            "not say its unit",
            remedy="Write it as timestamp[us, tz=UTC].",
        )
    return microseconds(column, type_)
