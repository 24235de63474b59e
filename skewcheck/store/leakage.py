"""The leakage guard: no training value may depend on what happened, or became known, only after its request.

Two comparisons, each of a feature's values as trained with its values without what came later:

* All rows, where they were not retrieved as known at the time: they are retrieved once more, as known.
* Some rows, however they were retrieved: the sources' files are cut at the request, and the same retrieval is asked
  again. Half of the instants are such at which a row was on its way: it had happened and was not yet created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.opaque import find_failure, load_functions, register_functions
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name
from skewcheck.errors import LeakageError
from skewcheck.fit.fitting import every_term
from skewcheck.fit.state import State, check_state
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import expand
from skewcheck.language.opaque import find_functions
from skewcheck.language.terms import finite
from skewcheck.store.cutting import NarrowSources, find_origin, narrow_sources
from skewcheck.store.point_in_time import PLACE, arrow_type, cast_column, number_rows, open_retrieval, retrieve
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import can_join, open_source
from skewcheck.store.training import RetrievedRows

SPREAD = 1000
"""Rows among which those that are asked again are chosen."""

INSTANTS = 8
"""Instants at which sources are cut."""

ROWS_TO_CUT = 8_000_000
"""Rows of sources that all cuts together may read, unless they would be fewer than two."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A feature whose training values depend on what came after the request.

    Attributes:
        feature: Its name.
        reads: The columns of the store that it reads, each with its view.
        rows: In how many of the rows that were compared.
        row: One of them, by its place in the table of training rows.
        trained: Its value there.
        known: Its value there without what came later.
    """

    feature: str
    reads: tuple[str, ...]
    rows: int
    row: int
    trained: Any
    known: Any


@dataclass(frozen=True, slots=True)
class Guard:
    """What the guard did and found.

    Attributes:
        compared: Rows that were retrieved once more, as known at the time; 0 where they were retrieved that way.
        cut: Rows that were asked again of sources cut at their request.
        instants: At how many instants that was.
        unchecked: Views whose sources cannot be cut.
        blind: For views whose source names no created time, the times in it that nobody reads. Their rows count from
            their event time on, and a value that was known only later is not seen.
        leaks: The features that leak.
    """

    compared: int = 0
    cut: int = 0
    instants: int = 0
    unchecked: tuple[str, ...] = ()
    blind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """The same rows twice, with their place in the training rows: as trained, and without what came later."""

    trained: pa.Table
    known: pa.Table


def find_leaks(repository: Repository, service: Service, state: State, training: RetrievedRows) -> Guard:
    """Look for features whose training values depend on what came after the request.

    Args:
        repository: The feature repo.
        service: The service.
        state: Its frozen statistics.
        training: Its training rows.

    Raises:
        StateError: The state is not the service's.
        SkewcheckError: The store fails, or a column that the rows had already does not fit its declared type.
    """
    check_state(service, state)
    views = [view for view in service.sources.views if training.columns.get(view.name)]
    if not views or not training.table.num_rows:
        return Guard()
    pairs = []
    if training.as_of != "known" or training.given.num_columns:
        pairs.append(_retrieve_as_known(repository, service, training))
    files = [view for view in views if view.name in service.sources.windows or can_join(view, repository)]
    compared, cut, instants = sum(pair.trained.num_rows for pair in pairs), 0, 0
    if files:
        again, instants = _ask_again(repository, service, files, training)
        cut = again.trained.num_rows
        pairs.append(again)
    unchecked = tuple(view.name for view in views if view not in files)
    blind = _find_blind(repository, service, files)
    return Guard(compared, cut, instants, unchecked, blind, _name_leaks(service, state, pairs))


def refuse_leaks(guard: Guard, training: RetrievedRows, row_id: str | None = None) -> None:
    """Raise an error where a feature leaks.

    Args:
        guard: What the guard found.
        training: The training rows.
        row_id: The column that tells rows apart; otherwise their place in their file does.

    Raises:
        LeakageError: It names the features, how many rows, one of them, and what to do.
    """
    if not guard.leaks:
        return
    lines = []
    for leak in guard.leaks:
        row = leak.row
        named = f"row {training.places[row]}" if row_id is None else f"{row_id} {training.table.column(row_id)[row]}"
        lines.append(
            f"  {leak.feature}: {leak.rows:,} row{'' if leak.rows == 1 else 's'}, such as {named}, where it is "
            f"{_show(leak.trained)} and without them {_show(leak.known)}; it reads {', '.join(leak.reads)}"
        )
    count = len(guard.leaks)
    features = "1 feature changes" if count == 1 else f"{count} features change"
    raise LeakageError(
        f"the training rows {training.path} leak: {features} when rows of the store that happened, or became known, "
        "after the request are removed\n" + "\n".join(lines),
        remedy=_advise(training),
    )


def _advise(training: RetrievedRows) -> str:
    if training.given.num_columns:
        names = ", ".join(training.given.column_names)
        return f"Leave the columns {names} out of the training rows: they are read from the store, as it was known."
    if training.as_of == "event":
        return "Retrieve as known at the time (leave out --as-of event): serving did not have these values."
    return "Check that the sources did not change meanwhile; if they did not, this is a defect of the retrieval."


def _show(value: Any) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _find_blind(repository: Repository, service: Service, views: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """The views without a created time, each with the times in its files that it does not read."""
    blind = {}
    with open_session() as connection:
        for view in views:
            origin = find_origin(service, view)
            source = open_source(connection, repository, origin)
            if source.created is None:
                read = {*source.keys, *(field.name for field in view.features), origin.batch_source.timestamp_field}
                times = [name for name, (_, type_) in source.columns.items() if type_.startswith("TIMESTAMP")]
                blind[view.name] = tuple(name for name in times if name not in read)
    return blind


def _retrieve_as_known(repository: Repository, service: Service, training: RetrievedRows) -> Pair:
    """All rows: with the values that they had already, and as known at the time."""
    rows = training.table.append_column(PLACE, number_rows(training.table.num_rows))
    given = {
        name: cast_column(
            training.given.column(name),
            arrow_type(service.sources.columns[name].type),
            name,
            f"the training rows {training.path}",
        )
        for name in training.given.column_names
    }
    values, _ = retrieve(
        repository, service, training.columns, training.table, training.timestamp, delays=training.delays
    )
    return Pair(_replace_columns(rows, pa.table(given)), _replace_columns(rows, values))


def _ask_again(
    repository: Repository, service: Service, views: Sequence[Any], training: RetrievedRows
) -> tuple[Pair, int]:
    """Some rows with the values that the same retrieval gives over sources cut at their request."""
    columns = {view.name: training.columns[view.name] for view in views}
    delays = {name: delay for name, delay in training.delays.items() if name in columns}
    rows = training.table.append_column(PLACE, number_rows(training.table.num_rows))
    rows = _pick(rows.filter(pc.is_valid(rows.column(training.timestamp))), SPREAD)
    times = rows.column(training.timestamp).cast(pa.int64())
    trained, known = [rows.slice(0, 0)], [rows.slice(0, 0)]
    with narrow_sources(repository, service, views, rows) as sources:
        instants = _choose_instants(sources, columns, rows, training.timestamp)
        for instant in instants:
            asked = rows.filter(pc.equal(times, instant))
            cut = sources.cut(instant)
            with open_retrieval(
                repository, cut, columns, delays=delays, as_of=training.as_of, connection=sources.connection, keep=False
            ) as retrieval:
                values, _ = retrieval.ask(asked, training.timestamp)
            trained.append(asked)
            known.append(_replace_columns(asked, values))
    return Pair(pa.concat_tables(trained), pa.concat_tables(known)), len(instants)


def _choose_instants(
    sources: NarrowSources, columns: Mapping[str, Sequence[str]], rows: pa.Table, timestamp: str
) -> list[int]:
    """Instants of requests; half of them, if there are so many, at which a row of the store was on its way."""
    event, known = (
        retrieve(sources.repository, sources.service, columns, rows, timestamp, as_of=as_of)[0]
        for as_of in ("event", "known")
    )
    with open_session() as connection:
        pair = Pair(_replace_columns(rows, event), _replace_columns(rows, known))
        differing = _find_differing(connection, pair, known.column_names)
    risky = rows.filter(pc.is_in(rows.column(PLACE), value_set=differing))
    count = max(2, min(INSTANTS, ROWS_TO_CUT // max(sources.rows, 1)))
    chosen: dict[int, None] = {}
    for among, limit in ((risky, count // 2), (rows, count)):
        instants = pc.unique(among.column(timestamp).cast(pa.int64())).to_pylist()
        fresh = pa.table({timestamp: pa.array([instant for instant in instants if instant not in chosen], pa.int64())})
        chosen |= dict.fromkeys(_pick(fresh, limit - len(chosen)).column(timestamp).to_pylist())
    return list(chosen)


def _name_leaks(service: Service, state: State, pairs: Sequence[Pair]) -> tuple[Leak, ...]:
    """The features whose values differ, each row counted once."""
    stored = {column.name: column.source for column in service.sources.columns.values() if column.role == "store"}
    leaks = []
    with open_session() as connection:
        register_functions(connection, load_functions(find_functions(every_term(service))))
        sides = _collect_differing(connection, pairs, stored)
        if sides is None:
            return ()
        outputs = {feature.name: finite(expand(feature.expression, state.statistics)) for feature in service.features}
        try:
            for side, table in (("trained", sides.trained), ("known", sides.known)):
                connection.register("rows", table)
                query = write_query(outputs, source="rows")
                names = ", ".join(map(quote_name, (PLACE, *outputs)))
                connection.execute(f"CREATE TEMP TABLE {side} AS SELECT {names} FROM ({query})")
        except duckdb.Error as error:
            raise find_failure(error) or error from error
        for feature in service.features:
            name = quote_name(feature.name)
            found = connection.execute(
                f"SELECT count(*) OVER (), {quote_name(PLACE)}, trained.{name}, known.{name} "
                f"FROM trained JOIN known USING ({quote_name(PLACE)}) "
                f"WHERE trained.{name} IS DISTINCT FROM known.{name} ORDER BY {quote_name(PLACE)} LIMIT 1"
            ).fetchone()
            if found:
                reads = tuple(f"{column} of view {stored[column]}" for column in feature.reads if column in stored)
                leaks.append(Leak(feature.name, reads, *found))
    return tuple(leaks)


def _collect_differing(
    connection: duckdb.DuckDBPyConnection, pairs: Sequence[Pair], stored: Iterable[str]
) -> Pair | None:
    """The rows of all pairs that differ in a column of the store, each once; None where there are none."""
    found: list[Pair] = []
    seen = pa.array([], pa.int64())
    names = set(stored)
    for pair in pairs:
        differing = _find_differing(connection, pair, [name for name in pair.known.column_names if name in names])
        fresh = differing.filter(pc.invert(pc.is_in(differing, value_set=seen)))
        seen = pa.concat_arrays([seen, fresh])
        if len(fresh):
            kept = pc.is_in(pair.trained.column(PLACE), value_set=fresh)
            found.append(Pair(pair.trained.filter(kept), pair.known.filter(kept)))
    if not found:
        return None
    return Pair(pa.concat_tables(pair.trained for pair in found), pa.concat_tables(pair.known for pair in found))


def _find_differing(connection: duckdb.DuckDBPyConnection, pair: Pair, names: Sequence[str]) -> pa.Array:
    """The places of rows in which one of some columns differs, as features read it: NaN and infinities are missing."""
    differs = []
    for name in names:
        floating = pa.types.is_floating(pair.known.schema.field(name).type)
        one, other = (
            f"CASE WHEN isfinite({side}.{quote_name(name)}) THEN {side}.{quote_name(name)} END"
            if floating
            else f"{side}.{quote_name(name)}"
            for side in ("trained_rows", "known_rows")
        )
        differs.append(f"{one} IS DISTINCT FROM {other}")
    connection.register("trained_rows", pair.trained.select([PLACE, *names]))
    connection.register("known_rows", pair.known.select([PLACE, *names]))
    place = quote_name(PLACE)
    found = connection.execute(
        f"SELECT {place} FROM trained_rows JOIN known_rows USING ({place}) "
        f"WHERE {' OR '.join(differs)} ORDER BY {place}"
    ).to_arrow_table()
    return found.column(0).combine_chunks()


def _pick(rows: pa.Table, count: int) -> pa.Table:
    """So many rows, evenly spaced; all where there are no more."""
    if rows.num_rows <= count:
        return rows
    return rows.take(pa.array([place * rows.num_rows // count for place in range(count)], pa.int64()))


def _replace_columns(rows: pa.Table, values: pa.Table) -> pa.Table:
    """The rows with other values in some columns."""
    for name in values.column_names:
        rows = rows.set_column(rows.column_names.index(name), name, values.column(name))
    return rows
