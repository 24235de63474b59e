"""What a view answered for the keys of the requests that are looked at, and from when until when.

The history of a view on files is read. That of windows is computed at every instant at which an event came or left,
and that of a view which Feast joins is asked for at instants that are first a step apart and then halved where the
answer changes. All of these have one form, so that how far behind serving is and why a value differs are found in one
way.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.generate.manifest import ManifestView
from skewcheck.replay.retrieval import EARLIEST, LATEST
from skewcheck.replay.sampling import HASH, Looked, equal_keys, flag
from skewcheck.replay.tracing import SECOND, History, alike, fetch_all
from skewcheck.store.as_of import BEGIN, CREATED, END, EVENT, INSTANT, name_key, read_answers
from skewcheck.store.point_in_time import Retrieval, open_retrieval
from skewcheck.store.source_files import can_join
from skewcheck.store.windows import read_events

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service
    from skewcheck.language.windows.declaration import WindowFeature
    from skewcheck.store.repository import Repository

ASKED = 75_000
"""Keys and instants that Feast is asked for in one timeline."""

SHORTEST, LONGEST = 300, 2_000
"""Instants of one key."""

PAIRS = 20_000_000
"""Instants of a key times its events, over all keys, that windows are computed for."""

AT_ONCE = 25_000
"""Keys and instants that are asked for at once, so that memory does not grow with their number."""

SEVERAL = 40
"""Keys that windows should be computed for; where keys have many events, at fewer instants of each."""

AHEAD = 8
"""The part of a key's instants, one in so many, that lies after its last request."""

LADDER = [60 * SECOND * 2**power for power in range(16)]
"""How long before a request its view is asked to learn how often the answer changes, from a minute to 23 days."""

RUNGS_ASKED = 300
"""Requests that are asked for that."""

HALVINGS, ALL_HALVED = 6, 2
"""How often the time between two different answers is halved; in the first of these everywhere, then only beside
answers that serving gave."""

MOVING = frozenset({"time_since_last"})
"""Aggregates whose value changes with every instant."""

_PLACE, _AT, _FIRST, _LAST, _SINCE = '"#place"', '"#at"', '"#first"', '"#last"', '"#since"'
_KEYS, _CHOSEN, _POINTS, _TIMELINE = '"#keys"', '"#chosen"', '"#points"', '"#timeline"'
_HISTORY, _REQUESTS = '"#asked_history"', '"#asked_requests"'


def find_history(
    connection: duckdb.DuckDBPyConnection,
    repository: Repository,
    service: Service,
    view: ManifestView,
    looked: Looked,
) -> History:
    """The history of a view.

    Args:
        connection: The engine.
        repository: The feature repo.
        service: The service.
        view: The view.
        looked: The requests that are looked at; without columns that differ only the age of a file's rows is of use.

    Raises:
        SkewcheckError: The store cannot be asked.
    """
    registered = next(one for one in service.sources.views if one.name == view.name)
    windows = service.sources.windows.get(view.name)
    if windows is None and can_join(registered, repository):
        names = list(looked.columns) or list(view.columns[:1])
        answers = read_answers(connection, repository, registered, names)
        return History("rows", answers.history, looked, answers)
    if not looked.columns:
        return History("unknown", None, looked)
    _list_keys(connection, view, looked)
    # A value that is too old is asked for too, so that one which was served all the same is found.
    unlimited = copy.copy(registered)
    unlimited.ttl = timedelta(0)
    sources = dataclasses.replace(service.sources, views=(unlimited,))
    wanted = dataclasses.replace(service, sources=sources)
    columns = {view.name: list(looked.columns)}
    with open_retrieval(repository, wanted, columns, connection=connection, keep=False) as retrieval:
        asker = _Asker(connection, retrieval, view, looked)
        if windows is not None:
            features = [feature for feature in windows.features if feature.name in looked.columns]
            events = read_events(connection, repository, windows)
            asker.choose_changes(events, features)
            asker.narrow_events(events).ask(_POINTS)
        else:
            features = []
            asker.choose_steps(asker.find_step())
            asker.ask(_POINTS)
            asker.halve()
        asker.keep()
    with open_retrieval(repository, service, columns, as_of="event", connection=connection, keep=False) as retrieval:
        requests = dataclasses.replace(asker, retrieval=retrieval).ask_requests()
    return History(
        "windows" if windows is not None else "asked",
        _HISTORY,
        dataclasses.replace(looked, table=requests),
        reaches={feature.name: feature.window.reach for feature in features},
        moving=frozenset(feature.name for feature in features if feature.aggregate.name in MOVING),
    )


def _list_keys(connection: duckdb.DuckDBPyConnection, view: ManifestView, looked: Looked) -> None:
    """Number the keys of the requests, in a random order that is the same on every run."""
    keys = [name_key(key) for key in view.keys]
    present = " AND ".join(f"{key} IS NOT NULL" for key in keys) or "TRUE"
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_KEYS} AS SELECT row_number() OVER (ORDER BY min({HASH})) AS {_PLACE}, "
        f"{', '.join([*keys, f'min({INSTANT}) AS {_FIRST}', f'max({INSTANT}) AS {_LAST}'])} "
        f"FROM {looked.table} WHERE {present}{grouped}"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Asker:
    """Asks one view for its answers to some keys at some instants."""

    connection: duckdb.DuckDBPyConnection
    retrieval: Retrieval
    view: ManifestView
    looked: Looked

    @property
    def values(self) -> str:
        """SQL text of all that a view answers, as one value."""
        return f"struct_pack({', '.join(f'{name} := {name}' for name in map(quote_name, self.looked.columns))})"

    def choose_changes(self, events: str, features: Sequence[WindowFeature]) -> None:
        """The instants at which windows may change: where an event begins to count, and where it leaves."""
        matches = " AND ".join(equal_keys("events", "keys", tuple(self.view.keys)))
        self.connection.execute(
            f'CREATE OR REPLACE TEMP TABLE "#events" AS SELECT keys.{_PLACE}, keys.{_FIRST}, keys.{_LAST}, '
            f"greatest(events.{EVENT} + {features[0].window.delay}, events.{CREATED}) AS {BEGIN}, events.{EVENT} "
            f"FROM {events} AS events JOIN {_KEYS} AS keys ON {matches}"
        )
        reaches = sorted({feature.window.reach for feature in features if feature.window.reach is not None})
        leaving = [
            f'SELECT {_PLACE}, {_LAST}, {EVENT} + {reach} AS {_AT} FROM "#events" WHERE {EVENT} + {reach} > {BEGIN}'
            for reach in reaches
        ]
        counting = f'SELECT {_PLACE}, {_LAST}, {BEGIN} AS {_AT} FROM "#events"'
        changes = f"SELECT DISTINCT * FROM ({' UNION ALL '.join([counting, *leaving])})"
        (counted,) = fetch_all(
            self.connection, f'SELECT count(*) AS events, count(DISTINCT {_PLACE}) AS keys FROM "#events"'
        )
        every = SEVERAL * counted["events"] // max(counted["keys"], 1)
        longest = min(max(PAIRS // max(every, 1), SHORTEST), LONGEST)
        # The nearest to the requests, where there are too many.
        nearest = (
            f"SELECT *, row_number() OVER (PARTITION BY {_PLACE}, {_AT} > {_LAST} ORDER BY abs({_AT} - {_LAST})) "
            f"AS number FROM ({changes})"
        )
        most = f"CASE WHEN {_AT} > {_LAST} THEN {longest // AHEAD} ELSE {longest} END"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_POINTS} AS SELECT {_PLACE}, {_AT}, "
            f"max(number) OVER (PARTITION BY {_PLACE}) > {longest} AS cut FROM ({nearest}) WHERE number <= {most} + 1"
        )
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_CHOSEN} AS SELECT {_PLACE}, CASE WHEN cut THEN (first_at + {_LAST}) // 2 "
            f"END AS {_SINCE} FROM (SELECT {_PLACE}, {_LAST}, min({_AT}) AS first_at, coalesce(any_value(cut), FALSE) "
            f"AS cut, sum(count({_AT}) * (1 + coalesce(any_value(events), 0))) OVER (ORDER BY {_PLACE}) AS pairs "
            f"FROM {_KEYS} LEFT JOIN {_POINTS} USING ({_PLACE}) LEFT JOIN (SELECT {_PLACE}, count(*) AS events FROM "
            f'"#events" GROUP BY ALL) USING ({_PLACE}) GROUP BY {_PLACE}, {_LAST}) '
            f"WHERE pairs <= {PAIRS} OR {_PLACE} = 1"
        )
        # What the windows answered before anything changed, as long before as the requests are after it.
        self.connection.execute(
            f"INSERT INTO {_POINTS} SELECT {_PLACE}, 2 * start - last, FALSE FROM {_KEYS}, (SELECT "
            f"least(min({_FIRST}), min({_AT})) - {3600 * SECOND} AS start, max({_LAST}) AS last "
            f"FROM {_KEYS} LEFT JOIN {_POINTS} USING ({_PLACE}))"
        )
        self.connection.execute('DROP TABLE "#events"')

    def narrow_events(self, events: str) -> _Asker:
        """The same, which reads no events but those of the chosen keys."""
        keys = ", ".join(map(name_key, self.view.keys))
        chosen = self.connection.execute(
            f"SELECT {keys} FROM {_KEYS} SEMI JOIN {_CHOSEN} USING ({_PLACE})"
        ).to_arrow_table()
        # The retrieval has an engine of its own, which does not see the tables here.
        connection = self.retrieval.connection
        connection.register("skewcheck_keys", chosen)
        connection.execute(f'CREATE TEMP TABLE "#narrow" AS FROM {events} SEMI JOIN skewcheck_keys USING ({keys})')
        connection.unregister("skewcheck_keys")
        narrow = [dataclasses.replace(one, events='"#narrow"') for one in self.retrieval.windows]
        return dataclasses.replace(self, retrieval=dataclasses.replace(self.retrieval, windows=narrow))

    def find_step(self) -> int:
        """The longest time in which hardly half of the answers change, in microseconds."""
        ladder = ", ".join(map(str, [0, *LADDER]))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_CHOSEN} AS SELECT {_PLACE}, NULL::BIGINT AS {_SINCE} FROM {_KEYS}"
        )
        matches = " AND ".join(equal_keys("requests", "keys", tuple(self.view.keys))) or "TRUE"
        self.connection.execute(
            f'CREATE OR REPLACE TEMP TABLE "#rungs" AS SELECT {_PLACE}, {INSTANT} - back AS {_AT}, {INSTANT} AS asked, '
            f"back FROM (SELECT keys.{_PLACE}, requests.{INSTANT} FROM {self.looked.table} AS requests "
            f"JOIN {_KEYS} AS keys ON {matches} ORDER BY requests.{HASH} LIMIT {RUNGS_ASKED}), unnest([{ladder}]) "
            "AS ladder(back)"
        )
        self.ask('"#rungs"')
        answered = (
            f"SELECT DISTINCT back, {_PLACE}, asked, {self.values} AS answer "
            f'FROM "#rungs" JOIN {_TIMELINE} USING ({_PLACE}, {_AT})'
        )
        shares = fetch_all(
            self.connection,
            "SELECT rungs.back, avg(CAST(rungs.answer IS DISTINCT FROM now.answer AS INTEGER)) AS share "
            f"FROM ({answered}) AS rungs JOIN (SELECT * FROM ({answered}) WHERE back = 0) AS now "
            f"USING ({_PLACE}, asked) WHERE rungs.back > 0 GROUP BY rungs.back",
        )
        return max((int(row["back"]) for row in shares if row["share"] <= 0.5), default=LADDER[0])

    def choose_steps(self, step: int) -> None:
        """Instants a step apart for as many keys as can be, from long before their requests until after them."""
        (counted,) = fetch_all(self.connection, f"SELECT count(*) AS keys FROM {_KEYS}")
        length = min(max(ASKED // max(counted["keys"], 1), SHORTEST), LONGEST)
        before = length - length // AHEAD
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_CHOSEN} AS SELECT {_PLACE}, {_LAST} - {before // 2 * step} AS {_SINCE} "
            f"FROM {_KEYS} WHERE {_PLACE} <= {ASKED // length}"
        )
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_POINTS} AS SELECT {_PLACE}, {_LAST} - number * {step} AS {_AT} "
            f"FROM {_KEYS}, range(-{length // AHEAD}, {before}) AS numbers(number)"
        )

    def ask(self, points: str, *, more: bool = False) -> None:
        """The view's answers at some instants of the chosen keys, in a table, or added to it."""
        keys = [f"keys.{name_key(key)} AS {quote_name(key)}" for key in self.view.keys]
        asked = self.connection.execute(
            f"SELECT points.{_PLACE}, points.{_AT}, {', '.join([*keys, f'make_timestamptz({_AT}) AS {INSTANT}'])} "
            f"FROM (SELECT DISTINCT {_PLACE}, {_AT} FROM {points}) AS points JOIN {_KEYS} AS keys USING ({_PLACE}) "
            f"SEMI JOIN {_CHOSEN} USING ({_PLACE}) WHERE points.{_AT} BETWEEN {EARLIEST} AND {LATEST} "
            f"ORDER BY {_PLACE}, {_AT}"
        ).to_arrow_table()
        # Every call of Feast costs its own while.
        at_once = AT_ONCE if self.retrieval.windows else ASKED
        for start in range(0, max(asked.num_rows, 1), at_once):
            part = asked.slice(start, at_once)
            values, found = self.retrieval.ask(part, INSTANT[1:-1])
            answered = part.select([_PLACE[1:-1], _AT[1:-1]])
            for name in self.looked.columns:
                answered = answered.append_column(name, values.column(name))
            self.connection.register("skewcheck_answered", answered.filter(found))
            into = f"INSERT INTO {_TIMELINE}" if more or start else f"CREATE OR REPLACE TEMP TABLE {_TIMELINE} AS"
            self.connection.execute(f"{into} SELECT * FROM skewcheck_answered")
            self.connection.unregister("skewcheck_answered")

    def halve(self) -> None:
        """Ask in the middle between two answers that differ, again and again."""
        matches = " AND ".join(equal_keys("requests", "keys", tuple(self.view.keys))) or "TRUE"
        served = [
            f"SELECT DISTINCT keys.{_PLACE}, {alike(quote_name(side.served), side.type)} AS answer "
            f"FROM {self.looked.table} AS requests JOIN {_KEYS} AS keys ON {matches}"
            for side in self.looked.columns.values()
        ]
        gave = [
            f"({_PLACE}, {alike(quote_name(name), side.type)}) IN (SELECT ({_PLACE}, answer) FROM ({text}))"
            for (name, side), text in zip(self.looked.columns.items(), served, strict=True)
        ]
        for number in range(HALVINGS):
            following = f"OVER (PARTITION BY {_PLACE} ORDER BY {_AT})"
            cells = (
                f"SELECT {_PLACE}, {_AT}, lead({_AT}) {following} AS next_at, "
                f"{self.values} IS DISTINCT FROM lead({self.values}) {following} AS changes, "
                f"beside OR lead(beside) {following} AS beside "
                f"FROM (SELECT *, {' OR '.join(gave)} AS beside FROM {_TIMELINE})"
            )
            self.connection.execute(
                f'CREATE OR REPLACE TEMP TABLE "#halves" AS SELECT {_PLACE}, ({_AT} + next_at) // 2 AS {_AT} '
                f"FROM ({cells}) WHERE changes AND next_at - {_AT} > {SECOND}"
                f"{'' if number < ALL_HALVED else ' AND beside'} ORDER BY {_PLACE}, {_AT} LIMIT {ASKED // 2}"
            )
            (counted,) = fetch_all(self.connection, 'SELECT count(*) AS rows FROM "#halves"')
            if not counted["rows"]:
                return
            self.ask('"#halves"', more=True)

    def keep(self) -> None:
        """Keep the history: of equal answers one after the other the first."""
        keys = [f"keys.{name_key(key)}" for key in self.view.keys]
        values = ", ".join(map(quote_name, self.looked.columns))
        following = f"OVER (PARTITION BY {_PLACE} ORDER BY {_AT})"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_HISTORY} AS SELECT {', '.join([*keys, f'{_AT} AS {EVENT}'])}, "
            f"{_AT} AS {CREATED}, {_AT} AS {BEGIN}, lead({_AT}) {following} AS {END}, {values} FROM (SELECT * FROM "
            f"{_TIMELINE} QUALIFY row_number() {following} = 1 OR {self.values} IS DISTINCT FROM "
            f"lag({self.values}) {following}) JOIN {_KEYS} AS keys USING ({_PLACE})"
        )

    def ask_requests(self) -> str:
        """A table with the requests of the chosen keys, and what the view answers blind to when rows were created."""
        matches = " AND ".join(equal_keys("requests", "keys", tuple(self.view.keys))) or "TRUE"
        requests = (
            f"SELECT requests.*, {_PLACE}, {INSTANT} AS {_AT} FROM {self.looked.table} AS requests "
            f"JOIN {_KEYS} AS keys ON {matches} JOIN {_CHOSEN} USING ({_PLACE}) "
            f"WHERE {_SINCE} IS NULL OR {INSTANT} >= {_SINCE}"
        )
        self.ask(f"({requests})")
        happened = [f"answers.{quote_name(name)} AS {flag('happened', name)}" for name in self.looked.columns]
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_REQUESTS} AS SELECT requests.* EXCLUDE ({_PLACE}, {_AT}), "
            f"{', '.join(happened)} FROM ({requests}) AS requests LEFT JOIN {_TIMELINE} AS answers "
            f"USING ({_PLACE}, {_AT})"
        )
        for table in (_KEYS, _CHOSEN, _POINTS, _TIMELINE):
            self.connection.execute(f"DROP TABLE {table}")
        return _REQUESTS
