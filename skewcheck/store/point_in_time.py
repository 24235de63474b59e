"""Point-in-time retrieval: what the training path reads from the store for a key at an instant.

As known at the time: a row counts once it was created. Views on Parquet files are joined here (`as_of`), others by
Feast, on a registry of its own that lasts for the retrieval, so that nothing has to be applied before and nothing is
changed. Rows keep their order and number; columns have the declared types.
"""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from skewcheck.engines.session import open_session
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.language.declaration import Service
from skewcheck.language.types import Type
from skewcheck.store.as_of import Answers, AsOf, join_as_of, keep_answers, read_answers, reading_error
from skewcheck.store.repository import NO_ENTITY, Repository
from skewcheck.store.source_files import can_join
from skewcheck.store.windows import WindowAnswers, open_windows

ROW = "skewcheck_row"
"""The column that carries a row's place through Feast's join."""

PLACE = "#place"
"""The same through the join here, and while training rows are read."""

ARROW_TYPES = {
    "Float64": pa.float64(),
    "Int64": pa.int64(),
    "Bool": pa.bool_(),
    "String": pa.string(),
    "Timestamp": pa.timestamp("us", tz="UTC"),
    "Vector": pa.list_(pa.float64()),
}


@dataclass
class Retrieval:
    """A service's views, made ready to be asked many times.

    Attributes:
        repository: The feature repo.
        types: For each column to retrieve its type, in the order of the result.
        keys: For each join key that must be given its type.
        connection: The engine of the views that are joined here.
        answers: Those views.
        windows: The windows among the views, which are computed here from their events.
        views: The views that Feast joins.
        columns: The columns to read of each view, by its name.
        folder: Where Feast's registry of the retrieval is.
        delays: For views by name, how much later than it was known every row reached serving. Those of the views that
            are joined here are in `answers` and `windows`.
        as_of: From when on a row counts.
    """

    repository: Repository
    types: Mapping[str, Type]
    keys: Mapping[str, Type]
    connection: duckdb.DuckDBPyConnection
    answers: Sequence[Answers]
    windows: Sequence[WindowAnswers]
    views: Mapping[str, Any]
    columns: Mapping[str, Sequence[str]]
    folder: Path
    delays: Mapping[str, timedelta] = field(default_factory=dict)
    as_of: AsOf = "known"
    _store: Any = field(default=None, init=False)

    def ask(self, entities: pa.Table, timestamp: str) -> tuple[pa.Table, pa.Array]:
        """The store's values for rows of join keys and instants.

        Returns:
            The columns, a row for each row of `entities` in its order, and for each row whether the joins returned it.
            The join here returns every row that has an instant.

        Raises:
            SkewcheckError: A key or the instant is not in the table, or the store fails.
        """
        count = entities.num_rows
        found = pa.array([True] * count, pa.bool_())
        if not (self.answers or self.windows or self.views) or count == 0:
            return pa.table({name: pa.nulls(count, arrow_type(type_)) for name, type_ in self.types.items()}), found
        if absent := [name for name in (*self.keys, timestamp) if name not in entities.column_names]:
            raise SkewcheckError(
                f"the rows to retrieve for lack {', '.join(absent)}",
                remedy="Give the join keys and the time of the request.",
            )
        values: dict[str, pa.Array] = {}
        if self.answers:
            joined = self._join(entities, timestamp)
            values |= {name: joined.column(name).combine_chunks() for name in joined.column_names}
            found = pc.is_valid(entities.column(timestamp)).combine_chunks()
        for windows in self.windows:
            given = {name: entities.column(name) for name in windows.windows.events.keys}
            computed = windows.ask(self.connection, given, entities.column(timestamp))
            values |= {name: computed.column(name).combine_chunks() for name in computed.column_names}
            found = pc.is_valid(entities.column(timestamp)).combine_chunks()
        for delay in dict.fromkeys(self.delays.get(view, timedelta(0)) for view in self.views):
            views = [view for view in self.views if self.delays.get(view, timedelta(0)) == delay]
            joined = self._join_by_feast(views, entities, timestamp, delay)
            place = pc.index_in(number_rows(count), value_set=joined.column(ROW).combine_chunks())
            found = pc.and_(found, pc.is_valid(place))
            names = [name for view in views for name in self.columns[view]]
            values |= {name: joined.column(name).combine_chunks().take(place) for name in names}
        typed = {n: cast_column(values[n], arrow_type(type_), n) for n, type_ in self.types.items()}
        return pa.table(typed), found

    def _join(self, entities: pa.Table, timestamp: str) -> pa.Table:
        """The views joined here, in the order of the rows."""
        given = {PLACE: number_rows(entities.num_rows), timestamp: entities.column(timestamp)}
        given |= {name: _typed(entities.column(name), type_) for name, type_ in self.keys.items()}
        self.connection.register("skewcheck_requests", pa.table(given))
        joined = join_as_of(self.connection, "skewcheck_requests", self.answers, instant=timestamp, carry=[PLACE])
        try:
            found = self.connection.execute(f"SELECT * FROM {joined}").to_arrow_table()
        except duckdb.Error as error:
            raise reading_error(error, self.answers) from error
        finally:
            self.connection.unregister("skewcheck_requests")
        # Putting the rows in order here costs a quarter of what the engine would need for it.
        order = pc.inverse_permutation(found.column(PLACE).combine_chunks())
        names = [name for name in found.column_names if name != PLACE]
        with ThreadPoolExecutor() as pool:
            return pa.table(dict(zip(names, pool.map(lambda name: found.column(name).take(order), names), strict=True)))

    def _join_by_feast(self, views: Sequence[str], entities: pa.Table, timestamp: str, delay: timedelta) -> pa.Table:
        """Feast's point-in-time join at the instants less a delay; a table with ROW and the columns, in any order."""
        import pandas as pd

        # One null would make floats of all whole numbers, and one key of two that differ by 1 beyond 2^53.
        frame = entities.select([*self.keys, timestamp]).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        frame = frame.rename(columns={timestamp: "event_timestamp"})
        frame[ROW] = range(len(frame))
        frame = frame[frame["event_timestamp"].notna()]
        frame["event_timestamp"] -= delay
        # The DuckDB store reads a source's path relative to the working directory.
        with contextlib.chdir(self.repository.root):
            if self._store is None:
                self._store = _temporary_store(self.repository, self.folder, self.views.values())
            try:
                job = self._store.get_historical_features(
                    entity_df=frame,
                    features=[f"{view}:{name}" for view in views for name in self.columns[view]],
                    filter_by_created_timestamp=self.as_of == "known",
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


@contextlib.contextmanager
def open_retrieval(
    repository: Repository,
    service: Service,
    columns: Mapping[str, Sequence[str]],
    *,
    delays: Mapping[str, timedelta] | None = None,
    as_of: AsOf = "known",
    connection: duckdb.DuckDBPyConnection | None = None,
    keep: bool = True,
) -> Iterator[Retrieval]:
    """Make a service's views ready to be asked for many batches of requests.

    Args:
        repository: The feature repo.
        service: The service whose views are read.
        columns: The columns to read of each view, by the view's name.
        delays: For views by name, how much later than it was known every row reached serving.
        as_of: From when on a row counts: once it was created, or ("event") blind to that once it happened, which is
            not what serving knew.
        connection: The engine to join in; one of its own otherwise.
        keep: Whether to read the views' files once, now; otherwise they are read for every batch.

    Raises:
        UsageError: A delay is negative, or of a view that is not there.
        SkewcheckError: The files of a view cannot be read as the view says.
    """
    views = {view.name: view for view in service.sources.views if columns.get(view.name)}
    delays = delays or {}
    windows = {name: one for name, one in service.sources.windows.items() if name in views}
    here = {name for name, view in views.items() if name in windows or can_join(view, repository)}
    _check_delays(delays, {view.name for view in service.sources.views})
    keys: dict[str, Type] = {}
    for view in views.values():
        keys |= repository.keys(view)
    types = {name: service.sources.columns[name].type for view in views for name in columns[view]}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        session = stack.enter_context(open_session() if connection is None else connection.cursor())
        # A cursor begins with the machine's settings, not with those of its connection.
        session.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        answers = []
        windowed = [
            open_windows(session, repository, one, columns[name], delays.get(name, timedelta(0)), as_of)
            for name, one in windows.items()
        ]
        for number, name in enumerate(name for name in views if name in here and name not in windows):
            delay = delays.get(name, timedelta(0))
            read = read_answers(session, repository, views[name], columns[name], delay, as_of)
            answers.append(keep_answers(session, read, f"skewcheck_answers_{number}") if keep else read)
        others = {name: view for name, view in views.items() if name not in here}
        yield Retrieval(repository, types, keys, session, answers, windowed, others, columns, folder, delays, as_of)


def retrieve(
    repository: Repository,
    service: Service,
    columns: Mapping[str, Sequence[str]],
    entities: pa.Table,
    timestamp: str,
    *,
    delays: Mapping[str, timedelta] | None = None,
    as_of: AsOf = "known",
) -> tuple[pa.Table, pa.Array]:
    """The store's values for rows of join keys and instants.

    Args:
        repository: The feature repo.
        service: The service whose views are read.
        columns: The columns to read of each view, by the view's name.
        entities: A table with the join keys and the instant.
        timestamp: The column with the instant.
        delays: For views by name, how much later than it was known every row reached serving.
        as_of: From when on a row counts: once it was created, or ("event") blind to that once it happened, which is
            not what serving knew.

    Returns:
        The columns, a row for each row of `entities` in its order, and for each row whether the join returned it.

    Raises:
        SkewcheckError: A key or the instant is not in the table, or the store fails.
        UsageError: A delay is negative, or of a view that is not there.
    """
    with open_retrieval(repository, service, columns, delays=delays, as_of=as_of, keep=False) as retrieval:
        return retrieval.ask(entities, timestamp)


def arrow_type(type_: Type) -> pa.DataType:
    """The Arrow type of a type."""
    return ARROW_TYPES[type_.name]


def _check_delays(delays: Mapping[str, timedelta], known: set[str]) -> None:
    if unknown := sorted(set(delays) - known):
        raise UsageError(
            f"there is no view {', '.join(unknown)} to delay", remedy=f"Name one of {', '.join(sorted(known))}."
        )
    if negative := sorted(name for name, delay in delays.items() if delay < timedelta(0)):
        raise UsageError(f"the delay of view {', '.join(negative)} is negative", remedy="Give it as zero or more.")


def number_rows(count: int) -> pa.Array:
    """The places of so many rows, from 0 on."""
    return pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count)), 1)


def _typed(values: pa.ChunkedArray, type_: Type) -> pa.ChunkedArray:
    """A join key; one that is missing in every row has no type of its own."""
    return values.cast(arrow_type(type_)) if pa.types.is_null(values.type) else values


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
    entities = {name: repository.entities[name] for view in wanted for name in view.entities if name != NO_ENTITY}
    store.apply([*entities.values(), *copy.deepcopy(wanted)])
    for view in store.list_feature_views():
        # Without its keys Feast would join a view on time alone, and say nothing.
        if view.entities != [NO_ENTITY] and len(view.entity_columns) != len(view.entities):
            raise SkewcheckError(f"view {view.name} has lost its join keys", remedy="Give its entities a value_type.")
    return store


def cast_column(values: pa.Array, type_: pa.DataType, name: str, where: str = "the offline store") -> pa.Array:
    """A column with its declared type; NaN among whole numbers is missing, and a time without a zone is UTC.

    Raises:
        SkewcheckError: A value does not fit it.
    """
    try:
        if pa.types.is_floating(values.type) and pa.types.is_integer(type_):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        if pa.types.is_timestamp(values.type) and values.type.tz is None and pa.types.is_timestamp(type_):
            values = values.cast(pa.timestamp("us")).cast(pa.int64()).cast(type_)
        return values.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SkewcheckError(
            f"column {name} of {where} does not fit its declared type {type_}: {error}",
            remedy="Declare the type that the values have, or correct them.",
        ) from error
