"""How far behind a store's column is: the delay with which the source answers as serving did.

Every request is explained by the delays for which the row that it was served was the answer: those between the instant
at which the next row took its place and the one at which it became the answer itself. The delay that lies in most of
these intervals is found by one sweep over their ends, without trying any.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import duckdb

from skewcheck.replay.sampling import SERVED_EVENT, equal_keys
from skewcheck.replay.stages import FILE, ROW
from skewcheck.replay.tracing import (
    ALIKE,
    SECOND,
    SOURCE,
    TracedView,
    column_answers,
    fetch_all,
    missing,
    trained_age,
)
from skewcheck.store.as_of import BEGIN, END, EVENT, INSTANT, name_key

NEARLY = 0.9
"""The share of what the best delay explains that another must explain to be preferred for a reason."""

WORTH = 0.01
"""By how much a delay must explain more requests than none does."""

BEYOND_CHANCE = 5.0
"""By how many standard deviations the best of many delays must explain more mismatches than one at random."""

FEWEST = 10
"""Requests of one hour of the day from which on its delay is told."""

FOREVER = 2**62
"""Longer than any delay, in microseconds."""

STEPS = [step * SECOND for step in (86_400, 43_200, 21_600, 10_800, 3_600, 1_800, 900, 600, 300, 60, 30, 10, 5, 1)]
"""The round delays, the roundest first."""


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """The delay of the requests of one hour of the day (UTC)."""

    hour: int
    seconds: float
    share: float
    requests: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind serving is; all times in seconds.

    Attributes:
        seconds: The delay that explains most requests, the roundest of those that do; negative where serving is ahead.
        at_least: The shortest delay that explains as many.
        at_most: The longest; None where there is no end to it.
        share: The requests that it explains, of those that were served a value.
        share_without: Those that no delay explains, so that they need none.
        requests: The requests that were looked at.
        served_age: Median age of the rows that serving read; None where it did not log their event times.
        trained_age: Median age of the rows that training reads.
        by_hour: The same delay for each hour of the day.
    """

    seconds: float
    at_least: float | None
    at_most: float | None
    share: float
    share_without: float
    requests: int
    served_age: float | None = None
    trained_age: float | None = None
    by_hour: tuple[HourOfDay, ...] = field(default=())

    def plain(self) -> dict[str, Any]:
        """The lag as plain data."""
        return {**asdict(self), "by_hour": [asdict(hour) for hour in self.by_hour]}


def find_lag(traced: TracedView, name: str, column: str, beside: float = 0.0) -> Lag | None:
    """The delay of one column.

    Args:
        traced: The view.
        name: The column.
        column: Its traced requests.
        beside: The delay, in seconds, of another column of the view. Rows travel as a whole, so it is that of this
            column too where it explains nearly as much as the best, or less by chance: of values that recur many delays
            explain most.

    Returns:
        The lag; None where no sampled request was served a value, or what the view answered is unknown.
    """
    if traced.basis == "unknown" or name in traced.source.moving:
        return None
    connection = traced.connection
    _keep_intervals(traced, name, column, "sampled")
    served = f"sampled AND NOT {missing('served', traced.kind(name))}"
    (whole,) = fetch_all(
        connection,
        f"SELECT count(*) AS requests, median({INSTANT} - {SERVED_EVENT}) / {SECOND} AS served_age, "
        f"median({trained_age(traced)}) / {SECOND} AS trained_age FROM {column} WHERE {served}",
    )
    found = _sweep(connection, None).get(None)
    if not whole["requests"] or found is None:
        return None
    if beside:
        found = _prefer(connection, found, round(beside * SECOND))
    requests = whole["requests"]
    hours = {}
    if found.delay:
        counts = {
            row["hour"]: row["requests"]
            for row in fetch_all(
                connection,
                f"SELECT {_hour(INSTANT)} AS hour, count(*) AS requests FROM {column} WHERE {served} GROUP BY hour",
            )
        }
        hours = {hour: (best, counts[hour]) for hour, best in _sweep(connection, '"#hour"').items()}
    return Lag(
        found.delay / SECOND,
        None if found.low <= -FOREVER else found.low / SECOND,
        None if found.high >= FOREVER else found.high / SECOND,
        found.covered / requests,
        found.covered_now / requests,
        requests,
        whole["served_age"],
        whole["trained_age"],
        tuple(
            HourOfDay(hour, best.delay / SECOND, best.covered / count, count)
            for hour, (best, count) in sorted(hours.items())
            if count >= FEWEST
        ),
    )


def find_common_delay(traced: TracedView, name: str, column: str) -> int:
    """The delay, in microseconds, that explains more of a column's mismatches than chance would; 0 where none does.

    Args:
        traced: The view.
        name: The column.
        column: Its traced requests.
    """
    _keep_intervals(traced, name, column, "looked")
    found = _sweep(traced.connection, None).get(None)
    (row,) = fetch_all(
        traced.connection,
        f"SELECT count(*) FILTER (WHERE looked AND NOT {missing('served', traced.kind(name))}) AS requests "
        f"FROM {column}",
    )
    if found is None or not found.delay or name in traced.source.moving:
        return 0
    # Windows answer alike for any time before the first event.
    first = f"min({END})" if traced.basis == "windows" else f"min({BEGIN})"
    (spread,) = fetch_all(
        traced.connection,
        f'SELECT sum(length) / (SELECT max({BEGIN}) - {first} + 1 FROM {traced.history}) AS covered FROM "#intervals"',
    )
    count = row["requests"]
    chance = min(1.0, (spread["covered"] or 0.0) / count)
    needed = chance + BEYOND_CHANCE * math.sqrt(max(chance * (1 - chance), 1 / count) / count)
    return found.delay if found.covered / count > needed else 0


@dataclass(frozen=True, slots=True)
class _Best:
    """The delays, all in microseconds, that lie in most intervals, and in how many; and in how many none lies."""

    delay: int
    low: int
    high: int
    covered: int
    covered_now: int


def _keep_intervals(traced: TracedView, name: str, column: str, requests: str) -> None:
    """The delays that explain each of some requests, first and last, in a table."""
    wanted = f"{requests} AND NOT {missing('served', traced.kind(name))}"
    keys = ", ".join(map(name_key, traced.keys))
    partition = f"PARTITION BY {keys} " if keys else ""
    # Equal values one after the other are one run: which of its rows was served makes no difference.
    runs = (
        f"SELECT *, lead({BEGIN}) OVER ({partition}ORDER BY {BEGIN}) AS ends FROM (SELECT *, lag({ALIKE}) OVER "
        f"({partition}ORDER BY {BEGIN}) IS DISTINCT FROM {ALIKE} AS changes FROM {column_answers(traced, name)}) "
        "WHERE changes"
    )
    if traced.basis == "rows":
        by_time = (
            f"SELECT {INSTANT} AS asked, {SOURCE}['begin'] AS begins, {SOURCE}['end'] AS ends FROM {column} "
            f"WHERE {wanted} AND {SERVED_EVENT} IS NOT NULL AND {SOURCE} IS NOT NULL "
            f"AND ({SOURCE}['end'] IS NULL OR {SOURCE}['end'] > {SOURCE}['begin'])"
        )
    else:
        then = f"requests.{SOURCE}['begin']"
        at_time = [
            *equal_keys("requests", "runs", traced.keys),
            f"{then} >= runs.{BEGIN}",
            f"(runs.ends IS NULL OR {then} < runs.ends)",
        ]
        by_time = (
            f"SELECT requests.{INSTANT} AS asked, runs.{BEGIN} AS begins, runs.ends AS ends FROM {column} AS requests "
            f"JOIN ({runs}) AS runs ON {' AND '.join(at_time)} WHERE {wanted} AND {SERVED_EVENT} IS NOT NULL"
        )
    matches = [*equal_keys("requests", "runs", traced.keys), f"requests.{ALIKE} = runs.{ALIKE}"]
    by_value = (
        f"SELECT requests.{INSTANT} AS asked, runs.{BEGIN} AS begins, runs.ends AS ends FROM {column} AS requests "
        f"JOIN ({runs}) AS runs ON {' AND '.join(matches)} WHERE {wanted} AND {SERVED_EVENT} IS NULL"
    )
    traced.connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "#intervals" AS SELECT {_hour("asked")} AS "#hour", '
        f"CASE WHEN ends IS NULL THEN -{FOREVER} ELSE asked - ends + 1 END AS low, asked - begins AS high, "
        f"coalesce(ends, (SELECT max({BEGIN}) FROM {traced.history})) - begins AS length "
        f"FROM ({by_time} UNION ALL {by_value})"
    )


def _hour(instant: str) -> str:
    """The hour of the day of an instant in microseconds."""
    return f"({instant} // {3600 * SECOND}) % 24"


def _sweep(connection: duckdb.DuckDBPyConnection, group: str | None) -> dict[Any, _Best]:
    """The delays that lie in most intervals, for each group."""
    of_group = f"{group} AS part" if group else "NULL AS part"
    ends = (
        f'SELECT {of_group}, low AS delay, 1 AS change FROM "#intervals" '
        f'UNION ALL SELECT {of_group}, high + 1, -1 FROM "#intervals" '
        f'UNION ALL SELECT DISTINCT {of_group}, 0, 0 FROM "#intervals"'
    )
    covers = (
        "SELECT part, delay, sum(sum(change)) OVER (PARTITION BY part ORDER BY delay) AS covered, "
        f"coalesce(lead(delay) OVER (PARTITION BY part ORDER BY delay), {FOREVER} + 1) - 1 AS high "
        f"FROM ({ends}) GROUP BY part, delay"
    )
    rows = fetch_all(
        connection,
        "SELECT part, delay AS low, high, covered, max(covered) FILTER (WHERE delay = 0) OVER (PARTITION BY part) AS "
        f"covered_now FROM ({covers}) QUALIFY covered = max(covered) OVER (PARTITION BY part) "
        "ORDER BY part, delay",
    )
    spans: dict[Any, list[_Best]] = {}
    for row in rows:
        low, high, covered, now = (int(row[key]) for key in ("low", "high", "covered", "covered_now"))
        spans_of_part = spans.setdefault(row["part"], [])
        if spans_of_part and spans_of_part[-1].high + 1 == low:
            spans_of_part[-1] = replace(spans_of_part[-1], high=high)
        else:
            spans_of_part.append(_Best(0, low, high, covered, now))
    return {part: _choose(found) for part, found in spans.items()}


def _prefer(connection: duckdb.DuckDBPyConnection, best: _Best, delay: int) -> _Best:
    """A certain delay where it lies in nearly as many intervals as the best, and that one otherwise."""
    (there,) = fetch_all(
        connection,
        f"SELECT count(*) FILTER (WHERE {delay} BETWEEN low AND high) AS covered, "
        f"greatest(max(low) FILTER (WHERE low <= {delay}), max(high + 1) FILTER (WHERE high < {delay})) AS low, "
        f"least(min(high) FILTER (WHERE high >= {delay}), min(low - 1) FILTER (WHERE low > {delay})) AS high "
        'FROM "#intervals"',
    )
    by_chance = BEYOND_CHANCE * math.sqrt(best.covered)
    enough = min(NEARLY * best.covered, best.covered - by_chance)
    if best.low <= delay <= best.high or there["covered"] < max(enough, 1):
        return best
    return replace(best, delay=delay, low=int(there["low"]), high=int(there["high"]), covered=there["covered"])


def _choose(found: list[_Best]) -> _Best:
    """Of several spans the one nearest to no delay; no delay where it explains about as many."""
    best = min(found, key=lambda span: max(span.low, -span.high, 0))
    if best.covered_now >= best.covered * (1 - WORTH):
        return replace(best, covered=best.covered_now, low=min(best.low, 0), high=max(best.high, 0))
    return replace(best, delay=_choose_round(best.low, best.high))


def _choose_round(low: int, high: int) -> int:
    """The roundest delay between two, the one nearest to their middle."""
    middle = (low + high) // 2
    for step in STEPS:
        nearest = round(middle / step) * step
        inside = [delay for delay in (nearest, nearest - step, nearest + step) if low <= delay <= high]
        if inside:
            return inside[0]
    return middle


def delayed_values(traced: TracedView, name: str, column: str, delay: int) -> str:
    """SQL text of place and `ALIKE` of what the column's source answered some microseconds before each request.

    The time to live is not applied, as an online store does not.
    """
    matches = [
        *equal_keys("requests", "answers", traced.keys),
        f"requests.{INSTANT} - {delay} >= answers.{BEGIN}",
    ]
    return (
        f"(SELECT requests.{FILE}, requests.{ROW}, answers.{ALIKE} AS delayed, answers.{EVENT} AS delayed_event "
        f"FROM {column} AS requests ASOF LEFT JOIN {column_answers(traced, name)} AS answers "
        f"ON {' AND '.join(matches)})"
    )
