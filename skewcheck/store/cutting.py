"""A service's sources without what came later: copies of their files that end at an instant.

The sources are first narrowed to the keys of some requests, so that cutting them again and again costs little.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.session import open_session
from skewcheck.engines.sql import literal_text, quote_text
from skewcheck.language.declaration import Service
from skewcheck.store.as_of import reading_error
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import comparable, describe, open_source
from skewcheck.store.windows import origin_of


@dataclass(frozen=True, slots=True)
class NarrowSources:
    """Sources with no other keys than those of some requests.

    Attributes:
        repository: The feature repo.
        service: The service, its views on narrow files.
        rows: How many rows these files have.
        folder: Where they are.
        connection: The engine that cuts.
    """

    repository: Repository
    service: Service
    rows: int
    folder: Path
    connection: duckdb.DuckDBPyConnection

    def cut(self, instant: int) -> Service:
        """The service over sources without the rows that happened, or were created, after an instant.

        What was cut before is overwritten.

        Args:
            instant: Microseconds since 1970.
        """
        latest = literal_text(instant)
        paths = {}
        for number, view in enumerate(self.service.sources.views):
            source = open_source(self.connection, self.repository, find_origin(self.service, view))
            later = [f"coalesce({time} > {latest}, FALSE)" for time in (source.event, source.created) if time]
            path = self.folder / f"cut_{number}.parquet"
            _copy(self.connection, view, f"SELECT * FROM {source.relation} WHERE NOT ({' OR '.join(later)})", path)
            paths[view.name] = path
        return _move_sources(self.service, self.service.sources.views, paths)


@contextmanager
def narrow_sources(
    repository: Repository, service: Service, views: Sequence[Any], requests: pa.Table
) -> Iterator[NarrowSources]:
    """Copies of views' files with the rows of some requests' keys, for as long as the context lasts.

    Args:
        repository: The feature repo.
        service: The service.
        views: Those of its views that are wanted, all of them windows or such that `can_join` accepts.
        requests: A table with the join keys.

    Raises:
        SkewcheckError: The files of a view cannot be read.
    """
    with TemporaryDirectory() as name, open_session() as connection:
        folder = Path(name)
        connection.register("requests", requests)
        types = describe(connection, "requests")
        paths = {}
        for number, view in enumerate(views):
            source = open_source(connection, repository, find_origin(service, view))
            asked = [
                f"{comparable(*source.columns[key])} IN (SELECT {comparable(key, types[key])} FROM requests)"
                for key in source.keys
            ]
            path = folder / f"narrow_{number}.parquet"
            where = f" WHERE {' AND '.join(asked)}" if asked else ""
            _copy(connection, view, f"SELECT * FROM {source.relation}{where}", path)
            paths[view.name] = path
        rows = sum(pq.read_metadata(path).num_rows for path in paths.values())
        yield NarrowSources(repository, _move_sources(service, views, paths), rows, folder, connection)


def find_origin(service: Service, view: Any) -> Any:
    """What holds the source behind a view, as `open_source` takes it: the view, or the events of its windows."""
    if view.name not in service.sources.windows:
        return view
    return origin_of(service.sources.windows[view.name])


def _copy(connection: duckdb.DuckDBPyConnection, view: Any, query: str, path: Path) -> None:
    try:
        connection.execute(f"COPY ({query}) TO {quote_text(str(path))} (FORMAT parquet)")
    except duckdb.Error as error:
        raise reading_error(error, [view]) from error


def _move_sources(service: Service, views: Sequence[Any], paths: Mapping[str, Path]) -> Service:
    """The service with no other views than some, on other files."""
    moved = []
    windows = {}
    for view in views:
        if view.name in service.sources.windows:
            one = service.sources.windows[view.name]
            events = dataclasses.replace(one.events, source=_move_source(one.events.source, paths[view.name]))
            windows[view.name] = dataclasses.replace(one, events=events)
            moved.append(view)
        else:
            moved.append(copy.deepcopy(view))
            moved[-1].batch_source = _move_source(view.batch_source, paths[view.name])
    sources = dataclasses.replace(service.sources, views=tuple(moved), windows=windows)
    return dataclasses.replace(service, sources=sources)


def _move_source(source: Any, path: Path) -> Any:
    moved = copy.deepcopy(source)
    moved.file_options.uri = str(path)
    return moved
